// Which buckets a replica looks after: all of them, divided by rank among those that are present.
import { BUCKETS } from '@weft/kernel';

/** The buckets from `from` up to `to`, the latter not included. */
export interface BucketShare {
  readonly from: number;
  readonly to: number;
}

export const EVERY_BUCKET: BucketShare = { from: 0, to: BUCKETS };
export const NO_BUCKET: BucketShare = { from: 0, to: 0 };

export const isInShare = (share: BucketShare, bucket: number): boolean => bucket >= share.from && bucket < share.to;

/** The share of one among the lives that are present. A share has no state of its own, so it may move as a whole when somebody comes or goes. */
export function shareOf(life: string, present: readonly string[]): BucketShare {
  const ranked = [...new Set(present)].sort();
  const rank = ranked.indexOf(life);
  if (rank < 0) return NO_BUCKET;
  return { from: Math.floor((rank * BUCKETS) / ranked.length), to: Math.floor(((rank + 1) * BUCKETS) / ranked.length) };
}
