import { randomFillSync } from 'node:crypto';

export const SALT_BYTES = 16;

const POOL_ROWS = 1024;
const pool = Buffer.allocUnsafeSlow(POOL_ROWS * SALT_BYTES);
let used = POOL_ROWS;

/** 16 random bytes, drawn for many rows at once. The bytes stay the caller's: they are copied out. */
export function drawSalt(): Buffer {
  if (used === POOL_ROWS) {
    randomFillSync(pool);
    used = 0;
  }
  return Buffer.from(pool.subarray(used * SALT_BYTES, ++used * SALT_BYTES));
}
