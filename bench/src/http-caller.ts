// Calls of the gateway's HTTP door over connections that stay open, as a backend makes them.
import { Agent, request } from 'node:http';

/** What the door said. `fault`: nothing that could be read. */
export type Answer =
  | { readonly kind: 'accepted'; readonly executionId: string; readonly duplicate: boolean }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message: string; readonly retryAfterSeconds: number }
  | { readonly kind: 'fault'; readonly what: string };

const ANSWER_MS_MAX = 30_000;
// More than the gateway lets in at a time: it must refuse, not the caller wait.
const CONNECTIONS_MAX = 1_024;

export class HttpCaller {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX, scheduling: 'fifo' });
  readonly #target: URL;

  constructor(
    url: string,
    private readonly apiKey: string,
  ) {
    this.#target = new URL('/v1/requests', url);
  }

  /** Publishes the request of that id. It resolves whatever comes back. */
  publish(type: string, id: string): Promise<Answer> {
    const body = JSON.stringify({ type, source: '/bench/overload', data: { id } });
    const headers = { authorization: `Bearer ${this.apiKey}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'idempotency-key': id };
    return new Promise((resolve) => {
      const call = request(this.#target, { method: 'POST', agent: this.#agent, headers, timeout: ANSWER_MS_MAX }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', (fault) => resolve({ kind: 'fault', what: fault.message }));
        response.on('end', () => resolve(answerOf(response.statusCode ?? 0, Number(response.headers['retry-after'] ?? 0), text)));
      });
      call.on('timeout', () => call.destroy(new Error(`no answer within ${ANSWER_MS_MAX} ms`)));
      call.on('error', (fault) => resolve({ kind: 'fault', what: fault.message }));
      call.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function answerOf(status: number, retryAfterSeconds: number, text: string): Answer {
  try {
    const body = JSON.parse(text) as { executionId?: string; duplicate?: boolean; code?: string; detail?: string };
    if (status === 202 && body.executionId !== undefined) return { kind: 'accepted', executionId: body.executionId, duplicate: body.duplicate === true };
    if (body.code !== undefined) return { kind: 'refused', status, code: body.code, message: body.detail ?? '', retryAfterSeconds };
  } catch {
    // Not JSON: told below.
  }
  return { kind: 'fault', what: `status ${status}: ${text.slice(0, 200)}` };
}
