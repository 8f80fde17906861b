// The public HTTP interface as functions. Every refusal becomes a sentence.
import { CommandFailed, EXIT } from '../exit-codes.js';
import type { Connection } from './connection.js';

export interface Reply<T> {
  readonly status: number;
  readonly body: T;
}

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Statuses that are answers rather than refusals, besides 2xx. */
  readonly accept?: readonly number[];
  readonly timeoutMs?: number;
}

export class GatewayClient {
  constructor(private readonly connection: Connection) {}

  get url(): string {
    return this.connection.url;
  }

  /** @throws CommandFailed with what the gateway said, or that it cannot be reached. */
  async call<T>(path: string, options: CallOptions = {}): Promise<Reply<T>> {
    const { method = 'GET', headers = {}, body, accept = [], timeoutMs = 90_000 } = options;
    let response: Response;
    try {
      response = await fetch(`${this.connection.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.connection.apiKey}`, ...headers },
        signal: AbortSignal.timeout(timeoutMs),
        ...(body === undefined ? {} : { body }),
      });
    } catch (fault) {
      throw new CommandFailed(`Expected Weft at ${this.connection.url} but it does not answer: ${reasonOf(fault)}.`, EXIT.unavailable);
    }
    const text = await response.text();
    const parsed = parse(text);
    if (response.ok || accept.includes(response.status)) return { status: response.status, body: parsed as T };
    throw new CommandFailed(sentenceOf(response.status, parsed, text), response.status >= 500 ? EXIT.unavailable : EXIT.failed);
  }
}

function reasonOf(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  return fault.cause instanceof Error ? fault.cause.message || fault.message : fault.message;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

// A problem (RFC 9457) carries its sentence in `detail`.
function sentenceOf(status: number, body: unknown, text: string): string {
  const { detail, title, code } = (typeof body === 'object' && body !== null ? body : {}) as { detail?: string; title?: string; code?: string };
  return `${detail ?? title ?? text.slice(0, 300)} (${status}${code ? `, ${code}` : ''})`;
}
