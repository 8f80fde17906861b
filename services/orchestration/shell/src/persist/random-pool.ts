import { randomFillSync } from 'node:crypto';

export const SALT_BYTES = 16;

const pool = Buffer.allocUnsafeSlow(16 * 1024);
let used = pool.length;

/** Random bytes, a few at a time, from a pool that is drawn at once: asking the system costs more than a small decision. */
export function drawBytes(count: number): Buffer {
  if (used + count > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += count;
  return Buffer.from(pool.subarray(used - count, used));
}
