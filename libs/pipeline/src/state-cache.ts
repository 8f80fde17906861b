/** States by key and version, least recently used first out. A cache of history: dropping any entry is always right. */
export class StateCache<S> {
  readonly #entries = new Map<string, { readonly version: number; readonly state: S }>();

  /** @param entriesMax entries kept, >= 1. */
  constructor(private readonly entriesMax: number) {}

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): { readonly version: number; readonly state: S } | undefined {
    const entry = this.#entries.get(key);
    if (entry) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    return entry;
  }

  set(key: string, version: number, state: S): void {
    this.#entries.delete(key);
    this.#entries.set(key, { version, state });
    if (this.#entries.size > this.entriesMax) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
    }
  }

  drop(key: string): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}
