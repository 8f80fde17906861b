// The request in an HTTP body: a CloudEvent in either mode, or plain JSON.
import { randomUUID } from 'node:crypto';
import { readHttpRequest, REQUEST_LIMITS, type AcceptRequest, type RequestEvent } from '@weft/contracts';
import { refuse, Refused, type JsonObject } from '@weft/kernel';
import { bodyBytes, bodyObject, checkStorable, onlyFields, textField } from '../http/body.js';
import type { KnownRequest } from '../http/key.guard.js';

/** A CloudEvent, checked. */
export type WholeEvent = Pick<RequestEvent, 'id' | 'source' | 'type' | 'subject' | 'data' | 'attributes'>;

const PLAIN_FIELDS = ['type', 'data', 'subject', 'source'];
const PLAIN_SOURCE = '/v1/requests';
const STRUCTURED = 'application/cloudevents+json';

/**
 * Reads the request event, of at most so many bytes. Its id is the `Idempotency-Key` header, else the CloudEvent's own, else (plain JSON) a new UUID.
 * @throws Refused `request-invalid`, `request-too-large`; `denied` when the event names another tenant than the key's.
 */
export function readEvent(request: KnownRequest, bytesMax: number = REQUEST_LIMITS.bytesMax): AcceptRequest {
  const { id, source, type, subject, data } = readWholeEvent(request, bytesMax);
  return { id, source, type, subject, dataJson: JSON.stringify(data) };
}

/** The event with everything that describes it. Like `readEvent`. */
export function readWholeEvent(request: KnownRequest, bytesMax: number = REQUEST_LIMITS.bytesMax): WholeEvent {
  const key = idempotencyKey(request);
  const contentType = request.get('content-type') ?? '';
  const bytes = bodyBytes(request);
  if (bytes.length > bytesMax) refuse('request-too-large', `Expected a body of at most ${bytesMax} bytes but it has ${bytes.length}.`);
  const isBinary = ['ce-id', 'ce-type', 'ce-specversion'].some((name) => request.get(name) !== undefined);
  if (contentType.startsWith(STRUCTURED) || isBinary) return readCloudEvent(request, bytes, key, isBinary, bytesMax);
  if (!/^application\/([\w.+-]+\+)?json\b/.test(contentType)) {
    refuse('request-invalid', `Expected application/json, ${STRUCTURED}, or a CloudEvent in ce-* headers, but the content-type is ${contentType === '' ? 'missing' : JSON.stringify(contentType)}.`);
  }
  return readPlain(request, key);
}

function readCloudEvent(request: KnownRequest, bytes: Buffer, key: string | undefined, isBinary: boolean, bytesMax: number): WholeEvent {
  const contentType = request.get('content-type') ?? '';
  const structured = contentType.startsWith(STRUCTURED);
  const header = (name: string): string | undefined => (key !== undefined && name === 'ce-id' && isBinary ? key : request.get(name));
  const body = structured && key !== undefined ? named(bodyObject(request, 'a CloudEvent'), key) : bytes;
  const reading = readHttpRequest(header, body, bytesMax, isBinary ? Object.keys(request.headers) : []);
  if (!reading.ok) throw new Refused(reading.rejection);
  const { tenantNamed } = reading.event;
  if (tenantNamed !== '' && tenantNamed !== request.caller.tenant)
    refuse('denied', `Expected an event of tenant ${request.caller.tenant}, to which the API key belongs, but it names tenant ${JSON.stringify(tenantNamed)}.`);
  return reading.event;
}

/** The event under another id. Checked first: writing JSON again takes a bounded depth. */
function named(event: JsonObject, id: string): Buffer {
  checkStorable(event, 'a CloudEvent');
  return Buffer.from(JSON.stringify({ ...event, id }));
}

function readPlain(request: KnownRequest, key: string | undefined): WholeEvent {
  const body: JsonObject = bodyObject(request, 'a request');
  onlyFields(body, PLAIN_FIELDS, 'a request');
  const data = body['data'] ?? null;
  checkStorable(data, 'data');
  const [id, source, type, subject] = [key ?? randomUUID(), textField(body, 'source', PLAIN_SOURCE), textField(body, 'type'), textField(body, 'subject', '')];
  return { id, source, type, subject, data, attributes: { specversion: '1.0', id, source, type, ...(subject === '' ? {} : { subject }) } };
}

/** The header by which a caller names a request, so that asking again is asking for the same. */
export function idempotencyKey(request: KnownRequest): string | undefined {
  const key = request.get('idempotency-key');
  if (key === undefined) return undefined;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) refuse('request-invalid', 'Expected an Idempotency-Key of 1 to 255 printable characters without spaces.');
  return key;
}

const WAIT_MAX_S = 60;

/** Seconds of `Prefer: wait=N`, 60 at most; undefined without it. What is not understood is ignored. Source: RFC 7240. */
export function preferredWaitS(prefer: string | undefined): number | undefined {
  for (const preference of (prefer ?? '').split(',')) {
    const seconds = /^\s*wait\s*=\s*"?(\d{1,6})"?\s*(;.*)?$/i.exec(preference)?.[1];
    if (seconds !== undefined) return Math.min(Number(seconds), WAIT_MAX_S);
  }
  return undefined;
}
