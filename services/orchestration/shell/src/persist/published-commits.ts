/** Commits whose announcements are out, waiting to be marked: the next batch's statement marks them along the way. */
export class PublishedCommits {
  #ids: string[] = [];

  add(id: string): void {
    this.#ids.push(id);
  }

  /** Takes all of them; `giveBack` when the statement that was to mark them failed. Marking twice is harmless. */
  take(): readonly string[] {
    return this.#ids.splice(0);
  }

  giveBack(ids: readonly string[]): void {
    this.#ids.push(...ids);
  }
}
