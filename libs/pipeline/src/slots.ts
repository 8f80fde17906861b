/** The Slots port: places for things that run at once, shared by whoever shares the port. They only smooth load; no rule of Weft depends on them. */
export interface Slots {
  /** Takes one of `max` places under a key. @returns how to give it back, once or more; undefined when none is free. */
  take(key: string, max: number): Promise<(() => void) | undefined>;
}
