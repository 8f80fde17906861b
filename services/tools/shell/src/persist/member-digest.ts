// Digests that let a ledger row be proved later without showing its data.
import { hash, randomFillSync } from 'node:crypto';

/** Salted digest of a payload: guesses cannot be tested against it once payload and salt are erased. */
export function payloadDigest(salt: Uint8Array, payload: string): Buffer {
  return hash('sha256', Buffer.concat([salt, Buffer.from(payload)]), 'buffer');
}

/** What the commit row, and through it the log, holds of a decision about an effect. `at` in milliseconds since the epoch. */
export function memberDigest(row: { readonly tenant: string; readonly key: string; readonly sequence: number; readonly at: number; readonly structure: string; readonly payloadDigest: Uint8Array }): Buffer {
  const head = `weft-member-v1\n${row.tenant}\n${row.key}\n${row.sequence}\n${row.at}\n`;
  return hash('sha256', `${head}${Buffer.from(row.payloadDigest).toString('hex')}\n${row.structure}`, 'buffer');
}

/** 16 random bytes a row, drawn for a whole batch at once. */
export function drawSalts(rows: number): Buffer {
  return randomFillSync(Buffer.allocUnsafe(rows * 16));
}
