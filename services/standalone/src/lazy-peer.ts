// What a promise resolver and Nest ask of every object they meet; it is no call of the peer.
const ASKED_OF_EVERYTHING: ReadonlySet<string> = new Set(['constructor', 'then', 'onModuleInit', 'onApplicationBootstrap', 'onModuleDestroy', 'beforeApplicationShutdown', 'onApplicationShutdown']);

/**
 * A peer that is looked up when it is called: services of one process call each other, and none of them is made first.
 * The answer is the peer's own, in process, through the same generated interface as over gRPC.
 */
export function lazyPeer<P extends object>(find: () => P): P {
  let found: P | undefined;
  return new Proxy({} as P, {
    get(_target, name) {
      if (typeof name !== 'string' || ASKED_OF_EVERYTHING.has(name)) return undefined;
      return (...args: unknown[]): unknown => {
        found ??= find();
        return (found as Readonly<Record<string, (...given: unknown[]) => unknown>>)[name]!(...args);
      };
    },
  });
}
