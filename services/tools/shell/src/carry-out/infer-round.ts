// One round over candidates: each is asked when the one before has failed, or beside it when that one is slow and routing says so. The first answer counts.

/** How one candidate came out. */
export type Tried<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly isLast?: boolean };

export interface RoundPorts<T> {
  /** Ends the round from outside. */
  readonly stop: AbortSignal;
  /** Asks a candidate. @param hedge why it is asked beside another one. Never rejects; told by the signal that another one was first. */
  readonly ask: (index: number, signal: AbortSignal, hedge: string | undefined) => Promise<Tried<T>>;
  /** After how long the next candidate is asked too, milliseconds; undefined: never. */
  readonly hedgeAfterMs: (index: number) => number | undefined;
}

/** @returns the first answer, or undefined when all have failed. Whoever was not first has been told and is waited for. */
export async function runRound<T>(indexes: readonly number[], ports: RoundPorts<T>): Promise<T | undefined> {
  return indexes.length > 1 && indexes.some((index) => ports.hedgeAfterMs(index) !== undefined) ? hedged(indexes, ports) : inTurn(indexes, ports);
}

async function inTurn<T>(indexes: readonly number[], { ask, stop }: RoundPorts<T>): Promise<T | undefined> {
  for (const index of indexes) {
    const tried = await ask(index, stop, undefined);
    if (tried.ok) return tried.value;
    if (tried.isLast) return undefined;
  }
  return undefined;
}

async function hedged<T>(indexes: readonly number[], { ask, hedgeAfterMs, stop }: RoundPorts<T>): Promise<T | undefined> {
  const running = new Map<number, Promise<{ readonly index: number; readonly tried: Tried<T> }>>();
  const aborts = new Map<number, AbortController>();
  let next = 0;
  const start = (hedge?: string): number => {
    const index = indexes[next++]!;
    const abort = new AbortController();
    aborts.set(index, abort);
    running.set(
      index,
      ask(index, AbortSignal.any([abort.signal, stop]), hedge).then((tried) => ({ index, tried })),
    );
    return index;
  };
  const settle = async (): Promise<void> => {
    for (const index of running.keys()) aborts.get(index)!.abort();
    await Promise.all(running.values());
  };
  let latest = -1;
  while (next < indexes.length || running.size > 0) {
    if (running.size === 0) latest = start();
    const afterMs = next < indexes.length && running.has(latest) ? hedgeAfterMs(latest) : undefined;
    let timer: NodeJS.Timeout | undefined;
    const late = afterMs === undefined ? [] : [new Promise<'hedge'>((resolve) => (timer = setTimeout(resolve, afterMs, 'hedge')))];
    const first = await Promise.race([...running.values(), ...late]);
    clearTimeout(timer);
    if (first === 'hedge') {
      latest = start(`the one before gave no answer within ${Math.round(afterMs!)} ms`);
      continue;
    }
    running.delete(first.index);
    if (first.tried.ok) {
      await settle();
      return first.tried.value;
    }
    if (first.tried.isLast) {
      await settle();
      return undefined;
    }
  }
  return undefined;
}
