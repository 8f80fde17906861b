// The place of one process among the replicas, under a clock that a spec moves and rows that do what it says.
import { BUCKETS } from '@weft/kernel';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EVERY_BUCKET, NO_BUCKET } from '@weft/orchestration/core';
import { ReplicaPresence } from './replica-presence.js';

const TTL_MS = 3_000;

function given(first: readonly string[] = ['a', 'b']) {
  const world = { present: first, isStoreAway: false, isBusAway: false, beats: [] as boolean[], told: [] as string[], resume: async (): Promise<void> => undefined };
  const tell = (what: string) => (): void => void world.told.push(what);
  const presence = new ReplicaPresence(
    'a',
    {
      beat: async (isAble) => {
        if (world.isStoreAway) throw new Error('the store is away');
        world.beats.push(isAble);
        return isAble ? world.present : world.present.filter((life) => life !== 'a');
      },
      leave: async () => tell('left')(),
    },
    {
      takeOver: tell('takes over'),
      forgetAll: tell('forgets'),
      suspend: async () => tell('suspends')(),
      resume: async () => {
        await world.resume();
        tell('resumes')();
      },
      canTell: () => !world.isBusAway,
      onFault: () => undefined,
    },
    { ttlMs: TTL_MS, monotonicMs: () => Date.now() },
  );
  return { world, presence };
}

describe('the place of a replica', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is a share of the buckets among those that are present, and none before it is known', async () => {
    const { presence } = given();
    expect([presence.share(), presence.isAlone(), presence.isAway()]).toEqual([NO_BUCKET, undefined, false]);
    await presence.start();
    expect([presence.share(), presence.isAlone()]).toEqual([{ from: 0, to: BUCKETS / 2 }, false]);
  });

  it('grows when another has gone, and what that one had begun is taken over, once', async () => {
    const { world, presence } = given();
    await presence.start();
    world.present = ['a'];
    await vi.advanceTimersByTimeAsync(2 * TTL_MS);
    expect([presence.share(), presence.isAlone(), world.told]).toEqual([EVERY_BUCKET, true, ['takes over']]);
  });

  it('is none as soon as others may think it gone, without asking the store', async () => {
    const { world, presence } = given();
    await presence.start();
    world.isStoreAway = true;
    await vi.advanceTimersByTimeAsync(TTL_MS - 1);
    expect(presence.share()).not.toEqual(NO_BUCKET);
    expect(presence.isAway()).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect([presence.share(), presence.isAlone(), presence.isAway()]).toEqual([NO_BUCKET, undefined, true]);
  });

  it('comes back from a pause with nothing remembered and its partitions kept', async () => {
    const { world, presence } = given();
    await presence.start();
    // What stopping the process does: time passes and no timer fires.
    vi.setSystemTime(Date.now() + 5 * TTL_MS);
    await vi.advanceTimersByTimeAsync(TTL_MS);
    expect([presence.share(), world.told]).toEqual([{ from: 0, to: BUCKETS / 2 }, ['forgets']]);
  });

  it('gives its partitions back while the store is away, and has no share again before it has them', async () => {
    const { world, presence } = given();
    await presence.start();
    world.isStoreAway = true;
    await vi.advanceTimersByTimeAsync(2 * TTL_MS);
    expect(world.told).toEqual(['forgets', 'suspends']);
    let let_in: () => void = () => undefined;
    world.resume = () => new Promise((resolve) => (let_in = resolve));
    world.isStoreAway = false;
    await vi.advanceTimersByTimeAsync(TTL_MS);
    expect([presence.share(), world.told]).toEqual([NO_BUCKET, ['forgets', 'suspends']]);
    let_in();
    await vi.advanceTimersByTimeAsync(TTL_MS);
    expect([presence.share(), world.told]).toEqual([{ from: 0, to: BUCKETS / 2 }, ['forgets', 'suspends', 'resumes']]);
  });

  it('tries again when the bus does not let it back', async () => {
    const { world, presence } = given();
    await presence.start();
    world.isStoreAway = true;
    await vi.advanceTimersByTimeAsync(2 * TTL_MS);
    let refusals = 2;
    world.resume = async () => {
      if (refusals-- > 0) throw new Error('no broker');
    };
    world.isStoreAway = false;
    await vi.advanceTimersByTimeAsync(TTL_MS);
    expect(world.told.at(-1)).toBe('resumes');
    expect(presence.share()).not.toEqual(NO_BUCKET);
  });

  it('is left to others while it cannot tell the world of decisions', async () => {
    const { world, presence } = given();
    await presence.start();
    world.isBusAway = true;
    await vi.advanceTimersByTimeAsync(TTL_MS);
    expect([presence.share(), world.beats.at(-1), world.told]).toEqual([NO_BUCKET, false, []]);
    world.isBusAway = false;
    await vi.advanceTimersByTimeAsync(TTL_MS);
    expect(presence.share()).not.toEqual(NO_BUCKET);
  });

  it('is given up at once by one that leaves', async () => {
    const { world, presence } = given();
    await presence.start();
    await presence.stop();
    expect(world.told).toEqual(['left']);
  });
});
