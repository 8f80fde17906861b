// The parts that a world is composed of. A planted bug is a world with one part put in wrongly: product code has no branch for it.
import { executionDecider, type ExecutionEvent, type ExecutionState, type Wait } from '@weft/orchestration/core';
import { StateCache, type Commit, type HistoryStore } from '@weft/pipeline';
import { effectDecider, nextStep, type EffectCommand, type EffectEvent, type EffectState } from '@weft/tools/core';
import type { Decider } from '@weft/kernel';
import type { CommitRecord } from './commit-rows.js';
import { jobOf, type Job } from './job.js';
import type { Message } from './bus.js';

export type ExecutionPort = HistoryStore<ExecutionState, ExecutionEvent, never>;
export type ExecutionCommit = Commit<ExecutionState, ExecutionEvent, never>;
export type EffectPort = HistoryStore<EffectState, EffectEvent, never>;

export interface Parts {
  readonly executionDecider: typeof executionDecider;
  readonly executionCache: (entriesMax: number) => StateCache<ExecutionState>;
  /** What stands between the spine and the store of executions. */
  readonly executionPort: (port: ExecutionPort, cache: StateCache<ExecutionState>) => ExecutionPort;
  readonly effectDecider: Decider<EffectState, EffectCommand, EffectEvent, never>;
  readonly effectPort: (port: EffectPort) => EffectPort;
  readonly nextStep: typeof nextStep;
  readonly jobOf: (state: ExecutionState, job: Parameters<typeof jobOf>[1]) => Job;
  /** Whether an action that needs an approval goes on. */
  readonly mayAct: (isApproved: boolean) => boolean;
  /** The key that an effect is sent under. */
  readonly sentKey: (job: Job) => string;
  /** Milliseconds left to send in, counted from before the dispatch was recorded. */
  readonly leftMs: (untilMs: number, nowMs: number) => number;
  /** Takes a batch off the bus; offsets move when it resolves. */
  readonly take: (batch: readonly Message[], handle: (batch: readonly Message[]) => Promise<void>) => Promise<void>;
  /** Sets a message aside that nobody can read. */
  readonly setAside: (message: Message, publish: (message: Message) => Promise<void>) => Promise<void>;
  /** Tells the world of a commit, and marks it as told. */
  readonly tell: (announce: () => Promise<number>, mark: () => void) => Promise<void>;
  /** Which commits recovery publishes; `walk` is what it keeps between two looks. */
  readonly unpublished: (rows: readonly CommitRecord[], walk: { lastSeen: string }) => readonly CommitRecord[];
  /** Which commits the sequencer takes. */
  readonly unsequenced: (rows: readonly CommitRecord[]) => readonly CommitRecord[];
  /** Executions whose jobs a sweep dispatches again. */
  readonly silent: (executions: readonly string[]) => readonly string[];
  /** Whether a replica counts as present that was silent for so long. */
  readonly isPresent: (silentMs: number, ttlMs: number) => boolean;
  /** Wait rows that a decision writes, and those that it deletes, by id. */
  readonly parked: (waits: readonly Wait[]) => readonly Wait[];
  readonly unparked: (ids: readonly string[]) => readonly string[];
  /** Instant at which the poller takes a timer to be due. */
  readonly due: (due: number) => number;
  /** Whether a request's name is taken by a request that is stored. */
  readonly isTaken: (isStored: boolean) => boolean;
}

/** Everything as it should be. */
export const RIGHT_PARTS: Parts = {
  executionDecider,
  executionCache: (entriesMax) => new StateCache<ExecutionState>(entriesMax),
  executionPort: (port) => port,
  effectDecider,
  effectPort: (port) => port,
  nextStep,
  jobOf,
  mayAct: (isApproved) => isApproved,
  sentKey: (job) => job.key,
  leftMs: (untilMs, nowMs) => untilMs - nowMs,
  take: (batch, handle) => handle(batch),
  setAside: (message, publish) => publish(message),
  tell: async (announce, mark) => {
    if ((await announce()) > 0) mark();
  },
  unpublished: (rows) => rows.filter(({ published }) => !published),
  unsequenced: (rows) => rows.filter(({ sequenced }) => sequenced === undefined),
  silent: (executions) => executions,
  isPresent: (silentMs, ttlMs) => silentMs < ttlMs,
  parked: (waits) => waits,
  unparked: (ids) => ids,
  due: (due) => due,
  isTaken: (isStored) => isStored,
};
