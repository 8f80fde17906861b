// What PostgreSQL and its driver answer when something goes wrong, as the pipeline knows it.
import { Fault } from '@weft/pipeline';
import pg from 'pg';

/** SQLSTATE of an error that the server answered with; undefined when the answer did not come from the server. */
export function stateOf(fault: unknown): string | undefined {
  return fault instanceof pg.DatabaseError ? fault.code : undefined;
}

/**
 * Whether the server said for certain that nothing was committed. A broken connection says nothing, and neither does a session
 * that the server ended (FATAL): the end may have come between the commit and the answer.
 */
export function isRefusedByServer(fault: unknown): boolean {
  return fault instanceof pg.DatabaseError && fault.severity === 'ERROR' && !/^(08|57P)/.test(fault.code ?? '');
}

// Connection lost; server stopped or statement cancelled; out of resources; I/O error; rolled back (serialization, deadlock); lock not
// available; a stand-by that was the primary until now.
const RETRYABLE = /^(08|57|53|58030|40|55P03|25006)/;

/** The fault as the pipeline knows it. Without an answer of the server it was not reached: retryable, unless the call itself was wrong. */
export function faultOf(fault: unknown): Fault {
  if (fault instanceof Fault) return fault;
  const state = stateOf(fault);
  const message = fault instanceof Error ? fault.message : String(fault);
  const retryable = state === undefined ? !(fault instanceof TypeError || fault instanceof RangeError) : RETRYABLE.test(state);
  return new Fault(`the store did not do what was asked: ${message}${state ? ` (${state})` : ''}`, retryable, { cause: fault });
}
