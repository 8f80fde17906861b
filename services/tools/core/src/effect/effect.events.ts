// What can have happened to an effect. The fields `request`, `output`, `failure` and `unusable` are payload; all others steer.
import type { Failure, Instant, Json } from '@weft/kernel';

/**
 * What repeating does: nothing is changed at all; the receiver recognises the idempotency key (or the method is
 * idempotent by itself); or it would be done twice.
 */
export type EffectClass = 'read' | 'idempotent-write' | 'non-idempotent-write';

/** Classes that the ledger keeps: reads write no row. */
export type WriteClass = Exclude<EffectClass, 'read'>;

/** What a dispatch says about the effect that it is about to do. */
export interface Dispatched {
  /** Names this one sending: whoever recorded it may send, nobody else. */
  readonly token: string;
  readonly effect: WriteClass;
  /** Whether the tool declares a hook that tells afterwards if the effect happened. */
  readonly reconcilable: boolean;
  /** From the dispatch to the moment after which the attempt is no longer running, milliseconds. */
  readonly timeoutMs: number;
}

/** Which effect it is: one running of a task, and what carries it out. */
export interface EffectSubject {
  readonly executionId: string;
  /** JSON Pointer of the task. */
  readonly pointer: string;
  /** Iteration path; empty outside loops. */
  readonly iteration: string;
  readonly generation: number;
  /** Name of the tool; `call:http` for the standard's own call. */
  readonly tool: string;
}

export type EffectEvent =
  /** Intent and dispatch in one: it is recorded before the first byte is sent. */
  | ({ readonly type: 'EffectDispatched'; readonly at: Instant; readonly attempt: number; readonly subject: EffectSubject; readonly request: Json } & Dispatched)
  | {
      readonly type: 'EffectConfirmed';
      readonly at: Instant;
      readonly by: 'answer' | 'reconcile' | 'person';
      readonly person?: string;
      readonly output: Json;
      /** It happened, but its answer cannot be used: why. */
      readonly unusable?: Failure;
    }
  /** Known not to have happened. */
  | { readonly type: 'EffectFailed'; readonly at: Instant; readonly by: 'answer' | 'reconcile' | 'person'; readonly person?: string; readonly failure: Failure }
  /** It may have happened. */
  | { readonly type: 'AnswerLost'; readonly at: Instant; readonly failure: Failure };
