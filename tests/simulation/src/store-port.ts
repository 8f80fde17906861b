// The HistoryStore port of one process: what may go wrong between deciding and knowing.
import { CommitUnknown, Fault, type Commit, type HistoryStore } from '@weft/pipeline';
import type { Chaos } from './chaos.js';
import type { Process } from './process.js';
import type { Random } from './random.js';
import type { Schedule } from './schedule.js';
import type { Store } from './store.js';

export interface PortSurroundings {
  readonly schedule: Schedule;
  readonly random: Random;
  readonly chaos: Chaos;
}

// One of its own each time: what waits for it goes with its world.
const never = (): Promise<never> => new Promise(() => undefined);

const away = (): Fault => new Fault('the store is away', true);

/** @throws Fault (retryable) while the store is away. */
export function requireHere(store: { readonly awayUntil: number }, schedule: Schedule): void {
  if (schedule.now < store.awayUntil) throw away();
}

export function historyPort<S, E>({ schedule, random, chaos }: PortSurroundings, process: Process, store: Store<S, E>): HistoryStore<S, E, never> {
  const slow = (): number => (chaos.strikes('commit-slow') ? random.between(200, 2_500) : random.between(1, 15));
  return {
    load: (keys) =>
      process.ask(
        'load',
        () => {
          requireHere(store, schedule);
          return store.load(keys);
        },
        random.between(1, 8),
      ),

    commit(commit: Commit<S, E, never>) {
      if (chaos.strikes('crash-before-commit')) {
        process.crash();
        return never();
      }
      if (chaos.strikes('store-away')) store.awayUntil = schedule.now + random.between(300, 4_000);
      const label = `commit of ${commit.decisions.length}`;
      const serve = (): ReadonlySet<string> => {
        requireHere(store, schedule);
        if (chaos.strikes('commit-refused')) throw new Fault('the store refuses for now', true);
        if (chaos.strikes('commit-cut')) throw new CommitUnknown(commit.id, 'cut before');
        if (chaos.strikes('commit-late')) {
          schedule.after(random.between(5, 1_500), `${process.name} late ${label}`, () => store.write(commit));
          throw new CommitUnknown(commit.id, 'cut, and still under way');
        }
        const won = store.write(commit);
        if (chaos.strikes('commit-answer-lost')) throw new CommitUnknown(commit.id, 'cut after');
        if (chaos.strikes('crash-after-commit')) process.crash();
        else if (chaos.strikes('pause-after-commit')) process.pause(random.between(1_500, 9_000));
        return won;
      };
      return process.ask(label, serve, slow());
    },

    outcomeOf: (id) =>
      process.ask('outcome', () => {
        requireHere(store, schedule);
        return store.outcomeOf(id);
      }),
  };
}
