import { describe, expect, it } from 'vitest';
import { Batcher } from './batcher.js';

describe('Batcher', () => {
  it('puts items that come together into one batch and answers each with its own outcome', async () => {
    const batches: number[][] = [];
    const batcher = new Batcher<number, string>(async (items) => {
      batches.push([...items]);
      return items.map((item) => `done ${item}`);
    });
    expect(await Promise.all([1, 2, 3].map((item) => batcher.submit(item)))).toEqual(['done 1', 'done 2', 'done 3']);
    expect(batches).toEqual([[1, 2, 3]]);
  });

  it('lets a batch grow while as many as allowed are under way, up to its bound', async () => {
    const release: (() => void)[] = [];
    const sizes: number[] = [];
    const batcher = new Batcher<number, number>(
      async (items) => {
        sizes.push(items.length);
        await new Promise<void>((resolve) => release.push(resolve));
        return items;
      },
      { batchMax: 4, underWayMax: 1 },
    );
    const all = Promise.all([0, 1, 2, 3, 4, 5].map((item) => batcher.submit(item)));
    const later = new Promise<number>((resolve) => setTimeout(() => resolve(batcher.submit(6)), 5));
    for (let done = 0; done < 2;) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      for (const free of release.splice(0)) {
        done++;
        free();
      }
    }
    expect(await all).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await later).toBe(6);
    expect(sizes).toEqual([4, 3]);
  });

  it('fails the items of a batch that throws and goes on with the next', async () => {
    const batcher = new Batcher<number, number>(async (items) => {
      if (items.includes(1)) throw new Error('no');
      return items;
    });
    await expect(batcher.submit(1)).rejects.toThrow('no');
    expect(await batcher.submit(2)).toBe(2);
  });

  it('drains what is waiting and what is under way', async () => {
    const seen: number[] = [];
    const batcher = new Batcher<number, number>(async (items) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen.push(...items);
      return items;
    });
    void batcher.submit(1);
    void batcher.submit(2);
    await batcher.drain();
    expect(seen).toEqual([1, 2]);
  });
});
