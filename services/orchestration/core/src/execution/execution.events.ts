// What can have happened to an execution. Events say what steered, so that folding them never evaluates an expression.
import type { Hedge, ModelTerms } from '@weft/contracts';
import type { Instant, Json } from '@weft/kernel';
import type { ChildStatus, OnItemError, ParentExecution, WorkflowName } from '../child/child.state.js';
import type { ReviewChange } from '../review/review.state.js';
import type { ReviewKind, ReviewTerms } from '../review/review.terms.js';
import type { EventReading } from '../program/listen.js';
import type { AgentEvent } from '../agent/agent.events.js';

/** Names one activation: JSON Pointer of the task, then `#` and the iteration path when there is one. */
export type ActivationKey = string;

/** The definition version that an execution is pinned to. */
export interface DefinitionVersion {
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the canonical definition, hex. */
  readonly digest: string;
}

/** A model that may carry out an `infer` job, in order of preference, as routing chose it. */
export interface ModelChoice {
  readonly id: string;
  readonly endpoint: string;
  readonly model: string;
  readonly keySecret: string;
  readonly reason: string;
  readonly simulated: boolean;
  /** What else the catalogue said of it, and when the next one is asked beside it: carried along, of no meaning here. */
  readonly terms?: ModelTerms | undefined;
  readonly hedge?: Hedge | undefined;
}

/** What the whole execution carries to every hop. */
export interface ExecutionContext {
  readonly tenant: string;
  readonly actor: string;
  readonly purpose: string;
  readonly traceparent: string;
  readonly tracestate: string;
  /** Milliseconds since the epoch; 0 = none. */
  readonly deadlineMs: number;
  readonly budget?: { readonly moneyMicros: number; readonly tokens: number; readonly calls: number };
}

/**
 * `limit`: the time of an agent. `timeout`: that of an activation or the execution. `attempt`: that of one attempt of a `try`.
 * `yield`: a decision grew too long, and the next one goes on.
 */
export type TimerPurpose = 'wait' | 'retry' | 'limit' | 'timeout' | 'attempt' | 'yield';

/** Why an attempt ended: what the worker reported. */
export interface JobFailure {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** What a job has used up. */
export interface JobUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Millionths of the deployment's currency. */
  readonly moneyMicros: number;
  readonly calls: number;
  /** Counted here, because the provider told nothing or something that cannot be. */
  readonly estimated: boolean;
}

/** Effect of a failed attempt on the outside world. `none`: no effect was involved. */
export type EffectOutcome = 'none' | 'failed' | 'unknown';

/** Where a forked execution comes from. */
export interface ForkedFrom {
  readonly execution: string;
  /** Version of that execution whose decision entered the task. */
  readonly version: number;
  /** The activation of that execution that the fork enters anew. */
  readonly key: ActivationKey;
  readonly operation: string;
  readonly kind: 'fork' | 'reset';
  readonly by: string;
}

/** Where an error that ended the execution was met: the activation, or the task at this position of its list that could not be entered. */
export interface FailedTask {
  readonly key: ActivationKey;
  readonly position?: number;
}

/** What every operation on an execution says: its id, who asked for it and when. */
interface Operated {
  readonly operation: string;
  readonly at: Instant;
  readonly by: string;
  /** What the person wrote. */
  readonly reason?: string;
}

/** What an execution begins with. */
export interface StartFacts {
  readonly executionId: string;
  /** An empty digest: no such definition is deployed. */
  readonly definition: DefinitionVersion;
  readonly request: { readonly source: string; readonly id: string; readonly type: string };
  readonly context: ExecutionContext;
  readonly taint: readonly string[];
  readonly models: readonly ModelChoice[];
  readonly input: Json;
  /** How many executions followed each other by emitted events until it begins. Default 0. */
  readonly hops?: number;
  /** The execution that starts it. */
  readonly parent?: ParentExecution;
}

export type ExecutionEvent =
  | AgentEvent
  | (StartFacts & {
      readonly type: 'ExecutionStarted';
      readonly at: Instant;
      /** Numbers of the engine flags that it behaves by; none when absent. A fork has those of the execution that it comes from. */
      readonly flags?: readonly number[];
      /** Of a fork: where it comes from. The next `carried` events of the same row are that execution's. */
      readonly from?: ForkedFrom;
      readonly carried?: number;
      readonly reason?: string;
    })
  /** `input.from` of the workflow: what its first task sees. */
  | { readonly type: 'InputTransformed'; readonly input: Json }
  | {
      readonly type: 'TaskEntered';
      readonly key: ActivationKey;
      readonly pointer: string;
      readonly iteration: string;
      readonly parent: ActivationKey;
      readonly at: Instant;
      /** The transformed input, when the task transforms it; otherwise the parent's current value. */
      readonly input?: Json;
      /** Which branch of a `fork` it is, from 0 in declared order. */
      readonly branch?: number;
    }
  | { readonly type: 'TaskSkipped'; readonly pointer: string; readonly parent: ActivationKey; readonly branch?: number }
  /** A call of a function that is a task: what it is given. */
  | { readonly type: 'FunctionCalled'; readonly key: ActivationKey; readonly input: Json }
  /** The list of an extension begins around a task. */
  | {
      readonly type: 'ExtensionBegun';
      readonly key: ActivationKey;
      readonly phase: 'before' | 'after';
      /** Extensions that apply, as positions among those of the task; `at`: which of these it is. */
      readonly applying: readonly number[];
      readonly at: number;
      /** What the task has come to, before the first list after it; when absent, what its activation holds. `then`: where a `switch` goes on. */
      readonly output?: Json;
      readonly then?: string;
    }
  /** The lists before a task are at their end, and those that apply may follow it; or it is skipped by one; or the lists after it are at their end. */
  | { readonly type: 'ExtensionsEnded'; readonly key: ActivationKey; readonly applying?: readonly number[]; readonly isSkipped?: true }
  /** A `for` begins: what it goes through, evaluated once. */
  | { readonly type: 'LoopBegun'; readonly key: ActivationKey; readonly count: number; readonly items: Json }
  /** @property index of the item, from 0. */
  | { readonly type: 'PassBegun'; readonly key: ActivationKey; readonly index: number }
  /** A `map` begins: each item is what one execution of the workflow gets. */
  | {
      readonly type: 'MapBegun';
      readonly key: ActivationKey;
      readonly workflow: WorkflowName;
      readonly count: number;
      readonly concurrency: number;
      readonly onError: OnItemError;
      readonly items: Json;
    }
  /** A task starts an execution of its own: of `run` with workflow and input, of a `map` for an item. `isAwaited` false: nobody waits for it. */
  | {
      readonly type: 'ChildStarted';
      readonly key: ActivationKey;
      readonly child: string;
      readonly item?: number;
      readonly workflow?: WorkflowName;
      readonly isAwaited?: false;
      readonly input?: Json;
    }
  /** An execution that was waited for has ended. */
  | {
      readonly type: 'ChildEnded';
      readonly key: ActivationKey;
      readonly child: string;
      readonly item?: number;
      readonly status: ChildStatus;
      readonly taint?: readonly string[];
      readonly output?: Json;
      readonly error?: Json;
    }
  /** A branch of a competing `fork` failed; the others go on. */
  | { readonly type: 'BranchFailed'; readonly key: ActivationKey; readonly branch: number; readonly errorType: string; readonly error: Json }
  /** A `fork` has its output: of all branches in declared order, or of the one that won. What still runs in it is cancelled. */
  | { readonly type: 'BranchesJoined'; readonly key: ActivationKey; readonly winner?: number }
  | {
      readonly type: 'ListenOpened';
      readonly key: ActivationKey;
      readonly listen: string;
      readonly at: Instant;
      /** Type of the event that it waits for; '' = any. */
      readonly eventType: string;
      /** Finds it among all that listen. See `listenKey`. */
      readonly correlation: string;
      /** What the event must have, as evaluated: {with, correlate}. */
      readonly expected: Json;
      /** Which of the task's filters it is, from 0; absent = the first. */
      readonly filter?: number;
      /** Of the first: that any of the task's filters correlates. */
      readonly correlates?: true;
    }
  /** From now on it is found by events that it has not reached a `listen` for. See `listenKey`. */
  | { readonly type: 'Subscribed'; readonly correlations: readonly string[] }
  /** An event came in; it is kept until a `listen` takes it. */
  | {
      readonly type: 'SignalReceived';
      readonly source: string;
      readonly id: string;
      readonly eventType: string;
      readonly taint?: readonly string[];
      /** Of an event that an execution emitted: how many followed each other; absent = it came from outside. */
      readonly hops?: number;
      /** That it was found by what it carries before a `listen` for it was reached. */
      readonly early?: true;
      /** Of an event that is kept: how long it is, in characters of JSON. */
      readonly size?: number;
      /** Events that came early and are given up for it, oldest first. */
      readonly drops?: readonly { readonly source: string; readonly id: string }[];
      /** The CloudEvent, attributes and `data`. */
      readonly event: Json;
    }
  /** A `listen` took an event that came in. */
  | {
      readonly type: 'SignalTaken';
      readonly key: ActivationKey;
      readonly source: string;
      readonly id: string;
      readonly read: EventReading;
      /** What becomes of it in a `listen` that goes on: gathered, given to `foreach`, or only what ends it. Absent: it was the only one, and the output is a list of it. */
      readonly use?: 'gather' | 'item' | 'end';
      /** Id of the `listen` that is satisfied by it, of several in one task. */
      readonly closes?: string;
      /** Values of its correlations, by name. */
      readonly keys?: Json;
      /** That it had come before it was listened for. */
      readonly kept?: true;
      /** Of what is gathered, in characters of JSON. */
      readonly size?: number;
    }
  /** A subscription to messages begins: what each job that collects some is given. */
  | {
      readonly type: 'SubscriptionBegun';
      readonly key: ActivationKey;
      readonly at: Instant;
      /** How many messages it takes at most; absent = any number. */
      readonly amount?: number;
      /** Instant after which no more are collected; absent = none. */
      readonly until?: Instant;
      readonly input: Json;
    }
  /** A subscription took the first of the collected messages that are left. `size`: of what is gathered, in characters of JSON. */
  | { readonly type: 'MessageTaken'; readonly key: ActivationKey; readonly use: 'gather' | 'item'; readonly size?: number }
  /** An item of a subscription begins: the event or message that was taken last, or what is given. */
  | { readonly type: 'ItemBegun'; readonly key: ActivationKey; readonly item?: Json }
  /** An item has ended: what is gathered of it, when it is not the output of its last task, and what replaces `$context`. `isKept` false: nothing is gathered. */
  | { readonly type: 'ItemEnded'; readonly key: ActivationKey; readonly size: number; readonly isKept?: false; readonly output?: Json; readonly exported?: Json }
  /** A `listen` that went on is over: its output is what it gathered. */
  | {
      readonly type: 'ListenClosed';
      readonly key: ActivationKey;
      /** Of one that correlates: the values that were bound, by name. */
      readonly keys?: Json;
    }
  | { readonly type: 'CaseChosen'; readonly key: ActivationKey; readonly name: string }
  | {
      readonly type: 'JobScheduled';
      readonly key: ActivationKey;
      readonly job: string;
      readonly kind: string;
      readonly generation: number;
      readonly attempt: number;
      readonly at: Instant;
      /** What the worker is given; when absent, what the job was given before. */
      readonly input?: Json;
      readonly settlement?: { readonly happened: boolean; readonly decidedBy: string };
      readonly settlementOutput?: Json;
    }
  | {
      readonly type: 'JobCompleted';
      readonly key: ActivationKey;
      readonly job: string;
      readonly generation: number;
      readonly taint?: readonly string[];
      readonly output: Json;
      readonly evidence?: Json;
      readonly usage?: JobUsage;
    }
  | {
      readonly type: 'JobFailed';
      readonly key: ActivationKey;
      readonly job: string;
      readonly generation: number;
      readonly attempt: number;
      readonly outcome: EffectOutcome;
      /** raise: the task faults; again: the same job is scheduled anew; ask: a person says whether the effect happened. */
      readonly next: 'raise' | 'again' | 'ask';
      readonly code: string;
      /** Labels of what the failure quotes. */
      readonly taint?: readonly string[];
      /** Text and details of the failure: they may quote data. */
      readonly failure: Json;
      readonly usage?: JobUsage;
    }
  | { readonly type: 'TimerSet'; readonly key: ActivationKey; readonly timer: string; readonly purpose: TimerPurpose; readonly due: Instant }
  | { readonly type: 'TimerFired'; readonly key: ActivationKey; readonly timer: string }
  | {
      readonly type: 'ReviewRequested';
      readonly key: ActivationKey;
      readonly review: string;
      readonly kind: ReviewKind;
      readonly at: Instant;
      readonly terms?: ReviewTerms;
      readonly title: string;
      readonly subject: Json;
      /** JSON Schema that the form of an approval must fit. */
      readonly form?: Json;
    }
  /** Something happened to a review that leaves it open: a claim, a comment, an escalation, one of several approvals. */
  | ({ readonly type: 'ReviewChanged'; readonly key: ActivationKey; readonly review: string; readonly at: Instant } & ReviewChange)
  | {
      readonly type: 'ReviewDecided';
      readonly key: ActivationKey;
      readonly review: string;
      readonly outcome: string;
      /** Who decided last. */
      readonly decidedBy: string;
      /** All who approved, where it took several. */
      readonly approvedBy?: readonly string[];
      /** Comment and form, as the reviewer gave them. */
      readonly answer: Json;
    }
  /** People approved what a job was about to do: it carries their word from now on. A fork does not. */
  | {
      readonly type: 'ActionApproved';
      readonly key: ActivationKey;
      readonly job: string;
      readonly review: string;
      readonly digest: string;
      readonly decidedBy: readonly string[];
      readonly at: Instant;
      readonly expires: Instant;
    }
  | { readonly type: 'EventEmitted'; readonly key: ActivationKey; readonly emission: string; readonly event: Json }
  | { readonly type: 'ErrorCaught'; readonly key: ActivationKey; readonly errorType: string; readonly error: Json }
  /** A `try` begins whose policy limits how long it is tried again. @property until instant after which no retry begins. */
  | { readonly type: 'RetriesLimited'; readonly key: ActivationKey; readonly until: Instant }
  | { readonly type: 'RetryScheduled'; readonly key: ActivationKey; readonly retry: number; readonly errorType: string; readonly error: Json }
  | {
      readonly type: 'TaskCompleted';
      readonly key: ActivationKey;
      readonly at: Instant;
      /** The transformed output, when it is not the job's result, the last child's output or the input. */
      readonly output?: Json;
      /** What replaces `$context`, when the task exports. */
      readonly exported?: Json;
    }
  | { readonly type: 'ExecutionCompleted'; readonly at: Instant; readonly output: Json }
  | { readonly type: 'ExecutionFaulted'; readonly at: Instant; readonly errorType: string; readonly error: Json; readonly task?: FailedTask }
  | (Operated & { readonly type: 'ExecutionSuspended' })
  /** The steps that were held are taken with it. */
  | (Operated & { readonly type: 'ExecutionResumed' })
  /** What a result led to while the execution was suspended, or had still to lead to when it faulted; without an output, that of its activation. */
  | { readonly type: 'StepHeld'; readonly key: ActivationKey; readonly step: { readonly [field: string]: Json }; readonly output?: Json; readonly error?: Json }
  /** A cancel begins: everything outstanding is dropped, and `catch` clauses that name it run. */
  | (Operated & { readonly type: 'CancelRequested'; readonly error: Json })
  | { readonly type: 'CancelCaught'; readonly key: ActivationKey }
  /** A handler of the cancel ended before its last task: by an error, or by `then: end`. */
  | { readonly type: 'CancelHandlerEnded'; readonly key: ActivationKey; readonly errorType?: string; readonly error?: Json }
  | { readonly type: 'ExecutionCancelled'; readonly at: Instant; readonly by: string; readonly error: Json }
  | (Operated & { readonly type: 'ExecutionTerminated'; readonly error: Json })
  | (Operated & { readonly type: 'ExecutionRetried'; readonly task: FailedTask })
  /** It goes on under another version of its definition. */
  | (Operated & {
      readonly type: 'DefinitionMigrated';
      readonly from: DefinitionVersion;
      readonly to: DefinitionVersion;
      /** Tasks that it names and that are elsewhere now, by where they were. */
      readonly pointers: Readonly<Record<string, string>>;
      /** By the key that a fork had, where each of its branches is now; -1: nowhere. Absent: all are where they were. */
      readonly branches?: Readonly<Record<ActivationKey, readonly number[]>>;
      /** By the index of a held step, which task of its list it enters now. Absent: those that it did. */
      readonly held?: Readonly<Record<string, number>>;
      /** Of one that faulted: which task of its list a retry enters now. Absent: the one that it did. */
      readonly failedAt?: number;
      /** Tasks whose effects go by another pointer than their own. See `jobIdIn`. */
      readonly origins?: Readonly<Record<string, string>>;
    })
  /** Another execution began from a task of this one. */
  | (Operated & { readonly type: 'ExecutionForked'; readonly kind: ForkedFrom['kind']; readonly execution: string; readonly version: number; readonly key: ActivationKey });

export type ExecutionEventType = ExecutionEvent['type'];
