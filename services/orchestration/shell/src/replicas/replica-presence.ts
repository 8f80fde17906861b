// Whether this process is one of the present replicas, which share of the buckets is its own, and when others have gone.
import { EVERY_BUCKET, NO_BUCKET, shareOf, type BucketShare } from '@weft/orchestration/core';
import type { ReplicaRows } from './replica-rows.js';

/** What the rest of the process asks about its place among the replicas. */
export abstract class Replicas {
  /** Buckets that this process looks after right now. */
  abstract share(): BucketShare;
  /** Whether nobody else works on the store; undefined until that is known. */
  abstract isAlone(): boolean | undefined;
  /** Whether this process was not heard for longer than the others wait. */
  abstract isAway(): boolean;
}

/** The process that has the store for itself. */
export const ONLY_REPLICA: Replicas = { share: () => EVERY_BUCKET, isAlone: () => true, isAway: () => false };

/** What follows from being there, and from not being there. */
export interface PresenceEffects {
  /** Others are gone: what they had begun is to be found. */
  takeOver(): void;
  /** This process was away for longer than others wait: what it remembers may be theirs by now. */
  forgetAll(): void;
  /** It cannot do its work: the partitions it holds serve better elsewhere. Called again with each failure. */
  suspend(): Promise<void>;
  resume(): Promise<void>;
  /** Whether it could tell the world of a decision. */
  canTell(): boolean;
  onFault(fault: unknown, what: string): void;
}

export interface PresenceTiming {
  /** Silence after which a replica counts as gone, in milliseconds. */
  readonly ttlMs: number;
  /** Milliseconds by a clock that never goes back, and that goes on while the process is stopped. Default: the process's own. */
  readonly monotonicMs?: () => number;
}

// A beat may be late by several without anybody taking over.
const BEATS_PER_TTL = 6;
// Coming back from a pause one is there again within a beat: no reason to leave the group.
const SUSPEND_AFTER_TTL = 1 / 3;

export class ReplicaPresence extends Replicas {
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #present: readonly string[] = [];
  /** When the last beat that was answered had begun: others saw it then or later. */
  #beatAt = -Infinity;
  #beating: Promise<void> | undefined;
  #awaySince: number | undefined;
  #isSuspended = false;
  #moving: Promise<void> | undefined;
  #isStopped = false;

  constructor(
    private readonly life: string,
    private readonly rows: ReplicaRows,
    private readonly effects: PresenceEffects,
    private readonly timing: PresenceTiming,
  ) {
    super();
    this.#now = timing.monotonicMs ?? ((): number => performance.now());
  }

  /** Resolves after the first beat, also when it fails: it is tried again for ever. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => this.look(), this.timing.ttlMs / BEATS_PER_TTL);
    this.look();
    await this.#beating;
  }

  /** Leaves, so that the others need not wait. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await Promise.all([this.#beating, this.#moving]);
    await this.rows.leave();
  }

  share(): BucketShare {
    return this.#isHere() ? shareOf(this.life, this.#present) : NO_BUCKET;
  }

  isAlone(): boolean | undefined {
    if (!this.#isHere()) return undefined;
    return this.#present.length === 1 && this.#present[0] === this.life;
  }

  isAway(): boolean {
    return this.#beatAt !== -Infinity && !this.#isHere();
  }

  /** One look: beats unless a beat is under way, and notices when others can no longer count on this process. */
  look(): void {
    if (this.#isStopped) return;
    this.#beating ??= this.#beat().finally(() => (this.#beating = undefined));
    const now = this.#now();
    if (this.#isHere() || this.#beatAt === -Infinity) return;
    if (this.#awaySince === undefined) {
      this.#awaySince = now;
      this.effects.forgetAll();
    } else if (!this.#isSuspended && now - this.#awaySince >= this.timing.ttlMs * SUSPEND_AFTER_TTL) {
      this.#isSuspended = true;
      this.#move(this.effects.suspend(), 'giving partitions back');
    }
  }

  async #beat(): Promise<void> {
    const began = this.#now();
    try {
      const before = this.#present;
      const isFirst = this.#beatAt === -Infinity;
      this.#present = await this.rows.beat(this.effects.canTell() && !this.#isSuspended);
      this.#beatAt = began;
      if (!this.#isHere()) return;
      this.#awaySince = undefined;
      if (this.#isSuspended && this.#moving === undefined) this.#comeBack();
      const gone = before.filter((life) => life !== this.life && !this.#present.includes(life));
      if (!isFirst && gone.length > 0) this.effects.takeOver();
    } catch (fault) {
      this.effects.onFault(fault, 'saying that this replica is there');
    }
  }

  #comeBack(): void {
    this.#move(
      this.effects.resume().then(() => void (this.#isSuspended = false)),
      'taking partitions up again',
    );
  }

  #move(moving: Promise<void>, what: string): void {
    this.#moving = moving.catch((fault: unknown) => this.effects.onFault(fault, what)).finally(() => (this.#moving = undefined));
  }

  #isHere(): boolean {
    return this.#now() - this.#beatAt < this.timing.ttlMs;
  }
}
