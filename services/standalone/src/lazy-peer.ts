const ASKED_OF_EVERYTHING: ReadonlySet<string> = new Set(['then', 'onModuleInit', 'onApplicationBootstrap', 'onModuleDestroy', 'beforeApplicationShutdown', 'onApplicationShutdown']);

/**
 * A peer that is looked up at its first use: services of one process call each other, and none of them is made first.
 * The answer is the peer itself, called in process through the same generated interface as over gRPC.
 */
export function lazyPeer<P extends object>(find: () => P): P {
  let found: P | undefined;
  return new Proxy({} as P, {
    get(_target, name) {
      // A promise resolver asks every object whether it is a thenable, and Nest asks for its hooks: those are the peer's own affair.
      if (typeof name !== 'string' || ASKED_OF_EVERYTHING.has(name)) return undefined;
      found ??= find();
      const method: unknown = Reflect.get(found, name);
      return typeof method === 'function' ? method.bind(found) : method;
    },
  });
}
