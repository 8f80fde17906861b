// What an HTTP exchange tells about the effect behind it.
import { rejection } from '@weft/kernel';
import type { EffectClass } from '../effect/effect.events.js';
import type { EffectOutcome } from './effect-outcome.js';

/** What came of a request. */
export type HttpExchange =
  /** A whole answer, or one that was cut off after its status because it was too long. */
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfterMs?: number }
  /** No byte of the request left: refused connection, no such host, forbidden address. */
  | { readonly kind: 'notSent'; readonly code: 'unreachable' | 'denied' | 'timeout' | 'input-invalid' | 'not-configured'; readonly message: string; readonly retryable: boolean }
  /** Sent, in part or whole, and no answer: the receiver may have acted. */
  | { readonly kind: 'lost'; readonly reason: 'timeout' | 'cut'; readonly message: string };

// Statuses of a server that did not take the request up, and says that it may come again.
const AGAIN = new Set([408, 425, 429]);

/**
 * Classifies an exchange.
 *
 * | exchange | outcome |
 * |---|---|
 * | 2xx (3xx where redirects count as success) | confirmed |
 * | 302 and 303 to a non-idempotent write | unknown: many servers answer so when they have done it |
 * | other 3xx, 4xx | failed; 408, 425, 429 retryable, with Retry-After |
 * | 501, 505 | failed: the server does not know the method |
 * | 503 with Retry-After | failed, retryable: the server declined before acting (RFC 9110, 15.6.4) |
 * | other 5xx, lost answer | unknown for writes; reads fail, retryable: repeating a read changes nothing |
 * | nothing was sent | failed |
 */
export function classifyHttp(effect: EffectClass, exchange: HttpExchange, isRedirectSuccess = false): EffectOutcome {
  switch (exchange.kind) {
    case 'notSent':
      return { kind: 'failed', failure: rejection(exchange.code, exchange.message, { retryable: exchange.retryable }) };
    case 'lost': {
      const code = effect === 'read' ? (exchange.reason === 'timeout' ? 'timeout' : 'unreachable') : 'effect-unknown';
      return { kind: effect === 'read' ? 'failed' : 'unknown', failure: rejection(code, exchange.message, { retryable: true }) };
    }
    case 'answered':
      return ofStatus(effect, exchange.status, exchange.retryAfterMs, isRedirectSuccess);
  }
}

function ofStatus(effect: EffectClass, status: number, retryAfterMs: number | undefined, isRedirectSuccess: boolean): EffectOutcome {
  if (status >= 200 && status < (isRedirectSuccess ? 400 : 300)) return { kind: 'confirmed' };
  const mayBeDone = effect === 'non-idempotent-write' && (status === 302 || status === 303);
  const isDeclined = (status < 500 && !mayBeDone) || status === 501 || status === 505 || (status === 503 && retryAfterMs !== undefined);
  const retryable = AGAIN.has(status) || (status >= 500 && status !== 501 && status !== 505);
  const isUnknown = !isDeclined && effect !== 'read';
  const failure = rejection(
    isUnknown ? 'effect-unknown' : 'http-status',
    `Expected an HTTP status from 200 to ${isRedirectSuccess ? 399 : 299} but got ${status}${isUnknown ? ': the effect may have happened' : ''}.`,
    { retryable, details: { status }, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  );
  return { kind: isUnknown ? 'unknown' : 'failed', failure };
}

/** Longest wait that a Retry-After is taken for: one hour. */
export const RETRY_AFTER_MAX_MS = 3_600_000;

/** A Retry-After header as milliseconds from now: seconds or an HTTP date. Undefined when absent or malformed. Source: RFC 9110, 10.2.3. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const waitMs = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(waitMs) ? Math.min(Math.max(0, waitMs), RETRY_AFTER_MAX_MS) : undefined;
}
