// The request of an operation: each argument in the form that its parameter asks for. Source: OpenAPI 3.1.1, 4.8.12; RFC 6570.
import { isJsonObject, rejection, type Failure, type Json, type JsonObject } from '@weft/kernel';
import { encodeUnreserved } from '@weft/workflow';
import { checkedRequest, type RequestMaking } from '../registry/http-request.js';
import type { HeaderValue } from '../registry/tool.js';
import { bareType, FORM, formText } from './media-type.js';
import type { OperationWire, ParameterWire } from './operation.js';

type Scalar = string | number | boolean;

/**
 * Makes the request for arguments that match the schema. @param server absolute URL that the path is appended to, without a query.
 * @param secrets headers that go with every request. Failure code: `input-invalid`.
 */
export function operationRequest(wire: OperationWire, server: string, args: JsonObject, secrets: { readonly [name: string]: HeaderValue }): RequestMaking {
  const path = new Map<string, string>();
  const query: string[] = [];
  const headers: Record<string, HeaderValue> = { ...secrets };
  // What the operator sends, nobody's arguments replace.
  const taken = new Set(Object.keys(secrets).map((name) => name.toLowerCase()));
  const cookies: string[] = [];
  for (const parameter of wire.parameters) {
    if (taken.has(parameter.in === 'header' ? parameter.name.toLowerCase() : parameter.in === 'cookie' ? 'cookie' : '')) continue;
    const value = Object.hasOwn(args, parameter.argument) ? args[parameter.argument] : undefined;
    if (value === undefined) continue;
    const written = write(parameter, value);
    if (!written.ok) return written;
    if (parameter.in === 'path') path.set(parameter.name, written.text);
    else if (parameter.in === 'query') query.push(...(written.text === '' ? [] : [written.text]));
    else if (parameter.in === 'cookie') cookies.push(written.text.replaceAll('&', '; '));
    else headers[parameter.name] = written.text;
  }
  let failure: Failure | undefined;
  const filled = wire.path.replace(/\{([^{}]*)\}/g, (_whole, name: string) => {
    const text = path.get(name);
    // An empty segment or a dot would lead to another resource.
    if (text === undefined || /^[.;=]*$/.test(text) || /^(\.|%2e){1,2}$/i.test(text)) failure ??= invalid(`argument ${JSON.stringify(name)}, which is part of the path, has no text of its own`);
    return text ?? '';
  });
  if (failure) return { ok: false, failure };
  if (cookies.length > 0) headers['cookie'] = cookies.join('; ');
  const body = bodyOf(wire, args);
  if (body && !body.ok) return body;
  if (body) headers['content-type'] = wire.body?.mediaType ?? 'application/json';
  if (!Object.keys(headers).some((name) => name.toLowerCase() === 'accept')) headers['accept'] = 'application/json, */*;q=0.5';
  const url = `${server.replace(/\/$/, '')}${filled}${query.length > 0 ? `?${query.join('&')}` : ''}`;
  return checkedRequest({ method: wire.method, url, headers, ...(body ? { body: body.text } : {}) });
}

type Written = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly failure: Failure };

const invalid = (problem: string): Failure => rejection('input-invalid', `Expected arguments that a request can carry but ${problem}.`);
const refused = (argument: string): Written => ({ ok: false, failure: invalid(`argument ${JSON.stringify(argument)} is nested deeper than its place allows`) });

function write(parameter: ParameterWire, value: Json): Written {
  const { name, argument, style, explode, in: place } = parameter;
  // Headers are no part of a URL: their texts go as they are, and are checked as such. A bare text in a cookie could begin another cookie.
  const encode = place === 'header' ? (text: string): string => text : encodeUnreserved;
  if (parameter.isJson) return { ok: true, text: place === 'query' || place === 'cookie' ? `${encode(name)}=${encode(JSON.stringify(value))}` : encode(JSON.stringify(value)) };
  if (style === 'deepObject') return deepObject(name, argument, value);
  const parts = partsOf(value);
  if (!parts) return refused(argument);
  const texts = parts.map(([key, part]) => [key === undefined ? undefined : encode(key), encode(String(part))] as const);
  const isObject = isJsonObject(value);
  const joined = (separator: string): string => texts.map(([key, text]) => (key === undefined ? text : explode ? `${key}=${text}` : `${key}${separator}${text}`)).join(separator);
  switch (style) {
    case 'simple':
      return { ok: true, text: joined(',') };
    case 'label':
      return { ok: true, text: `.${joined(explode ? '.' : ',')}` };
    case 'matrix':
      return { ok: true, text: explode && (isObject || Array.isArray(value)) ? texts.map(([key, text]) => `;${key ?? encode(name)}=${text}`).join('') : `;${encode(name)}=${joined(',')}` };
    case 'form':
      if (explode && (isObject || Array.isArray(value))) return { ok: true, text: texts.map(([key, text]) => `${key ?? encode(name)}=${text}`).join('&') };
      return { ok: true, text: `${encode(name)}=${joined(',')}` };
    case 'spaceDelimited':
    case 'pipeDelimited': {
      if (explode && Array.isArray(value)) return { ok: true, text: texts.map(([, text]) => `${encode(name)}=${text}`).join('&') };
      return { ok: true, text: `${encode(name)}=${texts.flatMap(([key, text]) => (key === undefined ? [text] : [key, text])).join(style === 'spaceDelimited' ? '%20' : '%7C')}` };
    }
  }
}

function deepObject(name: string, argument: string, value: Json): Written {
  const pairs: string[] = [];
  const isWritten = (path: string, part: Json, depth: number): boolean => {
    if (part === null) return true;
    if (typeof part !== 'object') return pairs.push(`${encodeUnreserved(path)}=${encodeUnreserved(String(part))}`) > 0;
    if (depth === 0) return false;
    if (!isJsonObject(part)) return (part as readonly Json[]).every((item) => typeof item !== 'object' && isWritten(path, item, depth));
    return Object.entries(part).every(([key, inner]) => isWritten(`${path}[${key}]`, inner, depth - 1));
  };
  return isJsonObject(value) && isWritten(name, value, 5) ? { ok: true, text: pairs.join('&') } : refused(argument);
}

/** A value as (name, scalar) pairs: names where it is an object. Undefined: it is nested. `null` stands for nothing. */
function partsOf(value: Json): readonly (readonly [string | undefined, Scalar])[] | undefined {
  if (value === null) return [];
  if (typeof value !== 'object') return [[undefined, value]];
  const entries: readonly (readonly [string | undefined, Json])[] = isJsonObject(value) ? Object.entries(value) : (value as readonly Json[]).map((item) => [undefined, item]);
  const present = entries.filter(([, part]) => part !== null);
  return present.every((entry): entry is readonly [string | undefined, Scalar] => typeof entry[1] !== 'object') ? present : undefined;
}

function bodyOf(wire: OperationWire, args: JsonObject): Written | undefined {
  const { body } = wire;
  const value = body && Object.hasOwn(args, body.argument) ? args[body.argument] : undefined;
  if (!body || value === undefined) return undefined;
  switch (bareType(body.mediaType)) {
    case FORM:
      return form(body.argument, value);
    case 'text/plain':
      return { ok: true, text: typeof value === 'string' ? value : JSON.stringify(value) };
    default:
      return { ok: true, text: JSON.stringify(value) };
  }
}

const form = (argument: string, value: Json): Written => (isJsonObject(value) ? { ok: true, text: formText(value) } : refused(argument));
