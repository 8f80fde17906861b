import { describe, expect, it } from 'vitest';
import { StateCache } from './state-cache.js';

describe('StateCache', () => {
  it('lets go of what was used least recently', () => {
    const cache = new StateCache<string>(2);
    cache.set('a', 0, 'A');
    cache.set('b', 0, 'B');
    cache.get('a');
    cache.set('c', 0, 'C');
    expect([cache.get('a'), cache.get('b'), cache.get('c'), cache.size]).toEqual([{ version: 0, state: 'A' }, undefined, { version: 0, state: 'C' }, 2]);
  });

  it('keeps few of those that rest, and one that is used again rests no longer', () => {
    const cache = new StateCache<string>(10, 1);
    for (const key of ['a', 'b', 'c']) cache.set(key, 0, key);
    cache.rest('a');
    cache.get('a');
    cache.rest('b');
    cache.rest('c');
    cache.rest('unknown');
    expect(['a', 'b', 'c'].map((key) => cache.get(key)?.state)).toEqual(['a', undefined, 'c']);
  });

  it('keeps one entry a key, and forgets what it is told to', () => {
    const cache = new StateCache<string>(2);
    cache.set('a', 0, 'A');
    cache.set('a', 1, 'B');
    expect([cache.get('a'), cache.size]).toEqual([{ version: 1, state: 'B' }, 1]);
    cache.drop('a');
    expect(cache.get('a')).toBeUndefined();
  });
});
