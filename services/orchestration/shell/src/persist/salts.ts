import { randomFillSync } from 'node:crypto';

/** 16 random bytes a row, drawn for a whole batch at once. */
export function drawSalts(rows: number): Buffer {
  return randomFillSync(Buffer.allocUnsafe(rows * 16));
}
