// `fetch` over the egress client, for a library that brings its own protocol but must not bring its own way out.
import type { EgressClient, EgressFailure } from '../egress/egress-client.js';
import type { Sender } from '../egress/egress-policy.js';

/** What the last request came to: libraries wrap failures, the original tells more. */
export type Observed = EgressFailure | { readonly kind: 'answered'; readonly status: number; readonly headers: { readonly [name: string]: string }; readonly body: string };

/** A `fetch` and what its last request came to. */
export interface ObservedFetch {
  readonly fetch: typeof globalThis.fetch;
  readonly last: () => Observed | undefined;
}

export interface FetchLimits {
  /** For everything together, milliseconds. */
  readonly timeoutMs: number;
  /** Longest silence within a body that streams, milliseconds; absent: bodies are read whole before they are handed over. */
  readonly stallMs?: number;
}

/** Bodies are texts or bytes. */
export function egressFetch(egress: EgressClient, sender: Sender, { timeoutMs, stallMs }: FetchLimits): ObservedFetch {
  let last: Observed | undefined;
  const fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const { body } = init;
    if (body !== undefined && body !== null && typeof body !== 'string' && !(body instanceof Uint8Array)) throw new TypeError('Expected a body of text or bytes but got another kind.');
    const request = {
      method: init.method ?? 'GET',
      url: input instanceof Request ? input.url : String(input),
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(body === undefined || body === null ? {} : { body }),
      sender,
      timeoutMs,
      mayRepeat: true,
      ...(init.signal ? { signal: init.signal } : {}),
    };
    const result = await (stallMs === undefined ? egress.send(request) : egress.stream({ ...request, stallMs }));
    if (result.kind !== 'answered' && result.kind !== 'streaming') {
      last = result;
      throw new TypeError(result.message);
    }
    const { status, headers } = result;
    last = { kind: 'answered', status, headers, body: result.kind === 'answered' ? result.body.toString('utf8') : '' };
    // These statuses may not carry a body.
    const hasBody = status !== 204 && status !== 205 && status !== 304 && status >= 200;
    const content = !hasBody ? null : result.kind === 'answered' ? new Uint8Array(result.body) : ReadableStream.from(result.body as AsyncIterable<Uint8Array>);
    return new Response(content as ConstructorParameters<typeof Response>[0], { status: Math.max(200, status), headers });
  };
  return { fetch: fetch as typeof globalThis.fetch, last: () => last };
}
