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
    const [one, other] = [
      { tenant: 'a', id: 'x', n: 1 },
      { tenant: 'b', id: 'x', n: 2 },
    ];
    expect(commitParts([one, other, { ...one, n: 3 }])).toEqual([[{ ...one, n: 3 }, other]]);
  });

  it('cuts very long ids into parts, in order and without a loss, none of them empty', () => {
    const given = items(10, 9_000);
    const parts = commitParts(given);
    expect(parts.map((part) => part.length)).toEqual([4, 4, 2]);
    expect(parts.flat()).toEqual(given);
    expect(commitParts(items(2, 50_000)).map((part) => part.length)).toEqual([1, 1]);
  });

  it.each([
    ['plain', 'x'],
    ['of characters that JSON escapes', '"'],
    ['of wide characters', 'é'],
    ['of control characters', '\u0001'],
  ])('gives parts that fit into a leaf, with ids %s', (_what, character) => {
    const given = Array.from({ length: 256 }, (_, n) => ({ tenant: 't'.repeat(63), id: `${n}/${character.repeat(400)}` }));
    for (const part of commitParts(given)) {
      const members = part.map(({ id }) => ({ subject: `verdict/${id}`, sequence: 0 }));
      const leaf = { id: '01890000-0000-7000-8000-000000000001', service: 'validation', tenants: ['t'.repeat(63)], members, root: Buffer.alloc(32), at: 1_700_000_000_000 };
      expect(encodeCommitLeaf(leaf)).toMatchObject({ ok: true });
    }
  });
});
