/** Commits whose announcements are out, waiting to be marked: the next batch's statement marks them along the way. */
export class PublishedCommits {
  #ids: string[] = [];
  readonly #underWay = new Set<string>();

  /** Whether this process is telling of the commit right now, or has told and not marked it: nobody here needs to tell again. */
  isInHand(id: string): boolean {
    return this.#underWay.has(id) || this.#ids.includes(id);
  }

  /** Notes what becomes of telling: `tell` resolves with the number of messages, and a commit without any needs no mark. */
  async track(id: string, tell: Promise<number>): Promise<void> {
    this.#underWay.add(id);
    try {
      if ((await tell) > 0) this.#ids.push(id);
    } finally {
      this.#underWay.delete(id);
    }
  }

  /** Takes all of them; `giveBack` when the statement that was to mark them failed. Marking twice is harmless. */
  take(): readonly string[] {
    return this.#ids.splice(0);
  }

  giveBack(ids: readonly string[]): void {
    this.#ids.push(...ids);
  }
}
