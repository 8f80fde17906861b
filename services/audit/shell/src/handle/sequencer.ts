// The loop around the log writer: takes over, appends, rests; stands by while another process writes.
import type { Pool } from '@weft/adapter-postgres';
import type { Log } from '@weft/nest-platform';
import { Fenced, LogWriter, type SignedHead, type WriterOptions } from './log-writer.js';

export interface SequencerOptions extends Omit<WriterOptions, 'onUnfit'> {
  /** Pause between two looks, in milliseconds. */
  readonly intervalMs: number;
  /** Told of each head once it is durable. */
  readonly onHead: (head: SignedHead) => void;
  readonly log: Log;
}

const STANDBY_MS = 1_000;
const RETRY_MS = 1_000;

export class Sequencer {
  #running: Promise<void> | undefined;
  #isStopped = false;
  #wake: (() => void) | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly options: SequencerOptions,
  ) {}

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when the append under way has ended and the log is free for another process. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { log } = this.options;
    while (!this.#isStopped) {
      try {
        const writer = await LogWriter.takeOver(this.pool, { ...this.options, onUnfit: (rejection) => log.error('a commit row cannot go into the log', { rejection }) });
        if (writer) await this.#write(writer);
        else await this.#pause(STANDBY_MS);
      } catch (error) {
        if (error instanceof Fenced) log.warn('another sequencer has taken over; this one stands by');
        else log.error('the log was not appended to; it is tried again', { error });
        await this.#pause(RETRY_MS);
      }
    }
  }

  async #write(writer: LogWriter): Promise<void> {
    const { options } = this;
    try {
      const head = await writer.head();
      options.log.info('writes the log', { size: head.size, epoch: writer.epoch });
      // A former writer may have died before it could tell.
      options.onHead(head);
      while (!this.#isStopped) {
        const appended = await writer.append();
        if (appended.head) options.onHead(appended.head);
        if (!appended.hasMore) await this.#pause(options.intervalMs);
      }
    } finally {
      writer.release();
    }
  }

  #pause(ms: number): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
    });
  }
}
