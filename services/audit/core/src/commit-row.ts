// Commit rows as services store them, read into what the log holds of them.
import { isUuid, rejection, type Instant } from '@weft/kernel';
import type { CommitMember, CommitRow } from '@weft/proof';
import { HASH_BYTES, type Outcome } from '@weft/tlog';

/** A commit row in its stored form. */
export interface StoredCommit {
  readonly id: string;
  readonly service: string;
  readonly tenants: readonly string[];
  /** JSON text `[[subject, sequence], ...]`. */
  readonly members: string;
  /** The members' 32-byte digests one after the other, in the same order. */
  readonly digests: Uint8Array;
  readonly at: Instant;
}

/** Reads a stored commit row. Rejection `commit-row-invalid`: members and digests that do not fit each other. */
export function commitRowOf({ id, service, tenants, members, digests, at }: StoredCommit): Outcome<{ readonly commit: CommitRow }> {
  const named = namedMembers(members);
  if (named === undefined || named.length * HASH_BYTES !== digests.length) {
    const found = named === undefined ? 'another text' : `${named.length} members and ${digests.length} bytes of digests`;
    return {
      ok: false,
      rejection: rejection('commit-row-invalid', `Expected commit ${id} of ${service} to have members as [[subject, sequence], ...] and ${HASH_BYTES} bytes of digest for each but found ${found}.`),
    };
  }
  const withDigests = named.map(([subject, sequence], index): CommitMember => ({ subject, sequence, digest: digests.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES) }));
  return { ok: true, commit: { id, service, tenants, members: withDigests, at } };
}

/** The executions that a commit decided about, each once: what its leaf is found by. */
export const executionsOf = ({ members }: Pick<CommitRow, 'members'>): readonly string[] => [...new Set(members.map(({ subject }) => subject).filter(isUuid))];

function namedMembers(text: string): readonly (readonly [string, number])[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return Array.isArray(value) && value.every(isNamed) ? value : undefined;
}

const isNamed = (member: unknown): member is readonly [string, number] => Array.isArray(member) && member.length === 2 && typeof member[0] === 'string' && typeof member[1] === 'number';
