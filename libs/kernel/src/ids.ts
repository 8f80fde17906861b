import { invariant } from './failure.js';

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** UUIDv7 of an execution: time-ordered, so that inserts stay local. Source: RFC 9562. */
export type ExecutionId = Branded<string, 'ExecutionId'>;
/** Name of a tenant: 1 to 63 characters of a-z, 0-9 and '-', starting with a letter or digit. `dead` is reserved: it ends the names of topics for what was set aside. */
export type TenantId = Branded<string, 'TenantId'>;
/** Id of a job: execution + '/' + pointer with iteration. The same activation has the same job id for ever. */
export type JobId = Branded<string, 'JobId'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TENANT = /^(?!dead$)[a-z0-9][a-z0-9-]{0,62}$/;

/** Whether a text has the form of a UUID in lower case. */
export const isUuid = (text: string): boolean => UUID.test(text);
/** Whether a text can name a tenant. */
export const isTenantId = (text: string): text is TenantId => TENANT.test(text);

/** An execution id from text; a defect when it is no UUID. */
export function executionId(text: string): ExecutionId {
  invariant(UUID.test(text), `an execution id is a UUID, not ${JSON.stringify(text)}`);
  return text as ExecutionId;
}

/** A tenant id from text; a defect when it is malformed. */
export function tenantId(text: string): TenantId {
  invariant(TENANT.test(text), `a tenant id matches ${TENANT.source}, not ${JSON.stringify(text)}`);
  return text as TenantId;
}

/** Number of buckets that executions spread over. Fixed for ever: the bucket is a stored column. Source: docs/adr/0003. */
export const BUCKETS = 4096;

/** FNV-1a, 32 bit, over UTF-16 code units: cheap and stable across processes and releases. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/** The bucket of an execution, 0 to 4095. Bucket to partition and bucket to shard are maps on top of it. */
export const bucketOf = (execution: string): number => hash32(execution) % BUCKETS;

/** A UUIDv7 from an instant and 10 random bytes. Source: RFC 9562, section 5.7. */
export function uuidv7(now: number, random: Uint8Array): ExecutionId {
  invariant(random.length >= 10, 'a UUIDv7 takes 10 random bytes');
  const time = now.toString(16).padStart(12, '0');
  const byte = (i: number): string => (random[i] ?? 0).toString(16).padStart(2, '0');
  const version = ((random[0]! & 0x0f) | 0x70).toString(16).padStart(2, '0');
  const variant = ((random[2]! & 0x3f) | 0x80).toString(16).padStart(2, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}${byte(1)}-${variant}${byte(3)}-${byte(4)}${byte(5)}${byte(6)}${byte(7)}${byte(8)}${byte(9)}` as ExecutionId;
}

// Odd numbers with their ones spread out, one a lane: two names that meet in one lane do not in the others.
const LANES = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d] as const;

/**
 * A UUIDv7 that follows from an instant and a name: who derives it again gets the same, and other names get others. It is no
 * secret, and no proof against somebody who looks for two names with one id.
 */
export function derivedUuid(now: number, name: string): ExecutionId {
  const lanes = LANES.map((factor) => mixed(name, factor));
  return uuidv7(
    now,
    Uint8Array.from({ length: 10 }, (_, at) => lanes[at >> 2]! >>> ((at & 3) * 8)),
  );
}

/** 32 bits of a text, each of which depends on all of it. */
function mixed(text: string, factor: number): number {
  let hash = factor ^ text.length;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), factor);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f);
  return (hash ^ (hash >>> 13)) >>> 0;
}
