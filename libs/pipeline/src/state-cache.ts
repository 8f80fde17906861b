/** States by key and version, least recently used first out. A cache of history: dropping any entry is always right. */
export class StateCache<S> {
  readonly #entries = new Map<string, { readonly version: number; readonly state: S }>();
  readonly #resting = new Set<string>();

  /** @param entriesMax entries kept, >= 1. @param restingMax of them those that rest, >= 0. */
  constructor(
    private readonly entriesMax: number,
    private readonly restingMax = entriesMax,
  ) {}

  get size(): number {
    return this.#entries.size;
  }

  /** Marks an entry as one that is not asked for soon: only the last of these are kept, until they are used again. */
  rest(key: string): void {
    if (!this.#entries.has(key)) return;
    this.#resting.delete(key);
    this.#resting.add(key);
    if (this.#resting.size <= this.restingMax) return;
    const oldest = this.#resting.keys().next();
    if (!oldest.done) this.drop(oldest.value);
  }

  get(key: string): { readonly version: number; readonly state: S } | undefined {
    const entry = this.#entries.get(key);
    if (entry) {
      this.#resting.delete(key);
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    return entry;
  }

  set(key: string, version: number, state: S): void {
    this.#entries.delete(key);
    this.#resting.delete(key);
    this.#entries.set(key, { version, state });
    if (this.#entries.size > this.entriesMax) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.drop(oldest.value);
    }
  }

  drop(key: string): void {
    this.#entries.delete(key);
    this.#resting.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#resting.clear();
  }
}
