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
    const { status, bytes } = await this.#send(path, options);
    const text = bytes.toString('utf8');
    const parsed = parse(text);
    if ((status >= 200 && status < 300) || options.accept?.includes(status)) return { status, body: parsed as T };
    throw refusalOf(status, parsed, text);
  }

  /** The body as it comes; undefined when there is nothing at the path. @throws CommandFailed like `call`. */
  async bytes(path: string): Promise<Uint8Array | undefined> {
    const { status, bytes } = await this.#send(path, {});
    if (status === 200) return new Uint8Array(bytes);
    if (status === 404) return undefined;
    const text = bytes.toString('utf8');
    throw refusalOf(status, parse(text), text);
  }

  async #send(path: string, { method = 'GET', headers = {}, body, timeoutMs = 90_000 }: CallOptions): Promise<{ readonly status: number; readonly bytes: Buffer }> {
    try {
      const response = await fetch(`${this.connection.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.connection.apiKey}`, ...headers },
        signal: AbortSignal.timeout(timeoutMs),
        ...(body === undefined ? {} : { body }),
      });
      return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
    } catch (fault) {
      throw new CommandFailed(`Expected Weft at ${this.connection.url} but it does not answer: ${reasonOf(fault)}.`, EXIT.unavailable);
    }
  }
}

const refusalOf = (status: number, body: unknown, text: string): CommandFailed => new CommandFailed(sentenceOf(status, body, text), status >= 500 || status === 429 ? EXIT.unavailable : EXIT.failed);

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
