// One worker process that is connected to this replica: what it brings, what it holds, until when it counts as there.
import type { WorkerCall } from '@weft/contracts';
import type { OfferedCall } from './worker-call.js';

/** What a worker brings of one tool. */
export interface BroughtTool {
  readonly digest: string;
  /** Calls at once; 0 = no limit but the worker's own. */
  readonly concurrency: number;
}

/** A call that a worker has. */
export interface HeldCall {
  readonly offered: OfferedCall;
  readonly handedAtMs: number;
  /** Monotonic instant at which the attempt is over. */
  readonly untilMs: number;
}

/** Bytes of the arguments of one call, as JSON. Twice as many fit into a message to a worker. */
export const ARGUMENT_BYTES_MAX = 1_900_000;

interface OpenPoll {
  room: number;
  /** Of arguments that it is answered with. */
  bytes: number;
  readonly calls: WorkerCall[];
  answer(calls: WorkerCall[]): void;
}

/** Instants are monotonic (`performance.now()`). */
export class WorkerSession {
  readonly held = new Map<string, HeldCall>();
  /** Calls that the worker may stop: nobody waits for them. */
  readonly abandoned = new Set<string>();
  #poll: OpenPoll | undefined;
  #aliveUntilMs: number;
  #isLeaving = false;

  constructor(
    readonly id: string,
    readonly source: string,
    readonly worker: string,
    readonly tools: ReadonlyMap<string, BroughtTool>,
    private readonly leaseMs: number,
    now: number,
  ) {
    this.#aliveUntilMs = now + leaseMs;
  }

  renew(now: number): void {
    this.#aliveUntilMs = now + this.leaseMs;
  }

  isAlive(now: number): boolean {
    return now < this.#aliveUntilMs;
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** Takes no more calls. */
  leave(): void {
    this.#isLeaving = true;
    this.endPoll();
  }

  /** How many calls of this tool, in the version that was accepted, it would take now. */
  roomFor(tool: string, digest: string): number {
    const brought = this.tools.get(tool);
    if (!this.#poll || brought?.digest !== digest) return 0;
    if (brought.concurrency === 0) return this.#poll.room;
    let running = 0;
    for (const { offered } of this.held.values()) if (offered.tool === tool) running++;
    return Math.min(this.#poll.room, brought.concurrency - running);
  }

  /** How many calls it would take now at most. */
  get room(): number {
    return this.#poll?.room ?? 0;
  }

  /** Hands a call over with the poll that waits. All calls of one tick go together. */
  hand(offered: OfferedCall, untilMs: number, now: number): void {
    const poll = this.#poll;
    if (!poll || poll.room <= 0) throw new TypeError('a call is handed over only where there is room');
    poll.bytes += Buffer.byteLength(offered.call.argumentsJson);
    // One more call of any length has to fit: the next poll takes it.
    poll.room = poll.bytes > ARGUMENT_BYTES_MAX ? 0 : poll.room - 1;
    poll.calls.push({ ...offered.call, id: offered.id, timeLeftMs: Math.max(0, untilMs - now) });
    this.held.set(offered.id, { offered, handedAtMs: now, untilMs });
    if (poll.calls.length === 1) setImmediate(() => this.#end(poll));
  }

  /**
   * Waits for calls. A poll that comes while another one waits takes its place.
   * @returns calls; none when the time has passed.
   */
  poll(callsMax: number, waitMs: number): Promise<WorkerCall[]> {
    this.endPoll();
    if (this.#isLeaving) return Promise.resolve([]);
    return new Promise((resolve) => {
      const poll: OpenPoll = {
        room: callsMax,
        bytes: 0,
        calls: [],
        answer: (calls) => {
          clearTimeout(timer);
          resolve(calls);
        },
      };
      const timer = setTimeout(() => this.#end(poll), waitMs);
      this.#poll = poll;
    });
  }

  /** Answers the poll that waits with what there is. */
  endPoll(): void {
    if (this.#poll) this.#end(this.#poll);
  }

  #end(poll: OpenPoll): void {
    if (this.#poll === poll) this.#poll = undefined;
    poll.answer(poll.calls);
  }
}
