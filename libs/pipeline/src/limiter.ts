/** The Limiter port: how often a key may do something. Limits only smooth load; no rule of Weft depends on them. */
export interface Limiter {
  /**
   * Takes one point of the key's allowance.
   * @returns whether it was there, and otherwise how many milliseconds to wait for one.
   */
  take(key: string): Promise<{ readonly allowed: boolean; readonly retryAfterMs: number }>;
  close(): Promise<void>;
}

/** `points` per `windowMs`, for each key by itself. */
export interface Allowance {
  readonly points: number;
  readonly windowMs: number;
}
