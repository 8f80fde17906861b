// The one way out: every request of tools, `call: http` and models goes through here.
import http from 'node:http';
import https from 'node:https';
import net, { isIP, isIPv6, type LookupFunction } from 'node:net';
import tls from 'node:tls';
import type { HttpExchange } from '@weft/tools/core';
import { AddressDenied, BodyCut, openExchange, type OpenAnswer, type Opening } from './egress-exchange.js';
import type { EgressPolicy, Sender } from './egress-policy.js';
import { nameLookup, type NameLookup } from './name-lookup.js';
import { nextHop, REDIRECTS_MAX, type Hop } from './redirect.js';

/** Bytes of one answer's body that are read; the rest is cut off. */
export const ANSWER_BYTES_MAX = 1024 * 1024;
/** Bytes of one streamed body, default. */
export const STREAM_BYTES_MAX = 16 * 1024 * 1024;

export interface EgressRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body?: string | Uint8Array;
  readonly sender: Sender;
  /** For connecting, sending and receiving together, milliseconds; <= 0: too late to send. */
  readonly timeoutMs: number;
  /**
   * The receiver may get it twice: then kept-alive connections are used, and one that turns out closed is replaced once.
   * Otherwise it goes over a connection of its own, so that a refused connection is known as such.
   */
  readonly mayRepeat: boolean;
  /** Redirects that are followed, 0 to `REDIRECTS_MAX`; each is judged like a request of its own. Default 0: a redirect is an answer. */
  readonly redirectsMax?: number;
  readonly signal?: AbortSignal;
}

export interface EgressAnswer {
  readonly kind: 'answered';
  readonly status: number;
  /** Lower-case names; repeated headers joined by a comma. */
  readonly headers: { readonly [name: string]: string };
  readonly body: Buffer;
  /** The body was longer than `ANSWER_BYTES_MAX`. */
  readonly isTooLong: boolean;
}

/** An answer whose body is still under way. */
export interface EgressStream extends Omit<OpenAnswer, 'kind' | 'pieces'> {
  readonly kind: 'streaming';
  /** To be read once; leaving it early ends the connection. @throws BodyCut when it ends before its end, or is longer than `bytesMax`. */
  readonly body: AsyncIterable<Buffer>;
}

export interface EgressStreamRequest extends EgressRequest {
  /** Longest silence before a piece of the body, milliseconds. Default: only `timeoutMs` counts. */
  readonly stallMs?: number;
  /** Bytes of the body. Default `STREAM_BYTES_MAX`. */
  readonly bytesMax?: number;
}

/** Why there is no answer. */
export type EgressFailure = Exclude<HttpExchange, { kind: 'answered' }>;
/** An answer, or why there is none. */
export type EgressResult = EgressAnswer | EgressFailure;

/** Sends requests where the policy lets them go. The address is checked when the connection is made, so that a name cannot change in between. */
export class EgressClient {
  // Connections to listed origins may go to private addresses: nobody else is handed one of them.
  readonly #listed = agents();
  readonly #public = agents();

  constructor(
    private readonly policy: EgressPolicy,
    private readonly lookup: NameLookup = nameLookup([]),
  ) {}

  /** Sends and reads the whole answer. Never rejects: what goes wrong is a result. */
  async send(request: EgressRequest): Promise<EgressResult> {
    const opening = await this.#open(request);
    return opening.kind === 'open' ? readWhole(opening) : opening;
  }

  /** Sends and hands over the answer as soon as its head is there, whatever its status. Never rejects; `timeoutMs` and the signal go on to bound the body. */
  async stream(request: EgressStreamRequest): Promise<EgressStream | EgressFailure> {
    const opening = await this.#open(request);
    if (opening.kind !== 'open') return opening;
    const { status, headers, pieces, discard } = opening;
    return { kind: 'streaming', status, headers, discard, body: bounded(pieces, request.bytesMax ?? STREAM_BYTES_MAX) };
  }

  /** The addresses that a connection of another protocol may go to, all of them checked: it must go to one of these, by its number. Never rejects. */
  async addressesOf(origin: string, sender: Sender): Promise<{ readonly ok: true; readonly addresses: readonly string[] } | { readonly ok: false; readonly message: string }> {
    const passage = this.policy.passage(origin, sender);
    if (!passage.ok) return { ok: false, message: passage.denial.message };
    const host = passage.url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0) return { ok: true, addresses: [host] };
    try {
      const found = await this.lookup(host);
      const denial = found.map(({ address }) => this.policy.addressDenial(address, passage.url, passage.isListed)).find((one) => one !== undefined);
      if (denial) return { ok: false, message: denial.message };
      return found.length > 0 ? { ok: true, addresses: found.map(({ address }) => address) } : { ok: false, message: `Expected ${host} to have an address but it has none.` };
    } catch (error) {
      return { ok: false, message: `Expected ${host} to have an address but ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}.` };
    }
  }

  /**
   * A connection of another protocol to one place, at once as its client wants it: judged as a request to `http://host:port` is, or under TLS to
   * `https://host:port`; its addresses are checked when it is made. Where it may not go the socket ends with the denial.
   */
  connect({ host, port, isSecure }: { readonly host: string; readonly port: number; readonly isSecure: boolean }, sender: Sender, onConnect: () => void): net.Socket {
    const passage = this.policy.passage(`${isSecure ? 'https' : 'http'}://${isIPv6(host) ? `[${host}]` : host}:${port}`, sender);
    if (!passage.ok) return new net.Socket().destroy(new AddressDenied(passage.denial.message));
    // To the name that was judged: a broker may call itself something that is read in two ways.
    const name = passage.url.hostname.replace(/^\[|\]$/g, '');
    const options = { host: name, port, lookup: this.#checkedLookup(passage.url, passage.isListed) };
    if (!isSecure) return net.connect(options, onConnect);
    return tls.connect({ ...options, rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(isIP(name) === 0 ? { servername: name } : {}) }, onConnect);
  }

  close(): void {
    for (const agent of [...Object.values(this.#listed), ...Object.values(this.#public)]) agent.destroy();
  }

  async #open(request: EgressStreamRequest): Promise<OpenAnswer | EgressFailure> {
    const untilMs = performance.now() + request.timeoutMs;
    let left = Math.min(request.redirectsMax ?? 0, REDIRECTS_MAX);
    let hop: Hop = request;
    let from: URL | undefined;
    for (;;) {
      const passage = this.policy.passage(hop.url, request.sender, from);
      if (!passage.ok) {
        const { code, message } = passage.denial;
        return { kind: 'notSent', code: code === 'denied' ? 'denied' : 'input-invalid', message, retryable: false };
      }
      const timeoutMs = from === undefined ? request.timeoutMs : Math.floor(untilMs - performance.now());
      if (timeoutMs <= 0 || request.signal?.aborted) return { kind: 'notSent', code: 'timeout', message: 'Expected to send before the deadline but it has passed.', retryable: true };
      const opening = await this.#sent({ ...request, ...hop, timeoutMs }, passage.url, passage.isListed);
      const next = left > 0 && opening.kind === 'open' ? nextHop(hop, opening.status, opening.headers['location']) : undefined;
      if (opening.kind !== 'open' || next === undefined) return opening;
      opening.discard();
      left -= 1;
      from = passage.url;
      hop = next;
    }
  }

  async #sent(request: EgressStreamRequest, url: URL, isListed: boolean): Promise<Opening> {
    const untilMs = performance.now() + request.timeoutMs;
    const opening = await this.#exchange(request, url, isListed, request.mayRepeat);
    if (opening.kind === 'open' || !opening.isStale) return opening;
    const timeoutMs = Math.floor(untilMs - performance.now());
    if (timeoutMs <= 0) return opening;
    const second = await this.#exchange({ ...request, timeoutMs }, url, isListed, false);
    // The receiver may have got the first one and only kept its answer to itself: that the second was not sent proves nothing.
    return second.kind === 'notSent' ? opening : second;
  }

  #exchange(request: EgressStreamRequest, url: URL, isListed: boolean, isPooled: boolean): Promise<Opening> {
    const { method, headers, body, timeoutMs, stallMs, signal } = request;
    return openExchange({
      method,
      url,
      headers,
      lookup: this.#checkedLookup(url, isListed),
      timeoutMs,
      ...(body === undefined ? {} : { body }),
      ...(isPooled ? { pool: (isListed ? this.#listed : this.#public)[url.protocol as 'http:' | 'https:'] } : {}),
      ...(stallMs === undefined ? {} : { stallMs }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Every address that the name has must pass: one forbidden address among several is a rebinding attempt, not a choice. The connection goes to what was checked. */
  #checkedLookup(url: URL, isListed: boolean): LookupFunction {
    return (hostname, options, callback) => {
      this.lookup(hostname).then(
        (found) => {
          const denial = found.map(({ address }) => this.policy.addressDenial(address, url, isListed)).find((one) => one !== undefined);
          const [first] = found;
          if (denial || !first) return callback(new AddressDenied(denial?.message ?? `Expected ${hostname} to have an address but it has none.`), '', 4);
          if (options.all) return callback(null, [...found]);
          callback(null, first.address, first.family);
        },
        (error: NodeJS.ErrnoException) => callback(error, '', 4),
      );
    };
  }
}

function agents(): { readonly 'http:': http.Agent; readonly 'https:': https.Agent } {
  const options = { keepAlive: true, maxSockets: 256, maxFreeSockets: 32 };
  return { 'http:': new http.Agent(options), 'https:': new https.Agent(options) };
}

async function readWhole({ status, headers, pieces }: OpenAnswer): Promise<EgressResult> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const answered = (isTooLong: boolean): EgressAnswer => ({ kind: 'answered', status, headers, body: Buffer.concat(chunks), isTooLong });
  try {
    for await (const piece of pieces) {
      bytes += piece.length;
      // The status says what happened; the rest of the body would only fill memory.
      if (bytes > ANSWER_BYTES_MAX) return answered(true);
      chunks.push(piece);
    }
    return answered(false);
  } catch (error) {
    if (!(error instanceof BodyCut)) throw error;
    return { kind: 'lost', reason: error.reason === 'timeout' || error.reason === 'stall' ? 'timeout' : 'cut', message: error.message };
  }
}

async function* bounded(pieces: AsyncIterable<Buffer>, bytesMax: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > bytesMax) throw new BodyCut('size', `Expected an answer of at most ${bytesMax} bytes but it is longer.`);
    yield piece;
  }
}
