import { randomFillSync } from 'node:crypto';

export const SALT_BYTES = 16;

/** 16 random bytes a row, drawn for a whole batch at once. */
export function drawSalts(rows: number): Buffer {
  return randomFillSync(Buffer.allocUnsafe(rows * SALT_BYTES));
}
