import { refuse } from '@weft/kernel';

/** Where a PostgreSQL database is. A `host` that begins with `/` is the folder of a unix socket. */
export interface StoreAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Who administrates: creates roles and schemas. Services connect as their own roles. */
  readonly user: string;
  readonly password?: string;
}

/** Reads `postgres://user:password@host:port/database` (`?host=/folder` for a socket). @throws Refused config-invalid. */
export function parseStoreUrl(text: string): StoreAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return refuse('config-invalid', 'Expected a store address of the form postgres://user:password@host:5432/database but it is not a URL.');
  }
  if (!/^postgres(ql)?:$/.test(url.protocol) || url.pathname.length < 2) refuse('config-invalid', 'Expected a store address of the form postgres://user:password@host:5432/database.');
  const password = decodeURIComponent(url.password);
  return {
    host: url.searchParams.get('host') ?? url.hostname,
    port: Number(url.port || 5432),
    database: decodeURIComponent(url.pathname.slice(1)),
    user: decodeURIComponent(url.username) || 'postgres',
    ...(password === '' ? {} : { password }),
  };
}

/** The address as a URL, for handing to another process. */
export function storeUrl(address: StoreAddress): string {
  const credentials = `${encodeURIComponent(address.user)}${address.password ? `:${encodeURIComponent(address.password)}` : ''}`;
  return address.host.startsWith('/')
    ? `postgres://${credentials}@localhost:${address.port}/${encodeURIComponent(address.database)}?host=${encodeURIComponent(address.host)}`
    : `postgres://${credentials}@${address.host}:${address.port}/${encodeURIComponent(address.database)}`;
}
