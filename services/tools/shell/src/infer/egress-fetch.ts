// `fetch` over the egress client, for a library that brings its own protocol but must not bring its own way out.
import type { EgressClient, EgressResult } from '../egress/egress-client.js';
import type { Sender } from '../egress/egress-policy.js';

/** A `fetch` and what its last request came to: libraries wrap failures, the original tells more. */
export interface ObservedFetch {
  readonly fetch: typeof globalThis.fetch;
  readonly last: () => EgressResult | undefined;
}

/** Bodies are texts or bytes; answers are read whole before they are handed over. */
export function egressFetch(egress: EgressClient, sender: Sender, timeoutMs: number): ObservedFetch {
  let last: EgressResult | undefined;
  const fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const { body } = init;
    if (body !== undefined && body !== null && typeof body !== 'string' && !(body instanceof Uint8Array)) throw new TypeError('Expected a body of text or bytes but got another kind.');
    const result = await egress.send({
      method: init.method ?? 'GET',
      url: input instanceof Request ? input.url : String(input),
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(body === undefined || body === null ? {} : { body }),
      sender,
      timeoutMs,
      mayRepeat: true,
      ...(init.signal ? { signal: init.signal } : {}),
    });
    last = result;
    if (result.kind !== 'answered') throw new TypeError(result.message);
    // These statuses may not carry a body.
    const hasBody = result.status !== 204 && result.status !== 205 && result.status !== 304 && result.status >= 200;
    return new Response(hasBody ? new Uint8Array(result.body) : null, { status: Math.max(200, result.status), headers: result.headers });
  };
  return { fetch, last: () => last };
}
