import { describe, expect, it } from 'vitest';
import type { EffectClass } from '../effect/effect.events.js';
import { classifyHttp, retryAfterMs, type HttpExchange } from './http-outcome.js';

const status = (code: number, wait?: number): HttpExchange => ({ kind: 'answered', status: code, ...(wait === undefined ? {} : { retryAfterMs: wait }) });
const refused: HttpExchange = { kind: 'notSent', code: 'unreachable', message: 'refused', retryable: true };
const cut: HttpExchange = { kind: 'lost', reason: 'cut', message: 'cut' };
const late: HttpExchange = { kind: 'lost', reason: 'timeout', message: 'late' };

type Expected = 'confirmed' | 'failed' | 'failed, retryable' | 'unknown';
const TABLE: readonly (readonly [string, HttpExchange, read: Expected, write: Expected])[] = [
  ['200', status(200), 'confirmed', 'confirmed'],
  ['204', status(204), 'confirmed', 'confirmed'],
  ['301', status(301), 'failed', 'failed'],
  ['400', status(400), 'failed', 'failed'],
  ['404', status(404), 'failed', 'failed'],
  ['408', status(408), 'failed, retryable', 'failed, retryable'],
  ['425', status(425), 'failed, retryable', 'failed, retryable'],
  ['429 with Retry-After', status(429, 5000), 'failed, retryable', 'failed, retryable'],
  ['500', status(500), 'failed, retryable', 'unknown'],
  ['501', status(501), 'failed', 'failed'],
  ['502', status(502), 'failed, retryable', 'unknown'],
  ['503', status(503), 'failed, retryable', 'unknown'],
  ['503 with Retry-After', status(503, 1000), 'failed, retryable', 'failed, retryable'],
  ['504', status(504), 'failed, retryable', 'unknown'],
  ['a refused connection', refused, 'failed, retryable', 'failed, retryable'],
  ['a cut after sending', cut, 'failed, retryable', 'unknown'],
  ['a timeout after sending', late, 'failed, retryable', 'unknown'],
];

function seen(effect: EffectClass, exchange: HttpExchange): Expected {
  const outcome = classifyHttp(effect, exchange);
  if (outcome.kind !== 'failed') return outcome.kind;
  return outcome.failure.retryable ? 'failed, retryable' : 'failed';
}

describe('the outcome of an HTTP exchange', () => {
  it.each(TABLE)('%s: what a read and a write learn from it', (_what, exchange, read, write) => {
    expect(seen('read', exchange)).toBe(read);
    expect(seen('idempotent-write', exchange)).toBe(write);
    expect(seen('non-idempotent-write', exchange)).toBe(write);
  });

  it('keeps status and wait for the workflow', () => {
    expect(classifyHttp('read', status(429, 5000))).toMatchObject({ failure: { code: 'http-status', retryAfterMs: 5000, details: { status: 429 } } });
  });

  it.each([302, 303])('does not take %i for a write that was not done, where doing it again would matter', (code) => {
    expect(classifyHttp('non-idempotent-write', status(code))).toMatchObject({ kind: 'unknown', failure: { code: 'effect-unknown' } });
    expect(classifyHttp('idempotent-write', status(code)).kind).toBe('failed');
    expect(classifyHttp('read', status(code)).kind).toBe('failed');
  });

  it('counts 3xx as success only where the author says so', () => {
    expect(classifyHttp('read', status(304), true).kind).toBe('confirmed');
  });

  it('reads Retry-After as seconds and as a date, at most an hour', () => {
    const now = Date.UTC(2026, 0, 1);
    expect(retryAfterMs('2', now)).toBe(2000);
    expect(retryAfterMs('Thu, 01 Jan 2026 00:00:10 GMT', now)).toBe(10_000);
    expect(retryAfterMs('999999', now)).toBe(3_600_000);
    expect(retryAfterMs('soon', now)).toBeUndefined();
    expect(retryAfterMs(undefined, now)).toBeUndefined();
  });
});
