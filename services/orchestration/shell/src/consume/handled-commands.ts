// Commands that have been handled in this process: where the bus dies with it, only these are out of danger.

export class HandledCommands {
  readonly #waiting = new Map<string, (() => void)[]>();

  /** Resolves when the messages have all been handled from now on; never rejects. */
  async all(messageIds: readonly string[]): Promise<void> {
    await Promise.all([...new Set(messageIds)].map((id) => new Promise<void>((resolve) => this.#waiting.set(id, [...(this.#waiting.get(id) ?? []), resolve]))));
  }

  /** Notes that messages are durable, ignored or set aside. */
  note(messageIds: readonly string[]): void {
    for (const id of messageIds) {
      for (const resolve of this.#waiting.get(id) ?? []) resolve();
      this.#waiting.delete(id);
    }
  }
}
