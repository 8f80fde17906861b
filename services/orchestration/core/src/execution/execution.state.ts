// An execution as its history folds it: a tree of activations, and what is outstanding.
import type { Instant, Json } from '@weft/kernel';
import type { AgentState, AgentStep } from '../agent/agent.state.js';
import type { MapState, OpenChild, ParentExecution } from '../child/child.state.js';
import type { Step } from '../interpreter/advance.js';
import type { Extending } from '../interpreter/extension.js';
import type { Gathering } from '../signal/gathering.js';
import type { Subscribing } from '../subscription/subscribing.js';
import type { OpenReview } from '../review/review.state.js';
import type { ActivationKey, DefinitionVersion, ExecutionContext, FailedTask, ForkedFrom, ModelChoice, TimerPurpose } from './execution.events.js';
import type { Operation } from './operation.js';

/** Key of the activation that is the workflow's own task list. */
export const ROOT: ActivationKey = '';

/** Jumps and loops are bounded: an execution enters at most this many tasks. */
export const TASKS_ENTERED_MAX = 100_000;

/** One running of a task. */
export interface Activation {
  readonly key: ActivationKey;
  readonly pointer: string;
  /** Loop indices and back-jump counts on the path; '' when there were none. Part of every idempotency key below it. */
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
  /** Which branch of a `fork` it is, from 0. */
  readonly branch?: number;
  /** `$context` of a branch, once something in it has exported. */
  readonly exported?: Json;
  /** Of a `fork`: how many of its branches have ended. */
  readonly branchesEnded?: number;
  /** Where the extensions around it stand, when some apply. */
  readonly extending?: Extending;
  /** Of a `try` whose policy limits it: instant after which no retry begins. */
  readonly retryUntil?: Instant;
  /** Timers that limit how long it, or its attempt, may take: they end with it. */
  readonly timeouts?: readonly string[];
  /** Where a `for` stands. */
  readonly loop?: { readonly count: number; readonly items: Json; readonly index: number };
  /** Of a subscription that has begun to take what it is for. */
  readonly gathering?: Gathering;
  /** Of a subscription to messages: what it has collected, and where it goes on. */
  readonly subscribing?: Subscribing;
  /** Where a `map` stands. */
  readonly map?: MapState;
  /** Of a turn or a call of an agent. */
  readonly step?: AgentStep;
}

/** What a branch of a `fork` that goes on has come to. */
export interface EndedBranch {
  /** Key of the fork's activation. */
  readonly key: ActivationKey;
  /** From 0, in declared order. */
  readonly branch: number;
  readonly output?: Json;
  /** Its `$context`, when something in it exported. */
  readonly exported?: Json;
  /** Of a competing branch that failed. */
  readonly error?: Json;
}

/** An event that no `listen` has taken yet. */
export interface KeptSignal {
  readonly source: string;
  readonly id: string;
  readonly eventType: string;
  readonly event: Json;
  /** Found by what it carries before a `listen` for it was reached. */
  readonly early?: true;
  /** In characters of JSON; of one that an earlier release kept it is not known. */
  readonly size?: number;
}

/** One filter of a `listen` that waits for its event. */
export interface OpenListen {
  readonly id: string;
  readonly key: ActivationKey;
  readonly openedAt: Instant;
  /** '' = any. */
  readonly eventType: string;
  readonly correlation: string;
  readonly expected: Json;
  /** Which of the task's filters, from 0; absent = the first. */
  readonly filter?: number;
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
  readonly purpose: TimerPurpose;
  readonly due: Instant;
}

/** Whether a timer limits the time of what runs, rather than waking what waits. */
export const isTimeLimit = (purpose: TimerPurpose): boolean => purpose === 'timeout' || purpose === 'attempt';

/** People's word for one action that a job is to do, until it has done it. */
export interface HeldApproval {
  readonly review: string;
  readonly job: string;
  readonly digest: string;
  readonly decidedBy: readonly string[];
  readonly decidedAt: Instant;
  readonly expires: Instant;
}

/** A cancel whose handlers run. */
export interface Cancelling {
  readonly by: string;
  readonly error: Json;
  /** The `try` whose `catch` handles it now. */
  readonly handler?: ActivationKey;
}

/** What an execution was about when it faulted: a retry goes on from there. */
export interface Interrupted extends Pick<ExecutionState, 'activations' | 'branches' | 'jobs' | 'timers' | 'reviews' | 'listens' | 'signals' | 'generations' | 'attempts' | 'agents'> {
  readonly task?: FailedTask;
}

export interface ExecutionState {
  readonly status: 'none' | 'running' | 'suspended' | 'completed' | 'faulted' | 'cancelled';
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
  /** Branches that ended while their fork goes on, in that order. */
  readonly branches: Readonly<Record<string, EndedBranch>>;
  readonly jobs: Readonly<Record<string, OutstandingJob>>;
  readonly timers: Readonly<Record<string, OutstandingTimer>>;
  readonly reviews: Readonly<Record<string, OpenReview>>;
  /** By review, of jobs that are not known to have been done. */
  readonly approvals: Readonly<Record<string, HeldApproval>>;
  /** Executions that are waited for, by id; absent when there was never one, and when it has ended. */
  readonly children?: Readonly<Record<string, OpenChild>>;
  /** In the order in which they were opened. */
  readonly listens: Readonly<Record<string, OpenListen>>;
  /** By what events find it before it has reached a `listen` for them; absent = by nothing. */
  readonly subscriptions?: readonly string[];
  /** By `signalKey`, oldest first. */
  readonly signals: Readonly<Record<string, KeptSignal>>;
  /** Signals that were received: a second one is a duplicate, also after the end. */
  readonly received: Readonly<Record<string, true>>;
  /** Those before: parts that change no more, the oldest first. See `hasReceived`. */
  readonly receivedBefore?: readonly Readonly<Record<string, true>>[];
  /** Generation of jobs whose effect was settled as failed; 0 when not listed. */
  readonly generations: Readonly<Record<string, number>>;
  /** Last attempt of jobs that failed and may be scheduled anew by a retried `try`; 0 when not listed. */
  readonly attempts: Readonly<Record<string, number>>;
  /** Agents that have not answered, and those whose answer a retry would ask for again; absent when there was never one. By the activation that they answer. */
  readonly agents?: Readonly<Record<ActivationKey, AgentState>>;
  /** Tasks entered and passes of loops begun so far; also numbers timers, reviews and emissions. */
  readonly entered: number;
  /** How many executions followed each other by emitted events until this one; absent = none. */
  readonly hops?: number;
  /** Reviews requested so far; numbers them. */
  readonly asked: number;
  /** Operations that were taken, by id: told again they change nothing. */
  readonly operations?: Readonly<Record<string, Operation | 'migrate'>>;
  /** What results led to while it was suspended, in the order they came: taken at resume. What was left when it faulted: taken at a retry. */
  readonly held?: readonly NonNullable<Step>[];
  readonly cancelling?: Cancelling;
  readonly interrupted?: Interrupted;
  /** Of an execution that was migrated: pointers that tasks do their effects under, where those are not their own. */
  readonly origins?: Readonly<Record<string, string>>;
  /** Engine flags that it was started with; absent: none. */
  readonly flags?: readonly number[];
  readonly from?: ForkedFrom;
  /** The execution that started this one. */
  readonly parent?: ParentExecution;
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
  branches: {},
  jobs: {},
  timers: {},
  reviews: {},
  approvals: {},
  listens: {},
  signals: {},
  received: {},
  generations: {},
  attempts: {},
  entered: 0,
  asked: 0,
};

/** Whether nothing can happen to the execution any more by itself. */
export const isEnded = ({ status }: Pick<ExecutionState, 'status'>): boolean => status === 'completed' || status === 'faulted' || status === 'cancelled';

/** What makes an event the same when it comes again. Source: CloudEvents 1.0, source and id. */
export const signalKey = (signal: { readonly source: string; readonly id: string }): string => `${signal.source}\n${signal.id}`;

/** Signals that an execution keeps for a `listen` that is not reached yet: addressed ones, and as many that came early. */
export const SIGNALS_KEPT_MAX = 100;

/** How long those of each kind may be together, in characters of JSON. */
export const SIGNALS_KEPT_SIZE_MAX = 4 * 1024 * 1024;

/** Id of the job of an activation: the same activation has the same job id for ever. */
export const jobIdOf = (executionId: string, key: ActivationKey): string => `${executionId}${key}`;

/** Id of the job of an activation now: its task goes by the pointer that it had when the execution first knew it, whatever it was migrated to since. */
export function jobIdIn({ executionId, origins }: Pick<ExecutionState, 'executionId' | 'origins'>, key: ActivationKey): string {
  if (!origins) return jobIdOf(executionId, key);
  const at = key.indexOf('#');
  const pointer = at < 0 ? key : key.slice(0, at);
  return jobIdOf(executionId, (origins[pointer] ?? pointer) + key.slice(pointer.length));
}
