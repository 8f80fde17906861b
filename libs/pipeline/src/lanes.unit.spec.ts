import { accepted, type Decider } from '@weft/kernel';
import { MemoryHistoryStore } from '@weft/port-specs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Fault } from './fault.js';
import type { Item, Spine } from './handle-batch.js';
import { Lanes, type LanesOptions } from './lanes.js';
import { StateCache } from './state-cache.js';

// A list that takes numbers as they come.
const list: Decider<readonly number[], number, number, never> = { initial: [], decide: (_state, command) => accepted([command]), evolve: (state, event) => [...state, event] };
type ListSpine = Spine<readonly number[], number, number, never>;

function lanesOn(more: Partial<ListSpine> = {}, options: LanesOptions = {}) {
  const store = new MemoryHistoryStore<readonly number[], number, never>();
  const spine: ListSpine = { decider: list, store, cache: new StateCache(100), clock: { now: () => 0 }, newCommitId: () => 'c', publish: async () => undefined, ...more };
  const faults: string[] = [];
  const lanes = new Lanes(spine, { onFault: (fault, what) => faults.push(`${what}: ${(fault as Error).message}`), ...options });
  return { store, lanes, faults, stored: (key: string) => (store.rows.get(key) ?? []).flat() };
}

const add = (key: string, n: number): Item<number> => ({ key, command: n, messageId: `${key}/${n}` });
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);
const away = (): never => {
  throw new Fault('the store is away', true);
};

/** A commit that ends when it is told to. */
function held() {
  let release = (): void => undefined;
  const until = new Promise<void>((resolve) => (release = resolve));
  return { release: () => release(), hold: async (_commit: unknown, run: () => ReadonlySet<string>) => until.then(run) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('Lanes', () => {
  it('makes one batch of what is handed in together', async () => {
    const { lanes, store } = lanesOn({}, { lanes: 1 });
    await Promise.all(range(10).map((n) => lanes.submit([add('a', n)])));
    expect(store.rows.get('a')).toEqual([range(10)]);
  });

  it('lets the next batch grow while a commit runs, up to its limit', async () => {
    const { lanes, store } = lanesOn({}, { lanes: 1, batchMax: 4 });
    const { hold, release } = held();
    store.script.push(hold);
    const first = lanes.submit([add('a', 0)]);
    await vi.advanceTimersByTimeAsync(0);
    const rest = range(9).map((n) => lanes.submit([add('a', n + 1)]));
    expect(lanes.waiting).toBe(9);
    release();
    await Promise.all([first, ...rest]);
    expect(store.rows.get('a')).toEqual([[0], [1, 2, 3, 4], [5, 6, 7, 8], [9]]);
  });

  it('keeps the order of each key over many batches, whatever lane it takes', async () => {
    const { lanes, stored } = lanesOn({}, { lanes: 3, batchMax: 5 });
    const keys = range(8).map((n) => `key-${n}`);
    await Promise.all(range(60).map((n) => lanes.submit([add(keys[n % 8]!, n)])));
    for (const key of keys) expect(stored(key)).toEqual(range(60).filter((n) => keys[n % 8] === key));
  });

  it('lets one lane decide while the other commits', async () => {
    const { lanes, store } = lanesOn({}, { lanes: 2 });
    const { hold, release } = held();
    store.script.push(hold);
    const slow = lanes.submit([add('a', 1)]);
    await vi.advanceTimersByTimeAsync(0);
    // One of these takes the free lane.
    const others = ['b', 'c', 'd', 'e', 'f', 'g'].map((key) => lanes.submit([add(key, 1)]));
    await Promise.race(others);
    release();
    await Promise.all([slow, ...others]);
  });

  it('handles what is handed in at the moment a lane ends', async () => {
    const { lanes, stored } = lanesOn({}, { lanes: 1 });
    // Each answer hands the next item in, so that it comes in the very turn in which the lane finds its queue empty.
    for (let n = 0; n < 50; n++) {
      const [outcome] = await lanes.submit([add('a', n)]);
      expect(outcome).toEqual({ kind: 'accepted', sequence: n });
    }
    expect(stored('a')).toEqual(range(50));
    await Promise.all(
      range(20).map(async (turns) => {
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        await lanes.submit([add('b', turns)]);
      }),
    );
    expect([...stored('b')].sort((x, y) => x - y)).toEqual(range(20));
  });
});

describe('Lanes and faults', () => {
  it('wait longer and longer while the store is away, then go on in order', async () => {
    const { lanes, store, faults, stored } = lanesOn({}, { lanes: 1 });
    store.script.push(away, away, away);
    const answers = lanes.submit([add('a', 1), add('a', 2)]);
    for (const [elapsed, tries] of [
      [0, 1],
      [19, 1],
      [1, 2],
      [39, 2],
      [1, 3],
      [79, 3],
    ] as const) {
      await vi.advanceTimersByTimeAsync(elapsed);
      expect(faults).toHaveLength(tries);
    }
    await vi.advanceTimersByTimeAsync(1);
    expect(await answers).toMatchObject([{ kind: 'accepted' }, { kind: 'accepted' }]);
    expect(stored('a')).toEqual([1, 2]);
    expect(faults).toEqual(Array.from({ length: 3 }, () => 'batch: the store is away'));
  });

  it('put what comes meanwhile behind what waits', async () => {
    const { lanes, store, stored } = lanesOn({}, { lanes: 1 });
    store.script.push(away);
    const first = lanes.submit([add('a', 1)]);
    await vi.advanceTimersByTimeAsync(5);
    const second = lanes.submit([add('a', 2)]);
    await vi.advanceTimersByTimeAsync(50);
    await Promise.all([first, second]);
    expect(stored('a')).toEqual([1, 2]);
  });

  it('answer what is durable although its effects could not be handed on', async () => {
    const { lanes, faults } = lanesOn({ publish: () => Promise.reject(new Error('the bus is away')) });
    expect(await lanes.submit([add('a', 1)])).toEqual([{ kind: 'accepted', sequence: 0 }]);
    expect(faults).toEqual(['publish: the bus is away']);
  });

  it('answer only after the effects have been handed on', async () => {
    let handOn = (): void => undefined;
    const { lanes } = lanesOn({ publish: () => new Promise<void>((resolve) => (handOn = resolve)) });
    let answered = false;
    const answer = lanes.submit([add('a', 1)]).then(() => (answered = true));
    await vi.advanceTimersByTimeAsync(10);
    expect(answered).toBe(false);
    handOn();
    await answer;
  });
});

describe('Lanes that are full', () => {
  it('let callers wait for room', async () => {
    const { lanes, store, stored } = lanesOn({}, { lanes: 1, batchMax: 2, queueMax: 4 });
    const { hold, release } = held();
    store.script.push(hold);
    const first = lanes.submit([add('a', 0)]);
    await vi.advanceTimersByTimeAsync(0);
    const queued = range(5).map((n) => lanes.submit([add('a', n + 1)]));
    const late = lanes.submit([add('a', 6)]);
    await vi.advanceTimersByTimeAsync(0);
    expect(lanes.waiting).toBe(5);
    release();
    await Promise.all([first, ...queued, late]);
    expect(stored('a')).toEqual(range(7));
  });
});

describe('Lanes that stop', () => {
  it('finish what they have and take no more', async () => {
    const { lanes, stored } = lanesOn();
    const answers = lanes.submit(range(300).map((n) => add('a', n)));
    const stopped = lanes.stop();
    await expect(lanes.submit([add('a', 999)])).rejects.toMatchObject({ name: 'Fault', retryable: true });
    await stopped;
    expect(await answers).toHaveLength(300);
    expect(stored('a')).toHaveLength(300);
  });

  it('refuse what cannot be finished because the store is away', async () => {
    const { lanes, store } = lanesOn({}, { lanes: 1, batchMax: 1 });
    store.script.push(...range(20).map(() => away));
    const answers = Promise.allSettled(range(3).map((n) => lanes.submit([add('a', n)])));
    await vi.advanceTimersByTimeAsync(0);
    const stopped = lanes.stop();
    await vi.advanceTimersByTimeAsync(100);
    await stopped;
    expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(lanes.waiting).toBe(0);
  });

  it('wake callers that wait for room, to be refused', async () => {
    const { lanes, store } = lanesOn({}, { lanes: 1, batchMax: 1, queueMax: 1 });
    const { hold, release } = held();
    store.script.push(hold);
    const first = lanes.submit([add('a', 0), add('a', 1), add('a', 2)]);
    await vi.advanceTimersByTimeAsync(0);
    const waiting = expect(lanes.submit([add('a', 3)])).rejects.toMatchObject({ retryable: true });
    const stopped = lanes.stop();
    await waiting;
    release();
    await Promise.all([first, stopped]);
  });
});
