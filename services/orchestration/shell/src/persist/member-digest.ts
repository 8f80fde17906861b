// Digests that let a history row be proved later without showing its data. Source: docs/adr/0006.
import { hash } from 'node:crypto';
import { randomFillSync } from 'node:crypto';

/** Salted digest of a payload: guesses cannot be tested against it once payload and salt are erased. */
export function payloadDigest(salt: Uint8Array, payload: string): Buffer {
  return hash('sha256', Buffer.concat([salt, Buffer.from(payload)]), 'buffer');
}

/** What the commit row, and through it the log, holds of a decision. `at` in milliseconds since the epoch. */
export function memberDigest(row: { readonly executionId: string; readonly sequence: number; readonly tenant: string; readonly at: number; readonly structure: string; readonly payloadDigest: Uint8Array }): Buffer {
  const head = `weft-member-v1\n${row.tenant}\n${row.executionId}\n${row.sequence}\n${row.at}\n`;
  return hash('sha256', `${head}${Buffer.from(row.payloadDigest).toString('hex')}\n${row.structure}`, 'buffer');
}

/** 16 random bytes a row, drawn for a whole batch at once. */
export function drawSalts(rows: number): Buffer {
  return randomFillSync(Buffer.allocUnsafe(rows * 16));
}
