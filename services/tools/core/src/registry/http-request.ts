import { rejection, type Failure } from '@weft/kernel';
import type { Job } from '@weft/contracts';
import type { HeaderValue } from './tool.js';

/** One HTTP request, ready but for its secrets. */
export interface HttpRequest {
  /** In upper case. */
  readonly method: string;
  readonly url: string;
  readonly headers: { readonly [name: string]: HeaderValue };
  /** JSON, a form or other text; undefined: no body. */
  readonly body?: string;
}

export type RequestMaking = { readonly ok: true; readonly request: HttpRequest } | { readonly ok: false; readonly failure: Failure };

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const OURS = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'keep-alive',
  'proxy-connection',
  'idempotency-key',
  'traceparent',
  'tracestate',
]);

/** What is wrong with a header that an author wrote, or undefined. Framing, identity and trace belong to Weft. */
export function headerProblem(name: string, value: HeaderValue): string | undefined {
  const lower = name.toLowerCase();
  if (!TOKEN.test(name)) return `header ${JSON.stringify(name)} is no name of a header`;
  if (OURS.has(lower) || lower.startsWith('weft-')) return `header ${JSON.stringify(name)} is set by Weft itself`;
  // Line breaks would start another header; anything beyond Latin-1 has no agreed form.
  if (typeof value === 'string' && !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return `the value of header ${JSON.stringify(name)} holds a control character or one beyond Latin-1`;
  return undefined;
}

/** The headers that say which effect this is: sent with every request that a job causes. */
export function identityHeaders(job: Job): { readonly [name: string]: string } {
  return {
    'idempotency-key': headerText(job.idempotencyKey),
    'weft-execution': job.executionId,
    'weft-task': headerText(job.pointer),
    'weft-iteration': headerText(job.iteration),
    ...(job.context?.traceparent ? { traceparent: job.context.traceparent } : {}),
    ...(job.context?.tracestate ? { tracestate: job.context.tracestate } : {}),
  };
}

/** The request with the headers checked, or a failure that names the first that is wrong. */
export function checkedRequest(request: HttpRequest): RequestMaking {
  for (const [name, value] of Object.entries(request.headers)) {
    const problem = headerProblem(name, value);
    if (problem !== undefined) return { ok: false, failure: rejection('input-invalid', `Expected headers that a request may carry but ${problem}.`) };
  }
  return { ok: true, request };
}

/** A text as a header can carry it: what is not printable ASCII is percent-encoded, so that the receiver sees the same for the same. */
export function headerText(text: string): string {
  return text.toWellFormed().replace(/[^\x20-\x7e]/gu, encodeURIComponent);
}
