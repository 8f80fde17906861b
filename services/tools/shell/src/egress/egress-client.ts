// The one way out: every request of tools, `call: http` and models goes through here.
import { lookup as resolve, type LookupAddress } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { HttpExchange } from '@weft/tools/core';
import type { EgressPolicy, Sender } from './egress-policy.js';

/** Bytes of one answer's body that are read; the rest is cut off. */
export const ANSWER_BYTES_MAX = 1024 * 1024;

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

/** An answer, or why there is none. Redirects are answers: they are never followed. */
export type EgressResult = EgressAnswer | Exclude<HttpExchange, { kind: 'answered' }>;

class AddressDenied extends Error {}

/** Sends requests where the policy lets them go. The address is checked when the connection is made, so that a name cannot change in between. */
export class EgressClient {
  // Connections to listed origins may go to private addresses: nobody else is handed one of them.
  readonly #listed = agents();
  readonly #public = agents();

  constructor(private readonly policy: EgressPolicy) {}

  /** Never rejects: what goes wrong is a result. */
  async send(request: EgressRequest): Promise<EgressResult> {
    const passage = this.policy.passage(request.url, request.sender);
    if (!passage.ok) {
      const { code, message } = passage.denial;
      return { kind: 'notSent', code: code === 'denied' ? 'denied' : 'input-invalid', message, retryable: false };
    }
    if (request.timeoutMs <= 0 || request.signal?.aborted) return { kind: 'notSent', code: 'timeout', message: 'Expected to send before the deadline but it has passed.', retryable: true };
    const { result, isStale } = await this.#exchange(request, passage.url, passage.isListed, request.mayRepeat);
    return isStale ? (await this.#exchange(request, passage.url, passage.isListed, false)).result : result;
  }

  close(): void {
    for (const agent of [...Object.values(this.#listed), ...Object.values(this.#public)]) agent.destroy();
  }

  /** `isStale`: the kept-alive connection was closed before a byte of the answer came. */
  #exchange(request: EgressRequest, url: URL, isListed: boolean, isPooled: boolean): Promise<{ readonly result: EgressResult; readonly isStale: boolean }> {
    return new Promise((settle) => {
      let isConnected = false;
      let isLate = false;
      const origin = `${url.protocol}//${url.host}`;
      const isSecure = url.protocol === 'https:';
      const lookup = this.#checkedLookup(isListed, origin);
      let outgoing: http.ClientRequest;
      const finish = (result: EgressResult, isStale = false): void => {
        clearTimeout(timer);
        request.signal?.removeEventListener('abort', late);
        settle({ result, isStale });
      };
      const late = (): void => {
        isLate = true;
        outgoing.destroy(new Error('deadline'));
      };
      const lost = (error: Error): EgressResult => {
        if (!isConnected) return notSent(error, isLate, origin, request.timeoutMs);
        if (isLate) return { kind: 'lost', reason: 'timeout', message: `Expected an answer of ${origin} within ${request.timeoutMs} ms but none came.` };
        return { kind: 'lost', reason: 'cut', message: `Expected an answer of ${origin} but the connection ended: ${error.message}.` };
      };
      const timer = setTimeout(late, request.timeoutMs);
      request.signal?.addEventListener('abort', late, { once: true });
      const options: https.RequestOptions = {
        method: request.method,
        headers: { 'accept-encoding': 'identity', 'user-agent': 'weft', ...request.headers, ...(request.body === undefined ? {} : { 'content-length': Buffer.byteLength(request.body) }) },
        lookup,
        agent: isPooled ? (isListed ? this.#listed : this.#public)[url.protocol as 'http:' | 'https:'] : false,
      };
      try {
        outgoing = (isSecure ? https : http).request(url, options);
      } catch (error) {
        return finish({ kind: 'notSent', code: 'input-invalid', message: `Expected a request that can be sent but ${(error as Error).message}.`, retryable: false });
      }
      outgoing.on('socket', (socket) => {
        if (!socket.connecting) isConnected = true;
        else socket.once(isSecure ? 'secureConnect' : 'connect', () => (isConnected = true));
      });
      let hasAnswer = false;
      outgoing.on('error', (error) => finish(lost(error), isPooled && outgoing.reusedSocket && !hasAnswer && !isLate));
      outgoing.on('response', (answer) => {
        hasAnswer = true;
        receive(answer, finish, lost);
      });
      outgoing.end(request.body);
    });
  }

  #checkedLookup(isListed: boolean, origin: string): LookupFunction {
    return (hostname, options, callback) => {
      resolve(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
        if (error) return callback(error, '', 4);
        const denial = found.map(({ address }) => this.policy.addressDenial(address, isListed, origin)).find((one) => one !== undefined);
        const [first] = found;
        // One forbidden address among several is a rebinding attempt, not a choice.
        if (denial || !first) return callback(new AddressDenied(denial?.message ?? 'no address'), '', 4);
        if (options.all) return callback(null, found);
        callback(null, first.address, first.family);
      });
    };
  }
}

function agents(): { readonly 'http:': http.Agent; readonly 'https:': https.Agent } {
  const options = { keepAlive: true, maxSockets: 256, maxFreeSockets: 32 };
  return { 'http:': new http.Agent(options), 'https:': new https.Agent(options) };
}

function receive(answer: http.IncomingMessage, finish: (result: EgressResult) => void, lost: (error: Error) => EgressResult): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const answered = (isTooLong: boolean): void =>
    finish({
      kind: 'answered',
      status: answer.statusCode ?? 0,
      headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')])),
      body: Buffer.concat(chunks),
      isTooLong,
    });
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= ANSWER_BYTES_MAX) {
      chunks.push(chunk);
      return;
    }
    // The status says what happened; the rest of the body would only fill memory.
    answer.removeAllListeners('end');
    answered(true);
    answer.destroy();
  });
  answer.on('end', () => answered(false));
  answer.on('error', (error) => finish(lost(error)));
  answer.on('aborted', () => finish(lost(new Error('it was cut in the middle of the answer'))));
}

function notSent(error: Error & { code?: string }, isLate: boolean, origin: string, timeoutMs: number): EgressResult {
  if (error instanceof AddressDenied) return { kind: 'notSent', code: 'denied', message: error.message, retryable: false };
  if (isLate) return { kind: 'notSent', code: 'timeout', message: `Expected a connection to ${origin} within ${timeoutMs} ms but there was none.`, retryable: true };
  return { kind: 'notSent', code: 'unreachable', message: `Expected a connection to ${origin} but got ${error.code ?? error.message}.`, retryable: true };
}
