import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from './seeded-random.js';

const draws = (seed: number | string, count: number): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => random.next());
};

describe('seededRandom', () => {
  it('gives the same draws for the same seed, for ever', () => {
    expect(draws(42, 100)).toEqual(draws('42', 100));
    expect(Array.from(seededRandom(42).bytes(8))).toEqual([66, 137, 167, 19, 151, 97, 44, 104]);
  });

  it('gives other draws for a near seed', () => {
    expect(draws(1, 4)).not.toEqual(draws(2, 4));
  });

  it('spreads its draws evenly over [0, 1)', () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (const draw of draws(7, 20_000)) tenths[Math.floor(draw * 10)]!++;
    for (const count of tenths) expect(Math.abs(count - 2_000)).toBeLessThan(200);
  });

  it('keeps integers inside their range, both ends reached', () => {
    const random = seededRandom('dice');
    const seen = new Set(Array.from({ length: 300 }, () => random.integer(1, 6)));
    expect([...seen].toSorted()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(() => random.integer(2, 1)).toThrow('a range of integers');
  });

  it('shuffles into a permutation and leaves the list alone', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.nat()), (seed, list) => {
        const before = [...list];
        expect(seededRandom(seed).shuffle(list).toSorted()).toEqual(before.toSorted());
        expect(list).toEqual(before);
      }),
      { numRuns: 50 },
    );
  });

  it('forks a stream that draws on the parent do not move', () => {
    const parent = seededRandom(5);
    const fork = parent.fork('kills').next();
    parent.next();
    expect(parent.fork('kills').next()).toBe(fork);
    expect(parent.fork('delays').next()).not.toBe(fork);
  });

  it('refuses to pick from an empty list', () => {
    expect(() => seededRandom(1).pick([])).toThrow('has a member');
    expect(['a', 'b']).toContain(seededRandom(1).pick(['a', 'b']));
  });

  it('draws chances at about their rate', () => {
    const random = seededRandom(3);
    const hits = Array.from({ length: 10_000 }, () => random.chance(0.2)).filter(Boolean).length;
    expect(Math.abs(hits - 2_000)).toBeLessThan(200);
  });
});
