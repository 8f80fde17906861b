// Binds the execution decider to the spine: commands in, one statement a batch, effects out.
import type { Command } from '@weft/contracts';
import { uuidv7 } from '@weft/kernel';
import { definitionAfter, effectsBetween, executionDecider, isEnded, isLong, outstandingJobs, type ExecutionCommand, type ExecutionEvent, type ExecutionState } from '@weft/orchestration/core';
import { failpoint, Lanes, StateCache, type Clock, type Item, type Outcome } from '@weft/pipeline';
import { readCommand } from '../consume/command.codec.js';
import type { ExecutionCommit, ExecutionStore } from '../persist/execution-store.js';
import { drawBytes } from '../persist/random-pool.js';
import { SNAPSHOT_EVERY, type SnapshotStore } from '../persist/snapshot-store.js';
import type { PublishedCommits } from '../persist/published-commits.js';
import type { Told } from '../publish/announcer.js';
import type { Dispatch, JobDispatcher } from '../publish/job-dispatcher.js';
import type { ProgressWatch } from '../publish/progress-watch.js';
import type { ProgramCache } from './programs.js';

export interface EnginePorts {
  readonly store: ExecutionStore;
  readonly snapshots: SnapshotStore;
  readonly programs: ProgramCache;
  readonly published: PublishedCommits;
  readonly dispatcher: JobDispatcher;
  readonly progress: ProgressWatch;
  readonly clock: Clock;
  /** Largest output of a job, in bytes. */
  readonly payloadBytesMax: number;
  /** Publishes what a commit announces. */
  readonly announce: (commit: ExecutionCommit) => Promise<Told>;
  /** Told of timers that were set, so that those due soon need not wait for the poller. */
  readonly onTimer: (execution: string, timer: string, due: number) => void;
  readonly onFault: (fault: unknown, what: string) => void;
}

const CACHE_ENTRIES_MAX = 20_000;
// Of those that are parked: a signal that comes soon finds it, and a hundred thousand that wait for days cost nothing.
const PARKED_ENTRIES_MAX = 500;

export class ExecutionEngine {
  readonly #cache = new StateCache<ExecutionState>(CACHE_ENTRIES_MAX, PARKED_ENTRIES_MAX);
  readonly #lanes: Lanes<ExecutionState, ExecutionCommand, ExecutionEvent, never>;

  #snapshots: Promise<void> = Promise.resolve();

  constructor(private readonly ports: EnginePorts) {
    const { store, programs, clock } = ports;
    this.#lanes = new Lanes(
      {
        decider: executionDecider(programs.get),
        store,
        cache: this.#cache,
        clock,
        newCommitId: (now) => uuidv7(now, drawBytes(10)),
        prepare: (items, stateOf) =>
          programs.fetch(items.flatMap(({ key, command }) => digestsOf(command) ?? [stateOf(key).definition.digest, ...(command.type === 'MigrateExecution' ? [command.to.digest] : [])])),
        publish: (commit) => this.#publish(commit),
      },
      { onFault: ports.onFault },
    );
  }

  get waiting(): number {
    return this.#lanes.waiting;
  }

  /** Hands in commands; resolves when they are durable and their effects handed on. */
  submit(items: readonly Item<ExecutionCommand>[]): Promise<readonly Outcome[]> {
    return this.#lanes.submit(items);
  }

  /** Takes results straight from a worker. A fault here loses nothing: the jobs stay outstanding. */
  readonly report = (commands: readonly Command[]): void => {
    const items: Item<ExecutionCommand>[] = [];
    for (const wire of commands) {
      const reading = readCommand(wire, this.ports.payloadBytesMax);
      if (reading.ok) items.push({ key: wire.executionId, command: reading.command, messageId: wire.id });
      else this.ports.onFault(new Error(reading.rejection.message), 'reading a result');
    }
    if (items.length === 0) return;
    failpoint('orchestration.take-results', 'before');
    this.submit(items).then(
      (outcomes) => {
        failpoint('orchestration.take-results', 'after');
        // Nobody else hears of it: the job stays outstanding and its result would be set aside each time.
        for (const outcome of outcomes) if (outcome.kind === 'setAside') this.ports.onFault(outcome.fault, 'deciding on a result');
      },
      (fault: unknown) => this.ports.onFault(fault, 'taking results'),
    );
  };

  /** Drops every state that is remembered: what is decided next is decided on what is stored. */
  forgetAll(): void {
    this.#cache.clear();
  }

  async stop(): Promise<void> {
    await this.#lanes.stop();
    await this.#snapshots;
  }

  async #publish(commit: ExecutionCommit): Promise<void> {
    const dispatches: Dispatch[] = [];
    for (const { key, before, after } of commit.decisions) {
      const { dispatch, park } = effectsBetween(before, after);
      if (dispatch.length > 0) dispatches.push({ state: after, jobs: dispatch });
      for (const wait of park) if (wait.kind !== 'job' && wait.kind !== 'child' && wait.due !== undefined) this.ports.onTimer(key, wait.id, wait.due);
      // Long jobs are watched by their wait rows.
      const parked = isParked(after);
      if (!parked) this.ports.progress.expect(key, commit.at);
      else this.ports.progress.forget(key);
      // Only duplicates ask for it from now on, and they are rare: the cache is for what goes on.
      if (isEnded(after)) this.#cache.drop(key);
      else if (parked) this.#cache.rest(key);
    }
    this.#keepSnapshots(commit);
    failpoint('orchestration.announce', 'before');
    const told = this.ports.announce(commit).then((done) => {
      if (done.messages > 0) failpoint('orchestration.announce', 'after');
      return done;
    });
    const telling = this.ports.published.track(commit.id, told);
    await Promise.all([telling, dispatches.length > 0 ? this.ports.dispatcher.dispatch(dispatches) : undefined]);
  }

  /** Beside the commit: whoever needs a snapshot that was not written folds a longer history. */
  #keepSnapshots({ decisions }: ExecutionCommit): void {
    const old = decisions.filter(({ sequence }) => sequence >= SNAPSHOT_EVERY);
    if (old.length === 0) return;
    const { snapshots, onFault } = this.ports;
    const kept = old.filter(({ sequence, after }) => sequence % SNAPSHOT_EVERY === 0 && !isEnded(after));
    const over = old.filter(({ after }) => isEnded(after));
    // One after the other: a snapshot that is kept after it was dropped would stay for ever.
    this.#snapshots = this.#snapshots
      .then(async () => {
        if (kept.length > 0) await snapshots.keep(kept.map(({ key, sequence, after }) => ({ executionId: key, version: sequence, state: after })));
        if (over.length > 0) await snapshots.drop(over.map(({ key }) => key));
      })
      .catch((fault: unknown) => onFault(fault, 'writing snapshots'));
  }
}

/** Whether all that it waits for has rows, which wake it up: it needs no memory. */
const isParked = (state: ExecutionState): boolean => outstandingJobs(state).every(isLong);

/** The definition that a beginning is about. */
/** Definitions of an execution that begins; undefined of one that goes on. */
function digestsOf(command: ExecutionCommand): readonly string[] | undefined {
  if (command.type === 'StartExecution') return [command.definition.digest];
  if (command.type !== 'BeginFork') return undefined;
  return [command.events, command.events.slice(0, 1)].flatMap((events) => definitionAfter(events)?.digest ?? []);
}
