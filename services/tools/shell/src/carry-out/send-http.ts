// One sending of an HTTP job and what it tells.
import { classifyHttp, retryAfterMs, type HttpExchange, type HttpOutcome } from '@weft/tools/core';
import type { EgressClient, EgressResult } from '../egress/egress-client.js';
import type { Gate } from './gate.js';
import type { HttpWork, ReadAnswer } from './http-job.js';

export interface Sending {
  readonly egress: EgressClient;
  /** Bounds what is on its way at once. */
  readonly gate: Gate;
}

export type Sent = { readonly outcome: HttpOutcome; readonly answer?: ReadAnswer; readonly status?: number };

/** Sends once. `untilMs`: monotonic instant after which nothing may be on its way; it began before the dispatch was recorded. */
export async function sendHttp({ egress }: Pick<Sending, 'egress'>, work: HttpWork, untilMs: number, headers: { readonly [name: string]: string } = work.headers): Promise<Sent> {
  const { request, effect, sender } = work;
  const result = await egress.send({
    method: request.method,
    url: request.url,
    headers,
    ...(request.body === undefined ? {} : { body: request.body }),
    sender,
    timeoutMs: Math.floor(untilMs - performance.now()),
    mayRepeat: effect !== 'non-idempotent-write',
  });
  const outcome = classifyHttp(effect, exchangeOf(result), work.isRedirectSuccess);
  if (result.kind !== 'answered') return { outcome };
  return { outcome, status: result.status, ...(outcome.kind === 'confirmed' ? { answer: work.read(result) } : {}) };
}

/** What of a result matters for its classification. */
export function exchangeOf(result: EgressResult): HttpExchange {
  if (result.kind !== 'answered') return result;
  const waitMs = retryAfterMs(result.headers['retry-after'], Date.now());
  return { kind: 'answered', status: result.status, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) };
}
