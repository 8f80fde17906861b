// Offsets of what has been handled, committed for all partitions at once and not for each batch by itself.
import { failpoint } from '@weft/pipeline';
import type { Consumer } from 'kafkajs';

// What was handled and is not committed comes again after a crash, and is ignored then: a broker asked for every batch of every
// partition spends more on offsets than on messages.
const COMMIT_MS = 200;

export class OffsetCommits {
  readonly #handled = new Map<number, string>();
  #timer: NodeJS.Timeout | undefined;
  #committing: Promise<void> = Promise.resolve();

  constructor(
    private readonly consumer: Consumer,
    private readonly topic: string,
    private readonly onFault: (fault: unknown) => void,
  ) {}

  /** The messages of a partition have been handled up to an offset: it is committed soon. */
  handled(partition: number, offset: string): void {
    this.#handled.set(partition, (BigInt(offset) + 1n).toString());
    this.#timer ??= setTimeout(() => void this.flush(), COMMIT_MS);
  }

  /** After a rebalance: whoever owns a partition now begins at what is committed. */
  forget(): void {
    this.#handled.clear();
  }

  /** Commits what was handled. It never rejects: what could not be committed comes again. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#committing = this.#committing.then(() => this.#commit()).catch(this.onFault);
    await this.#committing;
  }

  async #commit(): Promise<void> {
    if (this.#handled.size === 0) return;
    const offsets = [...this.#handled].map(([partition, offset]) => ({ topic: this.topic, partition, offset }));
    this.#handled.clear();
    failpoint('kafka.commit-offsets', 'before');
    await this.consumer.commitOffsets(offsets);
    failpoint('kafka.commit-offsets', 'after');
  }
}
