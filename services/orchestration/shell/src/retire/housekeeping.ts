// What has to be done now and then, by any replica: partitions ahead of time, and payloads that nothing refers to any more.
import { faultOf, type Pool } from '@weft/adapter-postgres';
import type { Clock } from '@weft/pipeline';
import { createHistoryPartitions } from '../migrations/history-partitions.js';

/** Payloads of messages, as far as letting go of them. */
export interface UnusedPayloads {
  /** Removes what nothing has used since an instant. @returns how many. */
  removeUnused(since: number): Promise<number>;
}

export interface HousekeepingOptions {
  /** How long a payload is kept after its last use. */
  readonly payloadDays: number;
  /** Undefined where messages carry all. */
  readonly payloads: UnusedPayloads | undefined;
}

const EVERY_MS = 3_600_000;
const LOCK_MS_MAX = 300;
export const DAY_MS = 86_400_000;

export class Housekeeping {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly clock: Clock,
    private readonly options: HousekeepingOptions,
    private readonly onFault: (fault: unknown, what: string) => void,
  ) {}

  start(): void {
    const begin = (): void => {
      this.#running ??= this.run()
        .catch((fault: unknown) => this.onFault(fault, 'keeping house'))
        .finally(() => (this.#running = undefined));
    };
    this.#timer = setInterval(begin, EVERY_MS);
    begin();
  }

  /** Does all of it once; what fails keeps nothing else back. */
  async run(): Promise<void> {
    const { payloads, payloadDays } = this.options;
    await Promise.all([this.#makePartitions(), payloads?.removeUnused(this.clock.now() - payloadDays * DAY_MS)]);
  }

  async #makePartitions(): Promise<void> {
    try {
      // There are months of time to try again.
      await createHistoryPartitions(async <R extends object>(text: string, values: readonly unknown[] = []) => (await this.pool.query<R>(text, [...values])).rows, LOCK_MS_MAX);
    } catch (fault) {
      throw faultOf(fault);
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }
}
