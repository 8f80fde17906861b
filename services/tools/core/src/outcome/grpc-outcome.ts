// What the status of a gRPC call tells about the effect behind it. Source: gRPC status codes (grpc/grpc, doc/statuscodes.md).
import { rejection } from '@weft/kernel';
import type { EffectClass } from '../effect/effect.events.js';
import type { EffectOutcome } from './effect-outcome.js';

const NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];
/** Name of a status code. */
export const grpcStatusName = (code: number): string => NAMES[code] ?? `status ${code}`;

// The service itself says that it has not done it; no library on the way makes these up about a call that was carried out.
const REFUSED = new Set([3, 5, 6, 7, 9, 11, 12, 16]);
// A service says it before acting, as a rule; but so does a library about an answer that was too long.
const MOSTLY_REFUSED = new Set([8, 10]);
const RETRYABLE = new Set([1, 2, 4, 8, 10, 13, 14]);

/**
 * Classifies the status of a call that was sent, other than OK.
 *
 * | status | outcome |
 * |---|---|
 * | INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED, UNAUTHENTICATED | failed |
 * | RESOURCE_EXHAUSTED, ABORTED | failed where the operator declares `onError: failed`, else unknown for writes |
 * | all others, UNAVAILABLE and DEADLINE_EXCEEDED among them | unknown for writes; reads fail, retryable |
 */
export function classifyGrpc(effect: EffectClass, code: number, details: string, onError: 'failed' | 'unknown'): EffectOutcome {
  const name = grpcStatusName(code);
  const isKnown = REFUSED.has(code) || (onError === 'failed' && MOSTLY_REFUSED.has(code));
  const message = `Expected status OK but got ${name}: ${details.slice(0, 1_000)}`;
  const more = { retryable: RETRYABLE.has(code), details: { status: name } };
  if (isKnown || effect === 'read') return { kind: 'failed', failure: rejection(code === 4 ? 'timeout' : code === 14 ? 'unreachable' : 'tool-failed', message, more) };
  return { kind: 'unknown', failure: rejection('effect-unknown', `${message}. The effect may have happened.`, { ...more, retryable: true }) };
}
