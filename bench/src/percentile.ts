/**
 * The nearest-rank percentile: the smallest value that at least a share of all values does not exceed.
 * @param sorted every sample, ascending. @param share above 0, up to 1. @returns 0 when there is no sample.
 */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

export const ascending = (left: number, right: number): number => left - right;

/** Two decimals: more would claim what no clock here tells. */
export const rounded = (value: number): number => Math.round(value * 100) / 100;
