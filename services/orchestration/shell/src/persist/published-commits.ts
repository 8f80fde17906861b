import type { Told } from '../publish/announcer.js';

/** Commits whose announcements are out, waiting to be marked: the next batch's statement marks them along the way. */
export class PublishedCommits {
  #ids: string[] = [];
  readonly #underWay = new Set<string>();

  /** Whether this process is telling of the commit right now, or has told and not marked it: nobody here needs to tell again. */
  isInHand(id: string): boolean {
    return this.#underWay.has(id) || this.#ids.includes(id);
  }

  /** Commits that this process is telling of right now. */
  get beingTold(): number {
    return this.#underWay.size;
  }

  /** Notes what becomes of telling. A commit without messages needs no mark; what is still in danger is marked later, and not waited for: it may tell more. */
  async track(id: string, tell: Promise<Told>): Promise<void> {
    this.#underWay.add(id);
    const told = await tell.catch((fault: unknown) => {
      this.#underWay.delete(id);
      throw fault;
    });
    if (told.safe) void told.safe.then(() => this.#settle(id, told));
    else this.#settle(id, told);
  }

  #settle(id: string, { messages }: Told): void {
    this.#underWay.delete(id);
    if (messages > 0) this.#ids.push(id);
  }

  /** Takes all of them; `giveBack` when the statement that was to mark them failed. Marking twice is harmless. */
  take(): readonly string[] {
    return this.#ids.splice(0);
  }

  giveBack(ids: readonly string[]): void {
    this.#ids.push(...ids);
  }
}
