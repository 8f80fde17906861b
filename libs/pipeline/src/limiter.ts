/** The Limiter port: how often a key may do something. Limits only smooth load; no rule of Weft depends on them. */
export interface Limiter {
  /**
   * Takes points of the key's allowance. What is refused counts as asked for, until the window ends.
   * @param points default 1; more than the whole allowance are taken as the whole of it.
   * @returns whether it was there, and otherwise how many milliseconds to wait for one.
   */
  take(key: string, points?: number): Promise<{ readonly allowed: boolean; readonly retryAfterMs: number }>;
  close(): Promise<void>;
}

/** `points` per `windowMs`, for each key by itself. */
export interface Allowance {
  readonly points: number;
  readonly windowMs: number;
}
