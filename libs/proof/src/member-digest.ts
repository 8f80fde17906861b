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
  return sha256(Buffer.concat([salt, Buffer.from(payload)]));
}

/** What the commit row, and through it the log, holds of a decision. 32 bytes; it never changes for what was recorded once. */
export function memberDigest(row: MemberRow): Buffer {
  const head = `weft-member-v1\n${row.tenant}\n${row.subject}\n${row.sequence}\n${row.at}\n`;
  return sha256(`${head}${Buffer.from(row.payloadDigest).toString('hex')}\n${row.structure}`);
}

// Crossing from OpenSSL as text halves the time: every decision is digested twice.
const sha256 = (data: string | Uint8Array): Buffer => Buffer.from(hash('sha256', data, 'binary'), 'binary');
