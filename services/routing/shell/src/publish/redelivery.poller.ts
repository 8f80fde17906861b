// Tells again what nobody seems to have heard. Due rows are claimed with SKIP LOCKED, so any replica may poll.
import { failpoint, type Clock } from '@weft/pipeline';
import { publishAll, withinPatience, type AcceptPorts } from '../handle/accept-requests.js';
import type { RequestStore } from '../persist/request.store.js';

const BATCH_MAX = 256;

export interface PollerOptions {
  /** Milliseconds between two looks. */
  readonly pollMs: number;
}

export class RedeliveryPoller {
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  /** A page that the bus has not taken yet. */
  #handing: Promise<void> | undefined;
  #isStopped = false;
  readonly #clock: Clock;

  constructor(
    private readonly ports: Pick<AcceptPorts, 'bus' | 'clock' | 'onFault'> & { readonly store: Pick<RequestStore, 'claimDue' | 'settle'> },
    private readonly options: PollerOptions,
  ) {
    this.#clock = ports.clock;
  }

  /** Looks from now on, first after one pause: a bus inside the process drops what nobody has subscribed to yet. */
  start(): void {
    this.#timer = setTimeout(() => {
      this.#polling = this.poll()
        .then(() => undefined)
        .catch((fault: unknown) => this.ports.onFault(fault, 'looking for requests to redeliver'))
        .finally(() => {
          if (!this.#isStopped) this.start();
        });
    }, this.options.pollMs);
  }

  /** Redelivers what is due, as far as the bus takes it. @returns how many requests that were. */
  async poll(): Promise<number> {
    for (let redelivered = 0; ;) {
      // With the bus away each page would wait in memory: one is enough.
      if (this.#handing) return redelivered;
      const due = await this.ports.store.claimDue(this.#clock.now(), BATCH_MAX);
      if (due.length > 0) failpoint('routing.redeliver', 'before');
      const handing = publishAll(this.ports, due).finally(() => (this.#handing = undefined));
      this.#handing = handing;
      await withinPatience(handing);
      if (due.length > 0) failpoint('routing.redeliver', 'after');
      redelivered += due.length;
      if (due.length < BATCH_MAX || this.#isStopped) return redelivered;
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#polling;
  }
}
