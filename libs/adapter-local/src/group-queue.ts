// What one group has yet to see of one topic: a bounded queue and the one loop that hands it out.
import type { Delivery } from '@weft/contracts';
import type { SubscribeOptions } from '@weft/pipeline';

export type Handle = SubscribeOptions['handle'];

export interface GroupQueueOptions {
  /** Messages in one call of a handler at most. */
  readonly batchMax: number;
  /** Messages waiting before `room` waits. */
  readonly queueMax: number;
  /** Told of each batch that a handler threw on; it comes again. */
  readonly onFault: (fault: unknown) => void;
}

const PAUSE_MIN_MS = 20;
const PAUSE_MAX_MS = 2_000;
// Handlers that answer without I/O would otherwise never let timers and sockets have their turn.
const BATCHES_PER_TURN = 64;

/**
 * Hands batches to the group's members in turn, one batch at a time, so that order holds for every key.
 * A batch that a handler throws on stays at the head and comes again after a doubling pause.
 */
export class GroupQueue {
  readonly #members: Handle[] = [];
  readonly #waiting: Delivery[] = [];
  #head = 0;
  #turn = 0;
  #running: Promise<void> | undefined;
  #underWay: Promise<void> | undefined;
  #wakeFromPause: (() => void) | undefined;
  #closing = false;
  readonly #roomSeekers: (() => void)[] = [];

  constructor(private readonly options: GroupQueueOptions) {}

  get length(): number {
    return this.#waiting.length - this.#head;
  }

  get isAbandoned(): boolean {
    return this.#members.length === 0;
  }

  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  join(handle: Handle): void {
    this.#members.push(handle);
    this.#start();
  }

  /** Resolves when no batch is in the member's hands and none will be. */
  async leave(handle: Handle): Promise<void> {
    const index = this.#members.indexOf(handle);
    if (index >= 0) this.#members.splice(index, 1);
    this.#wakeFromPause?.();
    if (this.isAbandoned) this.stop();
    await this.#underWay;
  }

  /** Begins no more batches and forgets what is queued. */
  stop(): void {
    this.#members.length = 0;
    this.#waiting.length = this.#head = 0;
    this.#wakeRoomSeekers();
  }

  push(delivery: Delivery): void {
    this.#waiting.push(delivery);
    this.#start();
  }

  /** Resolves when there is room, after `patienceMs` at the latest. */
  async room(patienceMs: number): Promise<void> {
    if (this.length < this.options.queueMax) return;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      new Promise<void>((resolve) => this.#roomSeekers.push(resolve)),
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, patienceMs);
      }),
    ]);
    clearTimeout(timer);
  }

  /** Resolves when what is queued has been handled. From here on a batch that throws is not tried again. */
  async drain(): Promise<void> {
    this.#closing = true;
    this.#wakeFromPause?.();
    await this.#running;
  }

  #start(): void {
    // In a microtask: a handler is never entered from within `publish`, and all messages of this tick share its first batch.
    this.#running ??= Promise.resolve().then(() => this.#run());
  }

  async #run(): Promise<void> {
    let pauseMs = PAUSE_MIN_MS;
    for (let batches = 1; this.length > 0 && !this.isAbandoned; batches++) {
      if (batches % BATCHES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      const batch = this.#waiting.slice(this.#head, this.#head + this.options.batchMax);
      const member = this.#members[this.#turn++ % this.#members.length];
      if (!member || batch.length === 0) continue;
      const outcome = this.#hand(member, batch);
      this.#underWay = outcome.then(() => undefined);
      const isDone = await outcome;
      this.#underWay = undefined;
      if (isDone || this.#closing) {
        this.#take(batch.length);
        pauseMs = PAUSE_MIN_MS;
      } else {
        await this.#pause(pauseMs);
        pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS);
      }
    }
    // In the same turn as the last look at the queue: a message pushed from now on starts anew.
    this.#running = undefined;
  }

  async #hand(member: Handle, batch: readonly Delivery[]): Promise<boolean> {
    try {
      await member(batch);
      return true;
    } catch (fault) {
      this.options.onFault(fault);
      return false;
    }
  }

  #take(count: number): void {
    // The queue may have been emptied meanwhile by the last member's leaving.
    this.#head = Math.min(this.#head + count, this.#waiting.length);
    if (this.#head === this.#waiting.length) this.#waiting.length = this.#head = 0;
    else if (this.#head >= 1024 && this.#head * 2 >= this.#waiting.length) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
    if (this.length < this.options.queueMax) this.#wakeRoomSeekers();
  }

  #wakeRoomSeekers(): void {
    for (const wake of this.#roomSeekers.splice(0)) wake();
  }

  async #pause(ms: number): Promise<void> {
    if (this.#closing) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakeFromPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wakeFromPause = undefined;
  }
}
