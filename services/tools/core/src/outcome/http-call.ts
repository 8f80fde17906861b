// The standard's `call: http`, as its job's arguments. Source: Open Workflow Specification, dsl-reference.md#http-call.
import { isJsonObject, rejection, type Failure, type Json, type JsonObject } from '@weft/kernel';
import type { EffectClass } from '../effect/effect.events.js';
import { checkedRequest, type HttpRequest } from '../registry/http-request.js';
import { bareType, FORM, formText, isJsonType } from '../openapi/media-type.js';

/** content: the deserialised body; response: status, headers and content; raw: the body in base64. */
export type HttpOutput = 'content' | 'response' | 'raw';

export interface HttpCall {
  readonly request: HttpRequest;
  /** The policy of its endpoint, as the standard writes it. */
  readonly authentication?: Json;
  readonly effect: EffectClass;
  readonly output: HttpOutput;
  /** Statuses 300 to 399 count as success. Redirects are never followed. */
  readonly isRedirectSuccess: boolean;
}

export type CallReading = { readonly ok: true; readonly call: HttpCall } | { readonly ok: false; readonly failure: Failure };

// The method is what the author declares about repeating. Source: RFC 9110, 9.2.
const EFFECT_OF: { readonly [method: string]: EffectClass } = {
  GET: 'read',
  HEAD: 'read',
  OPTIONS: 'read',
  PUT: 'idempotent-write',
  DELETE: 'idempotent-write',
  POST: 'non-idempotent-write',
  PATCH: 'non-idempotent-write',
};
const OUTPUTS: readonly string[] = ['content', 'response', 'raw'];
const FIELDS = new Set(['method', 'endpoint', 'headers', 'query', 'body', 'output', 'redirect']);

/** Reads the arguments, in which all expressions and secrets are filled in. Failure code: `input-invalid`. */
export function readHttpCall(args: Json): CallReading {
  if (!isJsonObject(args)) return invalid('the arguments are no object');
  const unknown = Object.keys(args).find((field) => !FIELDS.has(field));
  if (unknown !== undefined) return invalid(`there is a field ${JSON.stringify(unknown)}; known are ${[...FIELDS].join(', ')}`);
  const method = typeof args['method'] === 'string' ? args['method'].toUpperCase() : '';
  if (!Object.hasOwn(EFFECT_OF, method)) return invalid(`method is ${show(args['method'])}, not one of ${Object.keys(EFFECT_OF).join(', ')}`);
  const endpoint = endpointOf(args['endpoint']);
  if (typeof endpoint !== 'string') return endpoint;
  const url = withQuery(endpoint, args['query'] ?? {});
  if (url === undefined) return invalid('query is no object of texts, numbers, booleans and lists of them');
  const headers = headersOf(args['headers'] ?? {});
  if (headers === undefined) return invalid('headers is no object of texts, numbers and booleans');
  const output = args['output'] ?? 'content';
  if (typeof output !== 'string' || !OUTPUTS.includes(output)) return invalid(`output is ${show(output)}, not one of ${OUTPUTS.join(', ')}`);
  const body = bodyOf(args['body'], headers);
  const made = checkedRequest({ method, url, headers: body.headers, ...(body.text === undefined ? {} : { body: body.text }) });
  if (!made.ok) return made;
  const authentication = isJsonObject(args['endpoint']) ? args['endpoint']['authentication'] : undefined;
  return {
    ok: true,
    call: {
      request: made.request,
      ...(authentication === undefined ? {} : { authentication }),
      effect: EFFECT_OF[method]!,
      output: output as HttpOutput,
      isRedirectSuccess: args['redirect'] === true,
    },
  };
}

function endpointOf(endpoint: Json | undefined): string | Extract<CallReading, { ok: false }> {
  const text = isJsonObject(endpoint) ? endpoint['uri'] : endpoint;
  return typeof text === 'string' && /^https?:\/\//i.test(text) ? text : invalid(`endpoint is ${show(text)}, not a URL that starts with http:// or https://`);
}

type Scalar = string | number | boolean;
const isScalar = (value: Json | undefined): value is Scalar => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

function withQuery(endpoint: string, query: Json): string | undefined {
  if (!isJsonObject(query)) return undefined;
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(query)) {
    const values = Array.isArray(value) ? (value as readonly Json[]) : [value];
    if (!values.every(isScalar)) return undefined;
    pairs.push(...values.map((one) => `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(String(one).toWellFormed())}`));
  }
  if (pairs.length === 0) return endpoint;
  const [path = '', fragment] = endpoint.split('#', 2);
  return `${path}${path.includes('?') ? '&' : '?'}${pairs.join('&')}${fragment === undefined ? '' : `#${fragment}`}`;
}

function headersOf(headers: Json): Record<string, string> | undefined {
  if (!isJsonObject(headers)) return undefined;
  const entries = Object.entries(headers);
  return entries.every(([, value]) => isScalar(value)) ? Object.fromEntries(entries.map(([name, value]) => [name, String(value)])) : undefined;
}

function bodyOf(body: Json | undefined, headers: Record<string, string>): { readonly text: string | undefined; readonly headers: Record<string, string> } {
  if (body === undefined || body === null) return { text: undefined, headers };
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1];
  // A text of another type goes out as it is, an object as a form where the type says so; everything else is JSON.
  if (typeof body === 'string' && type !== undefined && !isJsonType(type)) return { text: body, headers };
  if (isJsonObject(body) && type !== undefined && bareType(type) === FORM) return { text: formText(body), headers };
  return { text: JSON.stringify(body), headers: type === undefined ? { ...headers, 'content-type': 'application/json' } : headers };
}

/** An answer as the task's output. */
export function outputOf(output: HttpOutput, answer: { readonly status: number; readonly headers: JsonObject; readonly content: Json; readonly base64: string }, request: HttpRequest): Json {
  if (output === 'raw') return answer.base64;
  if (output === 'content') return answer.content;
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([, value]) => typeof value === 'string')) as JsonObject;
  return { request: { method: request.method, uri: request.url, headers }, statusCode: answer.status, headers: answer.headers, content: answer.content };
}

const show = (value: Json | undefined): string => (value === undefined ? 'missing' : JSON.stringify(value).slice(0, 80));

function invalid(what: string): Extract<CallReading, { ok: false }> {
  return { ok: false, failure: rejection('input-invalid', `Expected the arguments of an HTTP call but ${what}.`) };
}
