// Commit rows of one service: what tells an unknown outcome, what is to be published, and what the audit log takes.
import type { Instant } from '@weft/kernel';
import { memberDigest, payloadDigest } from '@weft/proof';

/** One commit row. */
export interface CommitRecord {
  readonly id: string;
  readonly service: string;
  readonly members: readonly (readonly [subject: string, sequence: number])[];
  readonly digests: readonly Buffer[];
  /** Order in which the store wrote it, which is not the order of ids. */
  readonly ordinal: number;
  readonly at: Instant;
  published: boolean;
  /** Place in the log; undefined while it is in none. */
  sequenced: number | undefined;
}

/** A decision as its digest covers it. */
export interface Recorded {
  readonly subject: string;
  readonly sequence: number;
  readonly structure: string;
  readonly payload: string;
}

const SALT = new Uint8Array(16);

export class CommitRows {
  readonly rows = new Map<string, CommitRecord>();

  constructor(readonly service: string) {}

  /** Adds the row of a batch, in the same act as what it is about. */
  add(id: string, at: Instant, tenant: string, members: readonly Recorded[], isPublished: boolean): void {
    if (members.length === 0) return;
    this.rows.set(id, {
      id,
      service: this.service,
      members: members.map(({ subject, sequence }) => [subject, sequence]),
      digests: members.map(({ subject, sequence, structure, payload }) => memberDigest({ subject, sequence, tenant, at, structure, payloadDigest: payloadDigest(SALT, payload) })),
      ordinal: this.rows.size,
      at,
      published: isPublished,
      sequenced: undefined,
    });
  }

  mark(ids: readonly string[]): void {
    for (const id of ids) {
      const row = this.rows.get(id);
      if (row) row.published = true;
    }
  }
}
