// Digests that let a recorded decision be proved later without showing its data. Source: docs/adr/0006.
import { hash } from 'node:crypto';

/** A recorded decision as its digest covers it. */
export interface MemberRow {
  /** What it is about: an execution id, or the id of the thing in other services. */
  readonly subject: string;
  /** Its number in the history of the subject. */
  readonly sequence: number;
  readonly tenant: string;
  /** When it was recorded, milliseconds since the epoch. */
  readonly at: number;
  /** Types, ids and pointers, as stored. */
  readonly structure: string;
  readonly payloadDigest: Uint8Array;
}

/** Salted digest of a payload: guesses cannot be tested against it once payload and salt are erased. 32 bytes. */
export function payloadDigest(salt: Uint8Array, payload: string): Buffer {
  return hash('sha256', Buffer.concat([salt, Buffer.from(payload)]), 'buffer');
}

/** What the commit row, and through it the log, holds of a decision. 32 bytes; it never changes for what was recorded once. */
export function memberDigest(row: MemberRow): Buffer {
  const head = `weft-member-v1\n${row.tenant}\n${row.subject}\n${row.sequence}\n${row.at}\n`;
  return hash('sha256', `${head}${Buffer.from(row.payloadDigest).toString('hex')}\n${row.structure}`, 'buffer');
}
