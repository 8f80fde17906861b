// Threads, one a core, that take tasks one after the other.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** What a thread is asked: some seeds, or the search for one planted bug. */
export type Order = { readonly kind: 'seeds'; readonly seeds: readonly number[] } | { readonly kind: 'bug'; readonly name: string };

export const WORKERS_DEFAULT = availableParallelism();

/** Gives the orders out in their order; resolves when all are done. @throws what a thread died of. */
export async function work<A>(orders: Iterable<Order>, workers: number, onAnswer: (order: Order, answer: A) => void): Promise<void> {
  const left = orders[Symbol.iterator]();
  await Promise.all(Array.from({ length: workers }, () => oneThread(left, onAnswer)));
}

async function oneThread<A>(left: Iterator<Order>, onAnswer: (order: Order, answer: A) => void): Promise<void> {
  const thread = new Worker(new URL('./simulate.thread.js', import.meta.url));
  await new Promise<void>((resolve, reject) => {
    let current: Order | undefined;
    const next = (): void => {
      const { value, done } = left.next() as IteratorResult<Order, undefined>;
      current = value;
      if (done) resolve();
      else thread.postMessage(value);
    };
    thread.on('message', (answer: A) => {
      onAnswer(current!, answer);
      next();
    });
    thread.on('error', reject);
    next();
  });
  await thread.terminate();
}
