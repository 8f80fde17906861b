// What may be asked of an execution. The wire form is contracts' `Command`; the shell maps one to the other.
import type { Json } from '@weft/kernel';
import type { DefinitionVersion, EffectOutcome, ExecutionContext, ModelChoice } from './execution.events.js';

export type ExecutionCommand =
  | {
      readonly type: 'StartExecution';
      readonly executionId: string;
      readonly definition: DefinitionVersion;
      readonly request: { readonly source: string; readonly id: string; readonly type: string };
      readonly context: ExecutionContext;
      readonly taint: readonly string[];
      readonly models: readonly ModelChoice[];
      readonly input: Json;
    }
  | { readonly type: 'CompleteJob'; readonly job: string; readonly generation: number; readonly output: Json; readonly evidence?: Json; readonly taint: readonly string[] }
  | {
      readonly type: 'FailJob';
      readonly job: string;
      readonly generation: number;
      readonly failure: { readonly code: string; readonly message: string; readonly retryable: boolean; readonly details?: { readonly [key: string]: Json } };
      readonly outcome: EffectOutcome;
      readonly needsPerson: boolean;
      /** Attempt of the job that failed; left out or 0 when the worker did not tell. */
      readonly attempt?: number;
      /** The platform lost the attempt: scheduled again without asking the workflow. */
      readonly platform: boolean;
      readonly evidence?: Json;
    }
  | {
      readonly type: 'ReceiveSignal';
      /** Whoever sends it: an execution of another tenant is unknown to it. */
      readonly tenant: string;
      readonly source: string;
      readonly id: string;
      readonly eventType: string;
      /** The CloudEvent, attributes and `data`. */
      readonly event: Json;
      readonly taint: readonly string[];
      /** It was found by what it carries: taken by a `listen` that is open, or not at all. */
      readonly isCorrelated: boolean;
    }
  | { readonly type: 'FireTimer'; readonly timer: string }
  | { readonly type: 'DecideReview'; readonly review: string; readonly outcome: string; readonly comment: string; readonly form: Json; readonly decidedBy: string };

export type CommandOf<T extends ExecutionCommand['type']> = Extract<ExecutionCommand, { type: T }>;
