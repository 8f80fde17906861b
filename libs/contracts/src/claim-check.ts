// The claim check: what is too large for a message lies in the payload store, and the message names it by digest.
import { rejection, type Rejection } from '@weft/kernel';
import { createHash } from 'node:crypto';
import type { Claim, Claims } from './generated/weft/v1/jobs.js';

/** What one message carries at most of payload, in bytes; the rest is claimed. Source: docs/adr/0019. */
export const INLINE_BYTES_MAX = 256 * 1024;

/** Bytes of a tenant that messages refer to, by their SHA-256, hex. */
export interface Payload {
  readonly tenant: string;
  readonly digest: string;
  readonly bytes: Uint8Array;
}

/** Names a payload. */
export type PayloadName = Pick<Payload, 'tenant' | 'digest'>;

/** A payload of these bytes. */
export const payloadOf = (tenant: string, bytes: Uint8Array): Payload => ({ tenant, digest: digestOf(bytes), bytes });

/** SHA-256, hex. */
export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Where the gateway gives a payload to its tenant; the `dataref` of an event whose data is claimed. Source: CloudEvents, extension dataref (claim check). */
export const payloadPath = (digest: string): string => `/v1/payloads/${digest}`;

/** The digest that a `dataref` of ours names, or undefined for any other. */
export const digestOfPath = (path: string): string | undefined => /^\/v1\/payloads\/([0-9a-f]{64})$/.exec(path)?.[1];

/** A wire message that may claim texts. */
export interface Claiming {
  readonly claims?: Claims | undefined;
}

export interface Checked<M> {
  readonly message: M;
  /** What is to be stored before the message is sent. */
  readonly payloads: readonly Payload[];
}

const NOTHING: readonly Payload[] = [];
// A UTF-16 unit is at most three bytes of UTF-8.
const BYTES_PER_UNIT_MAX = 3;

/** Takes the largest JSON texts out of a message until the rest is small enough. A small message comes back as it is. */
export function checkIn<M extends Claiming>(message: M, tenant: string): Checked<M> {
  const texts = [...jsonTexts(message, '')];
  const units = texts.reduce((sum, { text }) => sum + text.length, 0);
  if (units * BYTES_PER_UNIT_MAX <= INLINE_BYTES_MAX) return { message, payloads: NOTHING };
  const sized = texts.map((place) => ({ ...place, size: Buffer.byteLength(place.text) })).sort((left, right) => right.size - left.size);
  let inline = sized.reduce((sum, { size }) => sum + size, 0);
  if (inline <= INLINE_BYTES_MAX) return { message, payloads: NOTHING };
  const payloads: Payload[] = [];
  const claims: Claim[] = [];
  let small: object = message;
  for (const { field, text, size } of sized) {
    if (inline <= INLINE_BYTES_MAX) break;
    const payload = payloadOf(tenant, Buffer.from(text));
    payloads.push(payload);
    claims.push({ field, digest: payload.digest, size });
    small = withText(small, field.split('.'), '');
    inline -= size;
  }
  return { message: { ...small, claims: { claims } } as unknown as M, payloads };
}

export type Redeemed<M> = { readonly ok: true; readonly message: M } | { readonly ok: false; readonly rejection: Rejection };

/** Puts the claimed texts back. Rejection: `payload-missing`. */
export function redeem<M extends Claiming>(message: M, bytesOf: (digest: string) => Uint8Array | undefined): Redeemed<M> {
  const claims = message.claims?.claims ?? [];
  if (claims.length === 0) return { ok: true, message };
  let whole: object = message;
  for (const { field, digest, size } of claims) {
    const bytes = bytesOf(digest);
    if (bytes === undefined) return { ok: false, rejection: missingPayload(digest, size) };
    whole = withText(whole, field.split('.'), Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  }
  return { ok: true, message: { ...whole, claims: undefined } as M };
}

/** The rejection of a message whose payload is not there any more. */
export const missingPayload = (digest: string, size?: number): Rejection =>
  rejection('payload-missing', `Expected payload ${digest}${size === undefined ? '' : ` of ${size} bytes`} in the payload store of the tenant but it is not there.`);

/** JSON texts of a message and of the messages in it; the context holds none. */
function* jsonTexts(message: object, path: string): Generator<{ readonly field: string; readonly text: string }> {
  for (const [name, value] of Object.entries(message) as [string, unknown][]) {
    if (typeof value === 'string') {
      if (name.endsWith('Json') && value !== '') yield { field: path + name, text: value };
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value) && name !== 'context') yield* jsonTexts(value, `${path}${name}.`);
  }
}

/** A copy with another text at a place; what is not on the way there is shared. A place that is not there stays so. */
function withText(message: object, [name = '', ...rest]: readonly string[], text: string): object {
  const inner = (message as Readonly<Record<string, unknown>>)[name];
  if (rest.length === 0) return typeof inner === 'string' ? { ...message, [name]: text } : message;
  return typeof inner === 'object' && inner !== null && Object.hasOwn(message, name) ? { ...message, [name]: withText(inner, rest, text) } : message;
}
