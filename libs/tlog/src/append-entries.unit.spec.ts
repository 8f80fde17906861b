import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendEntries, type Appended } from './append-entries.js';
import { sameBytes } from './bytes.js';
import { ENTRY_BYTES_MAX, encodeEntryBundle, parseEntryBundle } from './entry-bundle.codec.js';
import { EMPTY_ROOT, leafHash } from './hash.js';
import type { Outcome } from './outcome.js';
import { verifyConsistency, verifyInclusion } from './proof-check.js';
import { tilePath } from './tile-path.codec.js';
import { proveConsistency, proveInclusion, rootFromTiles, type TreeHead } from './tile-proof.js';
import { rightEdgeTiles, tilesByPath, type TileReader } from './tile-reader.js';
import { consistencyPath, inclusionPath, merkleRoot } from './tree.js';
import { verifyTree } from './verify-log.js';

const EMPTY: TreeHead = { size: 0, root: EMPTY_ROOT };
const entriesFrom = (start: number, count: number): Uint8Array[] => Array.from({ length: count }, (_, n) => new TextEncoder().encode(`entry ${start + n}`));

function got<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(outcome.rejection.message);
  return outcome;
}

/** Appends in chunks of the given sizes; every tile ever stored stays. */
function grow(chunks: readonly number[]): { readonly tiles: Map<string, Uint8Array>; readonly heads: readonly TreeHead[] } {
  const tiles = new Map<string, Uint8Array>();
  const heads = [EMPTY];
  for (const count of chunks) {
    const head = heads.at(-1)!;
    const appended: Appended = got(appendEntries({ reader: tilesByPath(tiles), head, entries: entriesFrom(head.size, count) }));
    for (const { path, bytes } of appended.tiles) tiles.set(path, bytes);
    heads.push(appended.head);
  }
  return { tiles, heads };
}

const chunksOf = fc.array(fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constantFrom(1, 255, 256, 257), fc.integer({ min: 0, max: 900 })), { maxLength: 8 });

describe('appendEntries', () => {
  it('gives the same root and the same tiles however the entries are cut into batches', () => {
    fc.assert(
      fc.property(chunksOf, (chunks) => {
        const { tiles, heads } = grow(chunks);
        const head = heads.at(-1)!;
        const atOnce = grow([head.size]);
        expect(head.root).toEqual(merkleRoot(entriesFrom(0, head.size).map(leafHash)));
        for (const [path, bytes] of atOnce.tiles) expect(sameBytes(tiles.get(path) ?? new Uint8Array(0), bytes), path).toBe(true);
        expect(verifyTree(tilesByPath(tiles), head).ok).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('keeps every earlier head provable from the tiles of its time', () => {
    const { tiles, heads } = grow([3, 250, 10, 300, 1]);
    for (const head of heads) expect(verifyTree(tilesByPath(tiles), head).ok).toBe(true);
  });

  it('goes on from full tiles when partial ones were removed', () => {
    const { tiles, heads } = grow([200, 100, 300]);
    const head = heads.at(-1)!;
    tiles.delete('tile/0/000.p/200');
    tiles.delete('tile/entries/000.p/200');
    expect(rootFromTiles(tilesByPath(tiles), 200)).toEqual({ ok: true, root: heads[1]!.root });
    expect(verifyTree(tilesByPath(tiles), heads[1]!).ok).toBe(true);
    expect(appendEntries({ reader: tilesByPath(tiles), head, entries: entriesFrom(600, 1) }).ok).toBe(true);
  });

  it('reads the right-edge tiles and nothing else', () => {
    for (const size of [0, 1, 255, 256, 257, 65_793]) {
      const { tiles, heads } = grow([size]);
      const read = new Set<string>();
      const reader: TileReader = (level, index, width) => {
        read.add(tilePath({ level, index, width }));
        return tiles.get(tilePath({ level, index, width }));
      };
      got(appendEntries({ reader, head: heads.at(-1)!, entries: entriesFrom(size, 3) }));
      const edge = rightEdgeTiles(size).map(tilePath);
      expect([...read].toSorted()).toEqual(edge.toSorted());
      expect(edge.length).toBeLessThanOrEqual(9);
    }
  });

  it('writes bundles and tiles of all levels up to the third', () => {
    const { tiles, heads } = grow([65_536, 257]);
    const paths = [...tiles.keys()];
    for (const path of ['tile/entries/255', 'tile/entries/257.p/1', 'tile/0/256', 'tile/0/257.p/1', 'tile/1/000', 'tile/1/001.p/1', 'tile/2/000.p/1']) expect(paths).toContain(path);
    expect(heads.at(-1)!.root).toEqual(merkleRoot(entriesFrom(0, 65_793).map(leafHash)));
  });

  it('leaves the log as it is when there is nothing to append', () => {
    expect(appendEntries({ reader: () => undefined, head: EMPTY, entries: [] })).toEqual({ ok: true, head: EMPTY, tiles: [] });
  });

  it('takes an entry of 65535 bytes and refuses one byte more', () => {
    const request = { reader: () => undefined, head: EMPTY };
    expect(appendEntries({ ...request, entries: [new Uint8Array(ENTRY_BYTES_MAX)] }).ok).toBe(true);
    expect(appendEntries({ ...request, entries: [new Uint8Array(1), new Uint8Array(ENTRY_BYTES_MAX + 1)] })).toMatchObject({
      ok: false,
      rejection: { code: 'entry-too-large', details: { entry: 1, bytes: 65_536 } },
    });
  });

  it('refuses to build on tiles that are not the tree of the head', () => {
    const { tiles, heads } = grow([300]);
    const head = heads.at(-1)!;
    const request = { reader: tilesByPath(tiles), head, entries: entriesFrom(300, 1) };
    expect(appendEntries({ ...request, head: { size: 300, root: EMPTY_ROOT } })).toMatchObject({ rejection: { code: 'tree-root-mismatch' } });
    expect(appendEntries({ ...request, head: { size: 301, root: head.root } })).toMatchObject({ rejection: { code: 'tile-missing', details: { tile: 'tile/0/001.p/45' } } });
    for (const path of rightEdgeTiles(300).map(tilePath)) {
      const changed = new Map(tiles);
      changed.set(path, tiles.get(path)!.with(10, tiles.get(path)![10]! ^ 1));
      expect(appendEntries({ ...request, reader: tilesByPath(changed) }).ok, path).toBe(false);
      changed.set(path, tiles.get(path)!.slice(1));
      expect(appendEntries({ ...request, reader: tilesByPath(changed) }), path).toMatchObject({ ok: false, rejection: { code: 'tile-mismatch' } });
    }
  });
});

describe('proofs from tiles', () => {
  it('are those of the tree in memory and verify', () => {
    fc.assert(
      fc.property(chunksOf, fc.nat(), fc.nat(), (chunks, leaf, older) => {
        const { tiles, heads } = grow([...chunks, 1]);
        const { size, root } = heads.at(-1)!;
        const hashes = entriesFrom(0, size).map(leafHash);
        const reader = tilesByPath(tiles);
        const index = leaf % size;
        const { path } = got(proveInclusion(reader, size, index));
        expect(path).toEqual(inclusionPath(hashes, index));
        expect(verifyInclusion({ index, size, leafHash: hashes[index]!, path, root })).toBe(true);

        const old = heads[older % heads.length]!;
        const consistency = got(proveConsistency(reader, old.size, size));
        expect(consistency.path).toEqual(consistencyPath(hashes, old.size));
        expect(verifyConsistency({ oldSize: old.size, oldRoot: old.root, size, root, path: consistency.path })).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('are refused for leaves and sizes beyond the tree, and name a missing tile', () => {
    const reader = tilesByPath(grow([10]).tiles);
    expect(proveInclusion(reader, 10, 10)).toMatchObject({ ok: false, rejection: { code: 'leaf-out-of-range' } });
    expect(proveInclusion(reader, 10, -1)).toMatchObject({ ok: false, rejection: { code: 'leaf-out-of-range' } });
    expect(proveConsistency(reader, 11, 10)).toMatchObject({ ok: false, rejection: { code: 'leaf-out-of-range' } });
    expect(proveInclusion(() => undefined, 10, 3)).toMatchObject({ ok: false, rejection: { code: 'tile-missing', details: { tile: 'tile/0/000.p/10' } } });
  });
});

describe('entry bundles', () => {
  it('have a length of two bytes in front of each entry', () => {
    expect([...encodeEntryBundle([Uint8Array.of(7, 8), new Uint8Array(0)])]).toEqual([0, 2, 7, 8, 0, 0]);
    expect([...encodeEntryBundle([new Uint8Array(0x0102)]).subarray(0, 2)]).toEqual([1, 2]);
  });

  it('are read back, and refused when cut off', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 600 }), { minLength: 1, maxLength: 10 }), (entries) => {
        const bundle = encodeEntryBundle(entries);
        expect(parseEntryBundle(bundle)?.map((entry) => [...entry])).toEqual(entries.map((entry) => [...entry]));
        expect(parseEntryBundle(bundle.subarray(0, -1))).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });
});
