// Names to addresses: the system's way, or name servers that the operator chose.
import { lookup, Resolver, type LookupAddress } from 'node:dns';
import { promisify } from 'node:util';

/** All addresses of a name. Rejects with a `code` when there is none. */
export type NameLookup = (name: string) => Promise<readonly LookupAddress[]>;

const systemLookup = promisify(lookup);

/** @param servers `address` or `address:port`; none: as the system resolves. */
export function nameLookup(servers: readonly string[]): NameLookup {
  if (servers.length === 0) return (name) => systemLookup(name, { all: true });
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers(servers);
  const found = (family: 4 | 6, name: string): Promise<readonly LookupAddress[]> =>
    new Promise((settle, fail) => {
      const answered = (error: NodeJS.ErrnoException | null, addresses: readonly string[]): void => (error ? fail(error) : settle(addresses.map((address) => ({ address, family }))));
      if (family === 4) resolver.resolve4(name, answered);
      else resolver.resolve6(name, answered);
    });
  return async (name) => {
    const [v4, v6] = await Promise.allSettled([found(4, name), found(6, name)]);
    // One kind of address may be missing; both missing is an error.
    if (v4.status === 'rejected' && v6.status === 'rejected') throw v4.reason;
    return [...(v4.status === 'fulfilled' ? v4.value : []), ...(v6.status === 'fulfilled' ? v6.value : [])];
  };
}
