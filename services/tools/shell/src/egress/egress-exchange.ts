// One request over one connection: opened until its head is there, then read piece by piece.
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { HttpExchange } from '@weft/tools/core';

/** Bytes of an answer's head that are taken; a longer one ends the connection. */
export const HEAD_BYTES_MAX = 16 * 1024;

/** The connection was not made because of the address that it would have gone to. */
export class AddressDenied extends Error {}

/** Why the body of an answer ended before its end. `timeout`: the deadline; `stall`: nothing came for `stallMs`; `size`: longer than allowed; `cut`: the connection ended. */
export class BodyCut extends Error {
  constructor(
    readonly reason: 'timeout' | 'stall' | 'size' | 'cut',
    message: string,
  ) {
    super(message);
  }
}

export interface ExchangeOptions {
  readonly method: string;
  readonly url: URL;
  readonly headers: { readonly [name: string]: string };
  readonly body?: string | Uint8Array;
  readonly lookup: LookupFunction;
  /** Undefined: a connection of its own. */
  readonly pool?: http.Agent;
  /** From now to the last byte of the body, milliseconds. */
  readonly timeoutMs: number;
  /** Longest silence before a piece of the body, milliseconds. Default: only `timeoutMs` counts. */
  readonly stallMs?: number;
  readonly signal?: AbortSignal;
}

/** The head of an answer, its body still under way. */
export interface OpenAnswer {
  readonly kind: 'open';
  readonly status: number;
  /** Lower-case names; repeated headers joined by a comma. */
  readonly headers: { readonly [name: string]: string };
  /** To be read once; leaving it early ends the connection. @throws BodyCut */
  readonly pieces: AsyncIterable<Buffer>;
  /** Ends the connection without reading the body. */
  readonly discard: () => void;
}

/** `isStale`: the kept-alive connection was closed before a byte of the answer came. */
export type Opening = OpenAnswer | (Exclude<HttpExchange, { kind: 'answered' }> & { readonly isStale: boolean });

/** Sends one request and waits for the head of its answer. Never rejects. */
export function openExchange(options: ExchangeOptions): Promise<Opening> {
  return new Promise((settle) => {
    const { url, timeoutMs, signal } = options;
    const { origin } = url;
    const isSecure = url.protocol === 'https:';
    let isConnected = false;
    let isLate = false;
    let outgoing: http.ClientRequest;
    let incoming: http.IncomingMessage | undefined;
    const late = (): void => {
      isLate = true;
      // After the head the connection may have gone back to the pool: it is the answer that ends.
      (incoming ?? outgoing).destroy(new Error('deadline'));
    };
    const timer = setTimeout(late, timeoutMs);
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', late);
    };
    try {
      outgoing = (isSecure ? https : http).request(url, {
        method: options.method,
        headers: { 'accept-encoding': 'identity', 'user-agent': 'weft', ...options.headers, ...(options.body === undefined ? {} : { 'content-length': Buffer.byteLength(options.body) }) },
        lookup: options.lookup,
        agent: options.pool ?? false,
        maxHeaderSize: HEAD_BYTES_MAX,
        // Neither is for the environment of the process to loosen.
        insecureHTTPParser: false,
        ...(isSecure ? { rejectUnauthorized: true, minVersion: 'TLSv1.2' } : {}),
      });
    } catch (error) {
      end();
      return settle({ kind: 'notSent', code: 'input-invalid', message: `Expected a request that can be sent but ${(error as Error).message}.`, retryable: false, isStale: false });
    }
    signal?.addEventListener('abort', late, { once: true });
    outgoing.on('socket', (socket) => {
      if (!socket.connecting) isConnected = true;
      else socket.once(isSecure ? 'secureConnect' : 'connect', () => (isConnected = true));
    });
    outgoing.on('error', (error) => {
      end();
      // After the head the body says what went wrong.
      if (incoming) return;
      const isStale = options.pool !== undefined && outgoing.reusedSocket && !isLate;
      settle({ ...(isConnected ? lost(error, isLate, origin, timeoutMs) : notSent(error, isLate, origin, timeoutMs)), isStale });
    });
    outgoing.on('response', (answer) => {
      incoming = answer;
      // Nobody may be reading when it is cut.
      answer.on('error', () => undefined);
      answer.on('close', end);
      const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]));
      const pieces = bodyPieces(answer, { origin, timeoutMs, ...(options.stallMs === undefined ? {} : { stallMs: options.stallMs }), isLate: () => isLate });
      settle({ kind: 'open', status: answer.statusCode ?? 0, headers, pieces, discard: () => void answer.destroy() });
    });
    outgoing.end(options.body);
  });
}

interface BodyLimits {
  readonly origin: string;
  readonly timeoutMs: number;
  readonly stallMs?: number;
  readonly isLate: () => boolean;
}

async function* bodyPieces(answer: http.IncomingMessage, { origin, timeoutMs, stallMs, isLate }: BodyLimits): AsyncGenerator<Buffer> {
  let isStalled = false;
  const stalled = (): void => {
    isStalled = true;
    answer.destroy(new Error('stall'));
  };
  let timer = stallMs === undefined ? undefined : setTimeout(stalled, stallMs);
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      clearTimeout(timer);
      yield piece;
      // While the reader is busy nobody waits for the sender.
      if (stallMs !== undefined) timer = setTimeout(stalled, stallMs);
    }
  } catch (error) {
    if (isLate()) throw new BodyCut('timeout', `Expected the whole answer of ${origin} within ${timeoutMs} ms but it had not come.`);
    if (isStalled) throw new BodyCut('stall', `Expected the answer of ${origin} to go on but nothing came for ${stallMs} ms.`);
    throw new BodyCut('cut', `Expected an answer of ${origin} but the connection ended: ${(error as Error).message}.`);
  } finally {
    clearTimeout(timer);
  }
}

function lost(error: Error, isLate: boolean, origin: string, timeoutMs: number): Extract<HttpExchange, { kind: 'lost' }> {
  if (isLate) return { kind: 'lost', reason: 'timeout', message: `Expected an answer of ${origin} within ${timeoutMs} ms but none came.` };
  return { kind: 'lost', reason: 'cut', message: `Expected an answer of ${origin} but the connection ended: ${error.message}.` };
}

function notSent(error: Error & { code?: string }, isLate: boolean, origin: string, timeoutMs: number): Extract<HttpExchange, { kind: 'notSent' }> {
  if (error instanceof AddressDenied) return { kind: 'notSent', code: 'denied', message: error.message, retryable: false };
  if (isLate) return { kind: 'notSent', code: 'timeout', message: `Expected a connection to ${origin} within ${timeoutMs} ms but there was none.`, retryable: true };
  return { kind: 'notSent', code: 'unreachable', message: `Expected a connection to ${origin} but got ${error.code ?? error.message}.`, retryable: true };
}
