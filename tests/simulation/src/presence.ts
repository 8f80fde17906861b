// Which replicas of orchestration are present, by the store's word, and which share of the buckets each of them looks after.
import type { Instant } from '@weft/kernel';
import { NO_BUCKET, shareOf, type BucketShare } from '@weft/orchestration/core';
import type { Process } from './process.js';
import { requireHere } from './store-port.js';
import type { World } from './world.js';

const TTL_MS = 4_500;
const BEAT_MS = 1_500;

export class PresenceTable {
  readonly #beats = new Map<string, Instant>();

  /** Notes that a replica is there. @returns all that were heard of lately. */
  beat(life: string, now: Instant, isPresent: (silentMs: number) => boolean): readonly string[] {
    this.#beats.set(life, now);
    return [...this.#beats].flatMap(([other, at]) => (isPresent(now - at) ? [other] : []));
  }
}

/** The place of one process among the replicas. */
export class Presence {
  #present: readonly string[] = [];
  #beatAt = -Infinity;

  /** @param takeOver told when others have gone. */
  constructor(
    private readonly world: World,
    private readonly process: Process,
    private readonly takeOver: () => void,
  ) {
    this.#beat();
    process.every(BEAT_MS, () => this.#beat());
  }

  /** Buckets that this process looks after right now. */
  share(): BucketShare {
    return this.#isHere() ? shareOf(this.process.name, this.#present) : NO_BUCKET;
  }

  /** Whether nobody else works on the store; undefined until that is known. */
  isAlone(): boolean | undefined {
    return this.#isHere() ? this.#present.length === 1 : undefined;
  }

  #beat(): void {
    const { executions, parts, presence, schedule } = this.world;
    const began = this.process.monotonic();
    this.process
      .ask('beat', () => {
        requireHere(executions.store, schedule);
        return presence.beat(this.process.name, schedule.now, (silentMs) => parts.isPresent(silentMs, TTL_MS));
      })
      .then((present) => {
        const isFirst = this.#beatAt === -Infinity;
        const gone = this.#present.some((life) => !present.includes(life));
        this.#present = present;
        this.#beatAt = began;
        if (gone && !isFirst) this.takeOver();
      })
      .catch(() => undefined);
  }

  #isHere(): boolean {
    return this.process.monotonic() - this.#beatAt < TTL_MS;
  }
}
