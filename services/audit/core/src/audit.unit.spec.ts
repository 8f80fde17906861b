import { commitLeafOf, encodeCommitLeaf } from '@weft/proof';
import { encodeEntryBundle, leafHash, merkleRoot, proveInclusion, sameBytes, tilePath, tilesByPath, utf8Bytes, verifyInclusion, verifyTree } from '@weft/tlog';
import { describe, expect, it } from 'vitest';
import { commitRowOf, executionsOf } from './commit-row.js';
import { appendToEdge, EMPTY_EDGE, type LogEdge } from './log-edge.js';
import { proofTiles } from './proof-tiles.js';

const entry = (index: number): Uint8Array => utf8Bytes(`entry ${index}`);

/** A log grown by appends of these sizes, with the widest form of each tile, as the store keeps them. */
function grown(sizes: readonly number[]): { readonly edge: LogEdge; readonly tiles: ReadonlyMap<string, Uint8Array>; readonly entries: readonly Uint8Array[] } {
  const tiles = new Map<string, Uint8Array>();
  const entries: Uint8Array[] = [];
  let edge = EMPTY_EDGE;
  for (const size of sizes) {
    const fresh = Array.from({ length: size }, (_, n) => entry(entries.length + n));
    const appended = appendToEdge(edge, fresh);
    if (!appended.ok) throw new Error(appended.rejection.message);
    entries.push(...fresh);
    edge = appended.edge;
    for (const { level, index, bytes } of appended.tiles) {
      const before = tiles.get(`${level}/${index}`);
      if (before) expect(sameBytes(before, bytes.subarray(0, before.length))).toBe(true);
      tiles.set(`${level}/${index}`, bytes);
    }
  }
  return { edge, tiles, entries };
}

describe('appendToEdge', () => {
  it.each([[[1, 1, 1]], [[255, 1, 1]], [[256]], [[257, 255, 3]], [[300, 212, 512, 7]], [[65_536 + 3]]])('grows by %j into the tree of all entries', (sizes) => {
    const { edge, tiles, entries } = grown(sizes);
    expect(edge.head).toEqual({ size: entries.length, root: merkleRoot(entries.map(leafHash)) });
    const reader = (level: number | 'entries', index: number, width: number): Uint8Array | undefined =>
      level === 'entries' ? encodeEntryBundle(entries.slice(index * 256, index * 256 + width)) : tiles.get(`${level}/${index}`)?.subarray(0, width * 32);
    expect(verifyTree(reader, edge.head)).toMatchObject({ ok: true, entries: entries.length });
  });

  it('appends nothing to an edge that is not the edge of its head', () => {
    const { edge } = grown([5]);
    const changed = { ...edge, entries: edge.entries.with(2, utf8Bytes('another')) };
    expect(appendToEdge(changed, [entry(9)])).toMatchObject({ ok: false, rejection: { code: 'tile-mismatch' } });
    expect(appendToEdge({ ...edge, head: { size: 5, root: new Uint8Array(32) } }, [entry(9)])).toMatchObject({ ok: false, rejection: { code: 'tree-root-mismatch' } });
  });
});

describe('proofTiles', () => {
  it.each([1, 2, 255, 256, 257, 300, 511, 512, 513, 1000, 65_535, 65_536, 65_537, 66_000])('names all tiles that proofs in a tree of %i leaves read', (size) => {
    const { edge, tiles, entries } = grown([size]);
    for (const index of new Set([0, 1, Math.floor(size / 3), Math.floor(size / 2), size - 1].filter((at) => at < size))) {
      const fetched = new Map(proofTiles(size, index).map((tile) => [tilePath(tile), tiles.get(`${tile.level}/${tile.index}`)!.subarray(0, tile.width * 32)]));
      const proof = proveInclusion(tilesByPath(fetched), size, index);
      if (!proof.ok) throw new Error(proof.rejection.message);
      expect(verifyInclusion({ index, size, leafHash: leafHash(entries[index]!), path: proof.path, root: edge.head.root })).toBe(true);
    }
  });
});

describe('commitRowOf', () => {
  const stored = { id: 'c1', service: 'orchestration', tenants: ['default'], members: '[["0190f6d2-0000-7000-8000-000000000001",0],["tool/1",3]]', digests: new Uint8Array(64).fill(7), at: 1_000 };

  it('gives each member its digest', () => {
    const reading = commitRowOf(stored);
    if (!reading.ok) throw new Error(reading.rejection.message);
    expect(reading.commit.members.map(({ subject, sequence, digest }) => [subject, sequence, digest.length])).toEqual([
      ['0190f6d2-0000-7000-8000-000000000001', 0, 32],
      ['tool/1', 3, 32],
    ]);
    expect(encodeCommitLeaf(commitLeafOf(reading.commit)).ok).toBe(true);
    expect(executionsOf(reading.commit)).toEqual(['0190f6d2-0000-7000-8000-000000000001']);
  });

  it.each([['not JSON'], ['{}'], ['[["a"]]'], ['[["a",1]]']])('refuses a row whose members are %s', (members) => {
    expect(commitRowOf({ ...stored, members })).toMatchObject({ ok: false, rejection: { code: 'commit-row-invalid' } });
  });
});
