// A call that a worker is to carry out, and what can come of it.
import type { WorkerCall, WorkerResult } from '@weft/contracts';

/** One sending of a job to whoever brings its tool. */
export interface OfferedCall {
  readonly id: string;
  readonly source: string;
  /** Without the name of its source. */
  readonly tool: string;
  /** Digest of the definition that was accepted: a worker that brings another one does not get the call. */
  readonly digest: string;
  /** What the worker is told, but for the time that is left. */
  readonly call: WorkerCall;
}

/**
 * - answered: the worker told.
 * - notTaken: no worker has seen it.
 * - lost: a worker had it and did not tell: it is gone, or it took too long.
 */
export type CallOutcome = { readonly kind: 'answered'; readonly result: WorkerResult } | { readonly kind: 'notTaken' } | { readonly kind: 'lost'; readonly reason: 'gone' | 'timeout' };
