// What may be asked of an execution. The wire form is contracts' `Command`; the shell maps one to the other.
import type { Json } from '@weft/kernel';
import type { DefinitionVersion, EffectOutcome, ExecutionEvent, ForkedFrom, JobUsage, StartFacts } from './execution.events.js';
import type { ChildStatus } from '../child/child.state.js';
import type { ReviewWish } from '../review/review.decide.js';
import type { Operation } from './operation.js';
import type { ForkPoint } from './fork-point.js';
import type { PointerMap } from '../upgrade/pointer-map.js';

/** Whoever acts for a tenant: an execution of another one is `unknown-execution` to it. */
interface OfTenant {
  readonly tenant: string;
}

/** An action as a person is to see it. */
export interface ApprovalRequest {
  readonly digest: string;
  readonly title: string;
  /** What the digest covers. */
  readonly subject: Json;
  readonly reasons: readonly string[];
}

export type ExecutionCommand =
  | (StartFacts & { readonly type: 'StartExecution' })
  /** To a child that nobody waits for any more: it ends, or does not begin. */
  | (StartFacts & { readonly type: 'StopChild' })
  /** From a child that has ended. */
  | (OfTenant & { readonly type: 'EndChild'; readonly child: string; readonly status: ChildStatus; readonly output?: Json; readonly error?: Json; readonly taint: readonly string[] })
  | {
      readonly type: 'CompleteJob';
      readonly job: string;
      readonly generation: number;
      readonly output: Json;
      readonly evidence?: Json;
      readonly taint: readonly string[];
      readonly usage?: JobUsage;
    }
  | {
      readonly type: 'FailJob';
      readonly job: string;
      readonly generation: number;
      readonly failure: {
        readonly code: string;
        readonly message: string;
        readonly retryable: boolean;
        /** How long whoever was called asks not to be called again, in milliseconds, integer > 0; left out = not told. */
        readonly retryAfterMs?: number;
        readonly details?: { readonly [key: string]: Json };
      };
      readonly outcome: EffectOutcome;
      readonly needsPerson: boolean;
      /** Attempt of the job that failed; left out or 0 when the worker did not tell. */
      readonly attempt?: number;
      /** The platform lost the attempt: scheduled again without asking the workflow. */
      readonly platform: boolean;
      readonly evidence?: Json;
      /** The action waits for a person: scheduled again once exactly this is approved. */
      readonly approvalRequest?: ApprovalRequest;
      readonly usage?: JobUsage;
      /** Labels of what its words are made of. */
      readonly taint?: readonly string[];
    }
  | (OfTenant & {
      readonly type: 'ReceiveSignal';
      readonly source: string;
      readonly id: string;
      readonly eventType: string;
      /** The CloudEvent, attributes and `data`. */
      readonly event: Json;
      readonly taint: readonly string[];
      /** It was found by what it carries: taken by a `listen` that is open, or not at all. */
      readonly isCorrelated: boolean;
      /** Of an emitted event: how many executions followed each other by then. Default 0. */
      readonly hops?: number;
    })
  | { readonly type: 'FireTimer'; readonly timer: string }
  | (OfTenant & {
      readonly type: 'DecideReview';
      readonly review: string;
      readonly outcome: string;
      readonly comment: string;
      readonly form: Json;
      readonly decidedBy: string;
      /** Roles of whoever decides; none when left out. */
      readonly roles?: readonly string[];
    })
  | (OfTenant & ReviewWish & { readonly type: 'ChangeReview'; readonly review: string; readonly by: string; readonly roles: readonly string[] })
  /** `id` names the operation: told again it is the same one. A fork and a reset name the new execution and the point it starts from. */
  | (OfTenant & {
      readonly type: 'OperateExecution';
      readonly operation: Operation;
      readonly id: string;
      readonly by: string;
      readonly reason: string;
      readonly fork?: ForkPoint & { readonly execution: string };
    })
  /** `id` names the migration: told again it is the same one. */
  | (OfTenant & { readonly type: 'MigrateExecution'; readonly id: string; readonly by: string; readonly reason: string; readonly to: DefinitionVersion; readonly map: PointerMap })
  /** Sent to the new execution. `events`: those of the execution that it comes from, up to the version it names. */
  | { readonly type: 'BeginFork'; readonly executionId: string; readonly from: ForkedFrom; readonly reason: string; readonly events: readonly ExecutionEvent[] };

export type CommandOf<T extends ExecutionCommand['type']> = Extract<ExecutionCommand, { type: T }>;
