// An execution as its history folds it: a tree of activations, and what is outstanding.
import type { Instant, Json } from '@weft/kernel';
import type { ActivationKey, DefinitionVersion, ExecutionContext, ModelChoice } from './execution.events.js';

/** Key of the activation that is the workflow's own task list. */
export const ROOT: ActivationKey = '';

/** Jumps and loops are bounded: an execution enters at most this many tasks. */
export const TASKS_ENTERED_MAX = 100_000;

/** One running of a task. */
export interface Activation {
  readonly key: ActivationKey;
  readonly pointer: string;
  /** Back-jump counts on the path; '' when there were none. Part of every idempotency key below it. */
  readonly iteration: string;
  readonly parent: ActivationKey | undefined;
  readonly enteredAt: Instant;
  /** What the parent handed over, before `input.from`. */
  readonly rawInput: Json;
  readonly input: Json;
  /** Value that flows between its children (scopes), or the result of its job. */
  readonly value: Json;
  /** How often each child pointer was entered before: back-jumps. */
  readonly visits: Readonly<Record<string, number>>;
  /** Attempt of a `try`, from 1. */
  readonly attempt: number;
  /** The error that its `catch` handles, while it does. */
  readonly caught?: Json;
}

/** A job that was scheduled and has not been reported. */
export interface OutstandingJob {
  readonly id: string;
  readonly key: ActivationKey;
  readonly kind: string;
  readonly generation: number;
  /** From 1; it goes on counting when a retried `try` schedules the job anew. */
  readonly attempt: number;
  readonly scheduledAt: Instant;
  readonly input: Json;
  readonly settlement?: { readonly happened: boolean; readonly decidedBy: string; readonly output: Json };
  /** A person is asked whether its effect happened: nothing is dispatched meanwhile. */
  readonly asked: boolean;
}

export interface OutstandingTimer {
  readonly id: string;
  readonly key: ActivationKey;
  readonly purpose: 'wait' | 'retry';
  readonly due: Instant;
}

export interface OpenReview {
  readonly id: string;
  readonly key: ActivationKey;
  readonly kind: 'approval' | 'effect-outcome';
  readonly openedAt: Instant;
  readonly title: string;
  readonly subject: Json;
}

export interface ExecutionState {
  readonly status: 'none' | 'running' | 'completed' | 'faulted';
  readonly executionId: string;
  readonly startedAt: Instant;
  readonly definition: DefinitionVersion;
  readonly request: { readonly source: string; readonly id: string; readonly type: string };
  readonly context: ExecutionContext;
  readonly models: readonly ModelChoice[];
  /** Labels of the untrusted sources that anything in this execution came from. */
  readonly taint: readonly string[];
  readonly input: Json;
  /** `$context`. */
  readonly exported: Json;
  readonly activations: Readonly<Record<ActivationKey, Activation>>;
  readonly jobs: Readonly<Record<string, OutstandingJob>>;
  readonly timers: Readonly<Record<string, OutstandingTimer>>;
  readonly reviews: Readonly<Record<string, OpenReview>>;
  /** Generation of jobs whose effect was settled as failed; 0 when not listed. */
  readonly generations: Readonly<Record<string, number>>;
  /** Last attempt of jobs that failed and may be scheduled anew by a retried `try`; 0 when not listed. */
  readonly attempts: Readonly<Record<string, number>>;
  /** Tasks entered so far; also numbers timers, reviews and emissions. */
  readonly entered: number;
  readonly endedAt?: Instant;
  readonly output?: Json;
  readonly error?: Json;
}

export const initialExecution: ExecutionState = {
  status: 'none',
  executionId: '',
  startedAt: 0,
  definition: { namespace: '', name: '', version: '', digest: '' },
  request: { source: '', id: '', type: '' },
  context: { tenant: '', actor: '', purpose: '', traceparent: '', tracestate: '', deadlineMs: 0 },
  models: [],
  taint: [],
  input: null,
  exported: {},
  activations: {},
  jobs: {},
  timers: {},
  reviews: {},
  generations: {},
  attempts: {},
  entered: 0,
};

/** Whether nothing can happen to the execution any more. */
export const isEnded = (state: ExecutionState): boolean => state.status === 'completed' || state.status === 'faulted';

/** Id of the job of an activation: the same activation has the same job id for ever. */
export const jobIdOf = (executionId: string, key: ActivationKey): string => `${executionId}${key}`;
