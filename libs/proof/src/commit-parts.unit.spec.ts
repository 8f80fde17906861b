import { describe, expect, it } from 'vitest';
import { encodeCommitLeaf } from './commit-leaf.js';
import { commitParts } from './commit-parts.js';

const items = (count: number, idBytes: number) => Array.from({ length: count }, (_, n) => ({ tenant: 'default', id: `${n}`.padEnd(idBytes, 'x'), n }));

describe('commitParts', () => {
  it('leaves an ordinary batch whole', () => {
    expect(commitParts(items(256, 80))).toEqual([items(256, 80)]);
    expect(commitParts([])).toEqual([[]]);
  });

  it('keeps one of each tenant and id, the last', () => {
    const [one, other] = [{ tenant: 'a', id: 'x', n: 1 }, { tenant: 'b', id: 'x', n: 2 }];
    expect(commitParts([one, other, { ...one, n: 3 }])).toEqual([[{ ...one, n: 3 }, other]]);
  });

  it('cuts very long ids into parts, in order and without a loss, none of them empty', () => {
    const given = items(10, 9_000);
    const parts = commitParts(given);
    expect(parts.map((part) => part.length)).toEqual([4, 4, 2]);
    expect(parts.flat()).toEqual(given);
    expect(commitParts(items(2, 50_000)).map((part) => part.length)).toEqual([1, 1]);
  });
LEAF
});
