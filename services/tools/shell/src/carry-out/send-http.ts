// One sending over HTTP and what it tells.
import { classifyHttp, retryAfterMs, type EffectClass, type HttpExchange, type HttpRequest } from '@weft/tools/core';
import type { EgressAnswer, EgressClient, EgressResult } from '../egress/egress-client.js';
import type { Sender } from '../egress/egress-policy.js';
import type { ReadAnswer, Sending, Sent } from './work.js';

/** A request with its secrets filled in, and what its answer means. */
export interface HttpExchanging {
  readonly effect: EffectClass;
  readonly request: HttpRequest;
  readonly headers: { readonly [name: string]: string };
  readonly sender: Sender;
  readonly isRedirectSuccess: boolean;
  /** That are followed. */
  readonly redirectsMax: number;
  readonly read: (answer: EgressAnswer) => ReadAnswer;
}

export async function sendHttp(
  egress: EgressClient,
  { request, effect, headers, sender, isRedirectSuccess, redirectsMax, read }: HttpExchanging,
  { untilMs, traceparent, signal }: Sending,
): Promise<Sent> {
  const result = await egress.send({
    method: request.method,
    url: request.url,
    headers: traceparent === '' ? headers : { ...headers, traceparent },
    ...(request.body === undefined ? {} : { body: request.body }),
    sender,
    timeoutMs: Math.floor(untilMs - performance.now()),
    mayRepeat: effect !== 'non-idempotent-write',
    redirectsMax,
    ...(signal === undefined ? {} : { signal }),
  });
  const outcome = classifyHttp(effect, exchangeOf(result), isRedirectSuccess);
  if (result.kind !== 'answered') return { outcome };
  return { outcome, evidence: { status: result.status }, ...(outcome.kind === 'confirmed' ? { answer: read(result) } : {}) };
}

/** What of a result matters for its classification. */
export function exchangeOf(result: EgressResult): HttpExchange {
  if (result.kind !== 'answered') return result;
  const waitMs = retryAfterMs(result.headers['retry-after'], Date.now());
  return { kind: 'answered', status: result.status, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) };
}
