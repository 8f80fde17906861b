import { refuse } from '@weft/kernel';
import { readFileSync } from 'node:fs';
import type { ClientConfig } from 'pg';

/** Where a PostgreSQL database is. A `host` that begins with `/` is the folder of a unix socket. */
export interface StoreAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Who administrates: creates roles and schemas. Services connect as their own roles. */
  readonly user: string;
  readonly password?: string;
  /** Encryption of a TCP connection: `require` encrypts, `verify-full` checks the server's certificate and name as well. Default: none. */
  readonly sslMode?: SslMode;
  /** File with the certificates to trust, for `verify-full`. Default: those that Node trusts. */
  readonly sslRootCert?: string;
}

export type SslMode = 'require' | 'verify-full';

const EXPECTED = 'Expected a store address of the form postgres://user:password@host:5432/database (postgres://user@localhost/database?host=/folder for a unix socket)';
const PORT = 5432;
const PARAMETERS = ['host', 'port', 'sslmode', 'sslrootcert'];

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
      ...sslOf(url.searchParams),
    };
    const unknown = [...url.searchParams.keys()].filter((key) => !PARAMETERS.includes(key));
    if (unknown.length > 0) return refuse('config-invalid', `${EXPECTED} with no parameters but ${PARAMETERS.join(', ')}; it has ${unknown.join(', ')}.`);
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

function sslOf(parameters: URLSearchParams): Pick<StoreAddress, 'sslMode' | 'sslRootCert'> {
  const mode = parameters.get('sslmode') ?? 'disable';
  const sslRootCert = parameters.get('sslrootcert');
  if (mode !== 'disable' && mode !== 'require' && mode !== 'verify-full') return refuse('config-invalid', `${EXPECTED} whose sslmode is disable, require or verify-full but it is "${mode}".`);
  return { ...(mode === 'disable' ? {} : { sslMode: mode }), ...(sslRootCert === null ? {} : { sslRootCert }) };
}

/** The address as a URL, for handing to another process. Reading it again gives the same address. */
export function storeUrl(address: StoreAddress): string {
  const { host, port, database, user, password, sslMode, sslRootCert } = address;
  const credentials = `${encodeURIComponent(user)}${password === undefined ? '' : `:${encodeURIComponent(password)}`}`;
  const isSocket = host.startsWith('/');
  const parameters = Object.entries({ host: isSocket ? host : undefined, sslmode: sslMode, sslrootcert: sslRootCert }).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  const authority = isSocket ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `postgres://${credentials}@${authority}:${port}/${encodeURIComponent(database)}${parameters.length > 0 ? `?${parameters.join('&')}` : ''}`;
}

/** The address as the driver wants it. `role` and `password` stand in for the address's own user. */
export function clientConfig(address: StoreAddress, as: { readonly role?: string; readonly password?: string | undefined } = {}): ClientConfig {
  const { host, port, database, user } = address;
  const password = as.password ?? address.password;
  return { host, port, database, user: as.role ?? user, ...(password === undefined ? {} : { password }), ...tlsOf(address) };
}

function tlsOf({ sslMode, sslRootCert }: StoreAddress): Pick<ClientConfig, 'ssl'> {
  if (sslMode === undefined) return {};
  if (sslMode === 'require') return { ssl: { rejectUnauthorized: false } };
  return { ssl: { rejectUnauthorized: true, ...(sslRootCert === undefined ? {} : { ca: readFileSync(sslRootCert, 'utf8') }) } };
}
