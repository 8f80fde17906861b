// Tells weft.audit about signed checkpoints. Only the newest matters: it covers all before it.
import { contextOf } from '@weft/contracts';
import { failpoint, outgoing, type Bus, type Clock } from '@weft/pipeline';
import type { SignedHead } from '../handle/log-writer.js';

const RETRY_MS = 1_000;

export class CheckpointAnnouncer {
  #newest: SignedHead | undefined;
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(
    private readonly bus: Bus,
    private readonly clock: Clock,
    private readonly origin: string,
    private readonly onFault: (fault: unknown) => void,
  ) {}

  /** Announces a head soon, unless a newer one comes first. It never waits and never throws. */
  readonly announce = (head: SignedHead): void => {
    this.#newest = head;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  };

  /** Resolves when the newest head is announced, or one more attempt has failed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#newest) {
      const head = this.#newest;
      try {
        failpoint('audit.announce-checkpoint', 'before');
        await this.bus.publish([
          outgoing('audit', {
            // The tree of a size is one for ever: announcing again is the same message.
            id: `${this.origin}/${head.size}`,
            source: '/weft/audit',
            type: 'ai.weft.audit.checkpoint.v1',
            subject: this.origin,
            time: this.clock.now(),
            key: this.origin,
            context: contextOf({ tenant: '', actor: 'service:audit' }),
            body: { size: head.size, note: head.note },
          }),
        ]);
        failpoint('audit.announce-checkpoint', 'after');
        if (this.#newest === head) this.#newest = undefined;
      } catch (fault) {
        this.onFault(fault);
        if (this.#isStopped) return;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
