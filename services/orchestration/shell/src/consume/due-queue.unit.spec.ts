import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DueQueue, type DueTimer } from './due-queue.js';

const NOW = Date.UTC(2026, 0, 1);
const timer = (id: string): DueTimer => ({ executionId: 'e', id });

let fired: { readonly at: number; readonly ids: readonly string[] }[] = [];
let queue: DueQueue;
beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  fired = [];
  queue = new DueQueue({ now: () => Date.now() }, (due) => void fired.push({ at: Date.now() - NOW, ids: due.map(({ id }) => id) }));
});
afterEach(() => vi.useRealTimers());

describe('DueQueue', () => {
  it('fires never before the time, and what is due within a tick together', () => {
    queue.add(timer('late'), NOW + 50);
    queue.add(timer('a'), NOW + 9);
    queue.add(timer('b'), NOW + 12);
    queue.add(timer('past'), NOW - 1_000);
    vi.advanceTimersByTime(8);
    expect(fired).toEqual([{ at: 0, ids: ['past'] }]);
    vi.advanceTimersByTime(100);
    expect(fired.slice(1)).toEqual([
      { at: 12, ids: ['a', 'b'] },
      { at: 52, ids: ['late'] },
    ]);
    expect(queue.size).toBe(0);
  });

  it('fires a timer that is added twice once, and again when it is added after it fired', () => {
    queue.add(timer('a'), NOW + 4);
    queue.add(timer('a'), NOW + 400);
    vi.advanceTimersByTime(1_000);
    expect(fired).toHaveLength(1);
    queue.add(timer('a'), NOW + 1_004);
    vi.advanceTimersByTime(1_000);
    expect(fired).toHaveLength(2);
  });

  it('fires nothing that it was told to forget', () => {
    queue.add(timer('a'), NOW + 4);
    queue.clear();
    vi.advanceTimersByTime(1_000);
    expect([fired, queue.size]).toEqual([[], 0]);
  });

  it('waits on when the clock says that it is too early', () => {
    let skewMs = 2;
    queue = new DueQueue({ now: () => Date.now() - skewMs }, (due) => void fired.push({ at: Date.now() - NOW, ids: due.map(({ id }) => id) }));
    queue.add(timer('a'), NOW + 4);
    skewMs = 10;
    vi.advanceTimersByTime(9);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(20);
    expect(fired).toHaveLength(1);
  });
});
