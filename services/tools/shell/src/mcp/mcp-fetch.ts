// `fetch` for MCP over HTTP: through the egress client, with what its requests came to.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { EgressClient, EgressFailure } from '../egress/egress-client.js';
import type { Sender } from '../egress/egress-policy.js';

/** What the requests of one call may do, and what they came to. */
export interface CallWatch {
  /** The receiver may get the call twice. */
  readonly mayRepeat: boolean;
  /** Aborted when the call is to end early. */
  readonly signal?: AbortSignal | undefined;
  /** Monotonic instant after which nothing may be on its way. */
  readonly untilMs: number;
  /** End what of the answers is still open: nothing of a call outlives it. */
  readonly discards: (() => void)[];
  /** What the request that carries the call came to; undefined: none was made. Requests about it (its rest, that nobody waits) tell nothing of the effect. */
  exchange?: EgressFailure | { readonly kind: 'answered'; readonly status: number; readonly retryAfter?: string };
}

/** The call that a request belongs to. */
export const callWatch = new AsyncLocalStorage<CallWatch>();

// Handshakes and pages of lists, of which one list has 64 at most.
const UNWATCHED_MS = 60_000;
const UNWATCHED_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Standing streams (GET without a `last-event-id`) are answered with 405, as a server without them does: changes of tools are found by looking.
 * Headers of the operator go on every request; nothing of a job's caller does.
 */
export function mcpFetch(egress: EgressClient, sender: Sender, headersOf: () => { readonly [name: string]: string }): typeof globalThis.fetch {
  return async (input, init = {}) => {
    const url = input instanceof Request ? input.url : String(input);
    const { body, method = 'GET' } = init;
    const headers = Object.fromEntries(new Headers(init.headers));
    if (method === 'GET' && headers['last-event-id'] === undefined) return new Response(null, { status: 405 });
    if (body !== undefined && body !== null && typeof body !== 'string') throw new TypeError('Expected a body of text but got another kind.');
    const watch = callWatch.getStore();
    const signals = [init.signal, watch?.signal].filter((signal) => signal !== undefined && signal !== null);
    const result = await egress.stream({
      method,
      url,
      headers: { ...headers, ...headersOf() },
      ...(body === undefined || body === null ? {} : { body }),
      sender,
      timeoutMs: watch ? Math.floor(watch.untilMs - performance.now()) : UNWATCHED_MS,
      mayRepeat: watch?.mayRepeat ?? true,
      ...(watch ? {} : { bytesMax: UNWATCHED_BYTES_MAX }),
      ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
    });
    const isCall = watch !== undefined && method === 'POST' && carriesCall(body);
    if (result.kind !== 'streaming') {
      if (isCall) watch.exchange = result;
      throw new TypeError(result.message);
    }
    const { status, body: pieces, discard } = result;
    watch?.discards.push(discard);
    const retryAfter = result.headers['retry-after'];
    if (isCall) watch.exchange = { kind: 'answered', status, ...(retryAfter === undefined ? {} : { retryAfter }) };
    // These statuses may not carry a body.
    const hasBody = status !== 204 && status !== 205 && status !== 304 && status >= 200;
    if (!hasBody) discard();
    return new Response(hasBody ? (ReadableStream.from(pieces) as unknown as ReadableStream<Uint8Array>) : null, { status: Math.max(200, status), headers: result.headers });
  };
}

/** Whether a message asks for a tool to be run. */
function carriesCall(body: string | null | undefined): boolean {
  return typeof body === 'string' && (JSON.parse(body) as { readonly method?: unknown }).method === 'tools/call';
}
