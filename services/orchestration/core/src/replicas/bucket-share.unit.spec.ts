import { BUCKETS } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { isInShare, NO_BUCKET, shareOf } from './bucket-share.js';

describe('shares of the buckets', () => {
  it.each([1, 2, 3, 7, 50])('give every bucket to exactly one of %i replicas, in whatever order they are told', (count) => {
    const lives = Array.from({ length: count }, (_, n) => `life-${n}`);
    const shares = lives.map((life, n) => shareOf(life, n % 2 === 0 ? lives : lives.toReversed()));
    for (const bucket of [0, 1, 1_365, 1_366, 2_048, BUCKETS - 1]) expect(shares.filter((share) => isInShare(share, bucket))).toHaveLength(1);
    expect(shares.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(BUCKETS);
  });

  it('give nothing to one that is not present', () => {
    expect(shareOf('gone', ['a', 'b'])).toEqual(NO_BUCKET);
  });
});
