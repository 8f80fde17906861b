import { refuse } from '@weft/kernel';
import type { ClientConfig } from 'pg';

/** Where a PostgreSQL database is. A `host` that begins with `/` is the folder of a unix socket. */
export interface StoreAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Who administrates: creates roles and schemas. Services connect as their own roles. */
  readonly user: string;
  readonly password?: string;
}

const EXPECTED = 'Expected a store address of the form postgres://user:password@host:5432/database (postgres://user@localhost/database?host=/folder for a unix socket)';
const PORT = 5432;

/**
 * Reads `postgres://user:password@host:port/database`; `?host=/folder` names a unix socket. The port defaults to 5432, the user to `postgres`.
 * @throws Refused config-invalid. The message never repeats the address: it may hold a password.
 */
export function parseStoreUrl(text: string): StoreAddress {
  let address: StoreAddress;
  try {
    const url = new URL(text);
    const password = decodeURIComponent(url.password);
    address = {
      host: url.searchParams.get('host') ?? url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(url.port || url.searchParams.get('port') || PORT),
      database: decodeURIComponent(url.pathname.slice(1)),
      user: decodeURIComponent(url.username) || 'postgres',
      ...(password === '' ? {} : { password }),
    };
    if (!/^postgres(ql)?:$/.test(url.protocol)) return refuse('config-invalid', `${EXPECTED} but it begins with "${url.protocol}".`);
  } catch (fault) {
    if (fault instanceof TypeError || fault instanceof URIError) return refuse('config-invalid', `${EXPECTED} but it is not a URL.`);
    throw fault;
  }
  if (address.database === '' || address.database.includes('/')) return refuse('config-invalid', `${EXPECTED} but it names no database.`);
  if (address.host === '') return refuse('config-invalid', `${EXPECTED} but it names no host.`);
  if (!Number.isInteger(address.port) || address.port < 1 || address.port > 65_535) return refuse('config-invalid', `${EXPECTED} but its port is not a number from 1 to 65535.`);
  return address;
}

/** The address as a URL, for handing to another process. Reading it again gives the same address. */
export function storeUrl(address: StoreAddress): string {
  const { host, port, database, user, password } = address;
  const credentials = `${encodeURIComponent(user)}${password === undefined ? '' : `:${encodeURIComponent(password)}`}`;
  const path = encodeURIComponent(database);
  if (host.startsWith('/')) return `postgres://${credentials}@localhost:${port}/${path}?host=${encodeURIComponent(host)}`;
  return `postgres://${credentials}@${host.includes(':') ? `[${host}]` : host}:${port}/${path}`;
}

/** The address as the driver wants it. `role` and `password` stand in for the address's own user. */
export function clientConfig(address: StoreAddress, as: { readonly role?: string; readonly password?: string | undefined } = {}): ClientConfig {
  const { host, port, database, user } = address;
  const password = as.password ?? address.password;
  return { host, port, database, user: as.role ?? user, ...(password === undefined ? {} : { password }) };
}
