import type { Slots } from '@weft/pipeline';

/** Places within this process. */
export class LocalSlots implements Slots {
  readonly #taken = new Map<string, number>();

  async take(key: string, max: number): Promise<(() => void) | undefined> {
    const taken = this.#taken.get(key) ?? 0;
    if (taken >= max) return undefined;
    this.#taken.set(key, taken + 1);
    let isGiven = false;
    return () => {
      if (isGiven) return;
      isGiven = true;
      const left = (this.#taken.get(key) ?? 1) - 1;
      if (left === 0) this.#taken.delete(key);
      else this.#taken.set(key, left);
    };
  }
}
