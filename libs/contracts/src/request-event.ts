// Reading a request as it comes from outside: CloudEvents 1.0 in binary or structured mode, over Kafka or HTTP.
import { rejection, type Json, type JsonObject, type Rejection } from '@weft/kernel';
import { contextFromAttributes } from './context.js';
import type { Context } from './generated/weft/v1/context.js';

/** Limits of one request. Bytes count the event's data, and are the default of a setting where requests come over HTTP; depth counts nested arrays and objects. */
export const REQUEST_LIMITS = { bytesMax: 1024 * 1024, depthMax: 64, attributeCharactersMax: 1024 } as const;

/** A request event, checked: the identity within a tenant is (source, id). */
export interface RequestEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly data: Json;
  /** Everything that describes the event, extensions too, but what the context travels in. */
  readonly attributes: JsonObject;
  /** The tenant the event names, or '' when it names none. Where it came in decides; a contradiction is refused. */
  readonly tenantNamed: string;
  readonly context: Context;
}

export type RequestReading = { readonly ok: true; readonly event: RequestEvent } | { readonly ok: false; readonly rejection: Rejection };

const utf8 = new TextDecoder('utf-8', { fatal: true });
const STRUCTURED = 'application/cloudevents+json';

/** Reads a Kafka record. Headers named `ce_*` mean binary mode; a content type of application/cloudevents+json means structured. */
export function readKafkaRequest(headers: Readonly<Record<string, string>>, value: Uint8Array): RequestReading {
  const lower = new Map(Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text]));
  const contentType = (lower.get('content-type') ?? '').toLowerCase();
  if (contentType.startsWith(STRUCTURED)) return readStructured(value);
  if ([...lower.keys()].some((name) => name.startsWith('ce_'))) return readBinary((name) => lower.get(`ce_${name}`), namesOf(lower.keys(), 'ce_'), contentType, value);
  return invalid('Expected a CloudEvent: binary mode (headers ce_id, ce_source, ce_type, ce_specversion) or structured mode (content-type application/cloudevents+json), but the message has neither.');
}

/** Reads an HTTP request body. Headers named `ce-*` mean binary mode. @param names of the headers, in lower case; only those that are listed are read as extensions. */
export function readHttpRequest(header: (name: string) => string | undefined, value: Uint8Array, bytesMax: number = REQUEST_LIMITS.bytesMax, names: Iterable<string> = []): RequestReading {
  const contentType = (header('content-type') ?? '').toLowerCase();
  if (contentType.startsWith(STRUCTURED)) return readStructured(value, bytesMax);
  if (header('ce-specversion') ?? header('ce-type') ?? header('ce-id')) return readBinary((name) => header(`ce-${name}`), namesOf(names, 'ce-'), contentType, value, bytesMax);
  return invalid('Expected a CloudEvent: structured mode (content-type application/cloudevents+json) or binary mode (headers ce-id, ce-source, ce-type, ce-specversion), but the request has neither.');
}

/** Reads a CloudEvent in structured mode, as a publisher keeps it in a file. */
export function readStructured(value: Uint8Array, bytesMax: number = REQUEST_LIMITS.bytesMax): RequestReading {
  const parsed = parseJson(value, 'the event', bytesMax);
  return parsed.ok ? readEventObject(parsed.value) : parsed;
}

/** Reads a CloudEvent in structured mode that is JSON already. */
export function readEventObject(event: Json): RequestReading {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return invalid('Expected the event to be a JSON object but it is not.');
  const fields = event as { readonly [name: string]: Json };
  if (fields['data_base64'] !== undefined) return invalid('Expected JSON in `data` but the event carries `data_base64`.');
  return checked((name) => (Object.hasOwn(fields, name) ? attributeText(fields[name]) : undefined), Object.keys(fields), fields['data'] ?? null);
}

function readBinary(attribute: (name: string) => string | undefined, names: readonly string[], contentType: string, value: Uint8Array, bytesMax: number = REQUEST_LIMITS.bytesMax): RequestReading {
  if (contentType !== '' && !/[/+]json\b/.test(contentType)) return invalid(`Expected data of content type application/json but got ${JSON.stringify(contentType)}.`);
  const parsed = value.length === 0 ? ({ ok: true, value: null } as const) : parseJson(value, 'the data', bytesMax);
  return parsed.ok ? checked(attribute, names, parsed.value) : parsed;
}

function checked(attribute: (name: string) => string | undefined, names: readonly string[], data: Json): RequestReading {
  const problems: string[] = [];
  const unfit = (name: string, text: string): void => {
    if (text.length > REQUEST_LIMITS.attributeCharactersMax) problems.push(`attribute \`${name}\` is longer than ${REQUEST_LIMITS.attributeCharactersMax} characters`);
    else if (hasControl(text)) problems.push(`attribute \`${name}\` contains a control character`);
  };
  const required = (name: string): string => {
    const text = attribute(name) ?? '';
    if (text === '') problems.push(`attribute \`${name}\` is missing`);
    unfit(name, text);
    return text;
  };
  const version = required('specversion');
  if (version !== '' && version !== '1.0') problems.push(`attribute \`specversion\` is ${JSON.stringify(version)}, not "1.0"`);
  const [id, source, type] = [required('id'), required('source'), required('type')];
  const subject = attribute('subject') ?? '';
  unfit('subject', subject);
  const extensions = names.flatMap((name): readonly (readonly [string, string])[] => {
    const text = ATTRIBUTE_NAME.test(name) && !NOT_EXTENSIONS.has(name) && !name.startsWith('weft') ? attribute(name) : undefined;
    if (text !== undefined) unfit(name, text);
    return text === undefined ? [] : [[name, text]];
  });
  const where = forbidden(data, '', 0);
  if (where !== undefined) problems.push(where);
  if (problems.length > 0) return invalid(`Expected a CloudEvent 1.0 with id, source, type and specversion, but ${problems.join('; ')}.`);
  const context = contextFromAttributes(attribute);
  const texts = [context.tenant, context.actor, context.purpose, context.executionId, context.jobId, context.traceparent, context.tracestate, ...context.taint];
  if (texts.some(hasControl)) return invalid('Expected attributes without control characters but one of what the context travels in (weft..., traceparent, tracestate) holds one.');
  return {
    ok: true,
    event: {
      id,
      source,
      type,
      subject,
      data,
      attributes: { specversion: '1.0', id, source, type, ...(subject === '' ? {} : { subject }), ...Object.fromEntries(extensions) },
      tenantNamed: context.tenant,
      context,
    },
  };
}

// Source: CloudEvents 1.0, naming conventions.
const ATTRIBUTE_NAME = /^[a-z0-9]{1,64}$/;
const NOT_EXTENSIONS: ReadonlySet<string> = new Set(['specversion', 'id', 'source', 'type', 'subject', 'data', 'traceparent', 'tracestate']);

const namesOf = (headers: Iterable<string>, prefix: string): readonly string[] => [...headers].flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));

function attributeText(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

const hasControl = (text: string): boolean => /[\u0000-\u001f\u007f]/.test(text);

/** What PostgreSQL or a bounded walk would refuse later is named here, with its place. @param depth arrays and objects around the value. */
export function forbidden(value: Json, pointer: string, depth: number): string | undefined {
  if (typeof value === 'string') return value.includes('\u0000') ? `the text at data${pointer} contains a NUL character` : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= REQUEST_LIMITS.depthMax) return `the data is nested deeper than ${REQUEST_LIMITS.depthMax} levels at ${pointer.slice(0, 80) || '/'}`;
  for (const [key, item] of Object.entries(value)) {
    if (key.includes('\u0000')) return `a field name at data${pointer} contains a NUL character`;
    const found = forbidden(item as Json, `${pointer}/${key}`, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function parseJson(value: Uint8Array, what: string, bytesMax: number): { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly rejection: Rejection } {
  if (value.length > bytesMax) {
    return { ok: false, rejection: rejection('request-too-large', `Expected at most ${bytesMax} bytes but ${what} has ${value.length}.`) };
  }
  try {
    return { ok: true, value: JSON.parse(utf8.decode(value)) as Json };
  } catch (fault) {
    return invalid(`Expected ${what} to be JSON in UTF-8 but it is not: ${fault instanceof Error ? fault.message : String(fault)}.`);
  }
}

function invalid(message: string): { readonly ok: false; readonly rejection: Rejection } {
  return { ok: false, rejection: rejection('request-invalid', message) };
}
