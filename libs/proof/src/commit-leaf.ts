// What the log holds of a commit row: who decided what when, as structure, and one root over the digests of the decisions.
import { instantText, rejection, type Instant, type Rejection } from '@weft/kernel';
import { base64Bytes, base64Text, ENTRY_BYTES_MAX, HASH_BYTES, leafHash, merkleRoot, utf8Bytes, utf8Text, type Outcome } from '@weft/tlog';

/** A commit row as a service wrote it. */
export interface CommitRow {
  readonly id: string;
  /** The service that committed, such as `orchestration`. */
  readonly service: string;
  readonly tenants: readonly string[];
  /** The decisions of the batch, in the order of the row. At least one. */
  readonly members: readonly CommitMember[];
  readonly at: Instant;
}

/** One decision of a commit. */
export interface CommitMember {
  /** What it is about: an execution id, or the id of the thing in other services. */
  readonly subject: string;
  /** Its number in the history of the subject, integer >= 0. */
  readonly sequence: number;
  /** Digest over the decision, 32 bytes. Covers subject, sequence and the salted digests of payloads, never payloads. */
  readonly digest: Uint8Array;
}

/** A leaf of the log. */
export interface CommitLeaf {
  readonly id: string;
  readonly service: string;
  /** Sorted by code units, without repetition. */
  readonly tenants: readonly string[];
  readonly members: readonly Omit<CommitMember, 'digest'>[];
  /** `commitRoot` of the members' digests. */
  readonly root: Uint8Array;
  readonly at: Instant;
}

/** Root of the RFC 6962 tree whose leaves are the members' digests, in the order of the row. */
export const commitRoot = (digests: readonly Uint8Array[]): Uint8Array => merkleRoot(digests.map(leafHash));

/** The leaf of a commit row. */
export function commitLeafOf({ id, service, tenants, members, at }: CommitRow): CommitLeaf {
  return {
    id,
    service,
    tenants: [...new Set(tenants)].toSorted(byCodeUnits),
    members: members.map(({ subject, sequence }) => ({ subject, sequence })),
    root: commitRoot(members.map(({ digest }) => digest)),
    at,
  };
}

/**
 * A leaf as the bytes that go into the log: canonical JSON (RFC 8785) with `at`, `id`, `members` ([subject, sequence]), `root` (base64),
 * `service` and `tenants`. The same row gives the same bytes for ever.
 * Rejection `commit-leaf-invalid`: a row that cannot be a leaf, or more than 65,535 bytes.
 */
export function encodeCommitLeaf(leaf: CommitLeaf): Outcome<{ readonly text: string; readonly bytes: Uint8Array }> {
  const fault = faultOf(leaf);
  if (fault !== undefined) return { ok: false, rejection: invalid(fault) };
  const text = leafText(leaf);
  const bytes = utf8Bytes(text);
  if (bytes.length > ENTRY_BYTES_MAX) return { ok: false, rejection: invalid(`at most ${ENTRY_BYTES_MAX} bytes but it has ${bytes.length}`) };
  return { ok: true, text, bytes };
}

/** Reads a leaf. Rejection `commit-leaf-invalid` for everything that `encodeCommitLeaf` does not write, to the byte. */
export function parseCommitLeaf(entry: Uint8Array | string): Outcome<{ readonly leaf: CommitLeaf }> {
  const text = typeof entry === 'string' ? entry : utf8Text(entry);
  if (text === undefined) return { ok: false, rejection: invalid('UTF-8 but it is not') };
  const leaf = leafOf(text);
  if (leaf === undefined) return { ok: false, rejection: invalid('a JSON object with at, id, members, root, service and tenants but found something else') };
  const encoded = encodeCommitLeaf(leaf);
  if (!encoded.ok) return encoded;
  if (encoded.text !== text) return { ok: false, rejection: invalid('canonical JSON but spaces, order or form differ') };
  return { ok: true, leaf };
}

const invalid = (expectation: string): Rejection => rejection('commit-leaf-invalid', `Expected a commit leaf with ${expectation}`);

// Field names in the order that canonical JSON asks for.
const leafText = ({ at, id, members, root, service, tenants }: CommitLeaf): string =>
  JSON.stringify({ at: instantText(at), id, members: members.map(({ subject, sequence }) => [subject, sequence]), root: base64Text(root), service, tenants });

function faultOf({ id, service, tenants, members, root, at }: CommitLeaf): string | undefined {
  const texts = [id, service, ...tenants, ...members.map(({ subject }) => subject)];
  if (texts.some((text) => text === '' || !text.isWellFormed())) return 'no empty or broken text but it has one';
  if (tenants.length === 0 || members.length === 0) return 'a tenant and a member but it has none';
  if (tenants.some((tenant, n) => n > 0 && byCodeUnits(tenants[n - 1]!, tenant) >= 0)) return 'tenants sorted and different but they are not';
  const bad = members.find(({ sequence }) => !Number.isSafeInteger(sequence) || sequence < 0);
  if (bad !== undefined) return `sequences that are integers >= 0 but found ${bad.sequence}`;
  if (new Set(members.map(({ subject, sequence }) => `${sequence} ${subject}`)).size < members.length) return 'each decision once but it has one twice';
  if (root.length !== HASH_BYTES) return `a root of ${HASH_BYTES} bytes but found ${root.length}`;
  if (!Number.isSafeInteger(at) || at < 0 || at > LATEST) return `a time up to the year 9999 but found ${at}`;
  return undefined;
}

/** 9999-12-31T23:59:59.999Z: RFC 3339 has four digits for the year. */
const LATEST = 253_402_300_799_999;

function leafOf(text: string): CommitLeaf | undefined {
  const value = parsedJson(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const { at, id, members, root, service, tenants } = value as { readonly [name: string]: unknown };
  const rootBytes = typeof root === 'string' ? base64Bytes(root) : undefined;
  if (typeof at !== 'string' || typeof id !== 'string' || typeof service !== 'string' || rootBytes === undefined) return undefined;
  if (!Array.isArray(tenants) || !tenants.every((tenant): tenant is string => typeof tenant === 'string')) return undefined;
  if (!Array.isArray(members) || !members.every(isMember)) return undefined;
  return { id, service, tenants, members: members.map(([subject, sequence]) => ({ subject, sequence })), root: rootBytes, at: Date.parse(at) };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isMember = (member: unknown): member is readonly [string, number] => Array.isArray(member) && member.length === 2 && typeof member[0] === 'string' && typeof member[1] === 'number';

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
