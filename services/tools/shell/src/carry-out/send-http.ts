// One sending over HTTP and what it tells.
import { classifyHttp, retryAfterMs, type EffectClass, type HttpExchange, type HttpRequest } from '@weft/tools/core';
import type { EgressAnswer, EgressClient, EgressResult } from '../egress/egress-client.js';
import type { Sender } from '../egress/egress-policy.js';
import type { Authorization } from '../authentication/authorization.js';
import type { AuthorizationDescriptor } from '../secret/deferred-arguments.js';
import { notMade, STOPPED, type ReadAnswer, type Sending, type Sent } from './work.js';

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

export async function sendHttp(egress: EgressClient, exchanging: HttpExchanging, sending: Sending): Promise<Sent> {
  return sentOf(exchanging, await exchange(egress, exchanging, sending));
}

/**
 * Sends with the headers that an authorization gives, and once more when the receiver asks for others: an answer 401 says that nothing was done.
 * @param exchangingFor the exchange for credentials; undefined: without any.
 */
export async function sendAuthorized(
  egress: EgressClient,
  authorization: Authorization,
  exchangingFor: (credentials: AuthorizationDescriptor | undefined) => HttpExchanging,
  sending: Sending,
): Promise<Sent> {
  const leftMs = (): number => Math.floor(sending.untilMs - performance.now());
  const first = await authorization.first(leftMs());
  if (!first.ok) return notMade(first.failure);
  const exchanging = exchangingFor(first.descriptor);
  const result = await exchange(egress, exchanging, sending);
  if (result.kind !== 'answered' || result.status !== 401) return sentOf(exchanging, result);
  const { method, url, body = '' } = exchanging.request;
  const { pathname, search } = new URL(url);
  const again = await authorization.again(result.headers['www-authenticate'], { method, target: `${pathname}${search}`, body }, leftMs());
  if (!again?.ok) return sentOf(exchanging, result);
  const second = exchangingFor(again.descriptor);
  return sentOf(second, await exchange(egress, second, sending));
}

async function exchange(egress: EgressClient, { request, effect, headers, sender, redirectsMax }: HttpExchanging, { untilMs, traceparent, signal, halted }: Sending): Promise<EgressResult> {
  // A token may have been waited for meanwhile.
  if (halted?.aborted) return { kind: 'notSent', code: 'timeout', message: STOPPED.message, retryable: true };
  return egress.send({
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
}

function sentOf({ effect, isRedirectSuccess, read }: HttpExchanging, result: EgressResult): Sent {
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
