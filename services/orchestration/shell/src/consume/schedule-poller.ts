// Looks for schedules that are due, and for starts that a process which has gone had decided on. Any replica may.
import type { Scheduling } from '../handle/scheduling.js';

const POLL_MS = 500;
// What another process has not started by now it will not.
const TAKE_UP_EVERY = 20;

export class SchedulePoller {
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  #isStopped = false;
  #looks = 0;

  constructor(
    private readonly scheduling: Scheduling,
    private readonly onFault: (fault: unknown, what: string) => void,
  ) {}

  start(): void {
    this.#timer = setTimeout(() => {
      this.#polling = this.#look()
        .catch((fault: unknown) => this.onFault(fault, 'looking for schedules that are due'))
        .finally(() => {
          this.#polling = undefined;
          if (!this.#isStopped) this.start();
        });
    }, POLL_MS);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#polling;
  }

  async #look(): Promise<void> {
    await this.scheduling.fireDue();
    if (this.#looks++ % TAKE_UP_EVERY === 0) await this.scheduling.takeUpUnstarted();
  }
}
