import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_ROOT, leafHash } from './hash.js';
import { verifyConsistency, verifyInclusion } from './proof-check.js';
import { consistencyPath, inclusionPath, merkleRoot } from './tree.js';

// The eight inputs and roots that implementations of RFC 6962 have shared since Certificate Transparency.
const INPUTS = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const SHARED_LEAVES = INPUTS.map((hex) => leafHash(Buffer.from(hex, 'hex')));
const hex = (hashes: readonly Uint8Array[]): string[] => hashes.map((hash) => Buffer.from(hash).toString('hex'));

const leaves = (count: number): Uint8Array[] => Array.from({ length: count }, (_, n) => leafHash(Uint8Array.of(n >> 8, n & 0xff)));

/** One bit of one byte string among several turned over. */
const flipped = (parts: readonly Uint8Array[], seed: number): Uint8Array[] => {
  const total = parts.reduce((sum, part) => sum + part.length * 8, 0);
  let bit = seed % total;
  return parts.map((part) => {
    const copy = part.slice();
    if (bit >= 0 && bit < part.length * 8) copy[bit >> 3]! ^= 1 << (bit & 7);
    bit -= part.length * 8;
    return copy;
  });
};

describe('merkleRoot', () => {
  it('gives the published root at each size of the shared test tree', () => {
    expect(hex(ROOTS.map((_, size) => merkleRoot(SHARED_LEAVES.slice(0, size))))).toEqual(ROOTS);
    expect(hex([EMPTY_ROOT])).toEqual([ROOTS[0]]);
  });
});

describe('inclusionPath', () => {
  it('gives the published path of the shared test tree', () => {
    expect(hex(inclusionPath(SHARED_LEAVES, 0))).toEqual([
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ]);
    expect(inclusionPath(SHARED_LEAVES.slice(0, 1), 0)).toEqual([]);
  });

  it('verifies for every leaf of every small tree, and for no other index', () => {
    for (let size = 1; size <= 40; size++) {
      const hashes = leaves(size);
      const root = merkleRoot(hashes);
      for (let index = 0; index < size; index++) {
        const claim = { index, size, leafHash: hashes[index]!, path: inclusionPath(hashes, index), root };
        expect(verifyInclusion(claim)).toBe(true);
        for (let other = 0; other < size; other++) if (other !== index) expect(verifyInclusion({ ...claim, index: other })).toBe(false);
      }
    }
  });

  it('has no path for a leaf beyond the tree', () => {
    expect(() => inclusionPath(leaves(3), 3)).toThrow(/no leaf 3/);
  });
});

describe('verifyInclusion', () => {
  it('refuses a path with any bit turned, one hash more or one hash less', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), fc.nat(), (size, at, seed) => {
        const hashes = leaves(size);
        const index = at % size;
        const root = merkleRoot(hashes);
        const path = inclusionPath(hashes, index);
        const [leaf, top, ...rest] = flipped([hashes[index]!, root, ...path], seed);
        expect(verifyInclusion({ index, size, leafHash: leaf!, root: top!, path: rest })).toBe(false);
        expect(verifyInclusion({ index, size, leafHash: hashes[index]!, root, path: [...path, root] })).toBe(false);
        if (path.length > 0) expect(verifyInclusion({ index, size, leafHash: hashes[index]!, root, path: path.slice(1) })).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('refuses hostile numbers and hashes of another length', () => {
    const claim = { index: 0, size: 1, leafHash: SHARED_LEAVES[0]!, path: [], root: SHARED_LEAVES[0]! };
    expect(verifyInclusion(claim)).toBe(true);
    for (const index of [-1, 0.5, Number.NaN, 1, 2 ** 60]) expect(verifyInclusion({ ...claim, index })).toBe(false);
    for (const size of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) expect(verifyInclusion({ ...claim, size })).toBe(false);
    expect(verifyInclusion({ ...claim, leafHash: new Uint8Array(31), root: new Uint8Array(31) })).toBe(false);
  });
});

describe('consistencyPath', () => {
  it('gives the published proof of the shared test tree', () => {
    expect(hex(consistencyPath(SHARED_LEAVES, 6))).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });

  it('verifies between every two sizes of a small tree', () => {
    const hashes = leaves(40);
    const roots = Array.from({ length: 41 }, (_, size) => merkleRoot(hashes.slice(0, size)));
    for (let size = 0; size <= 40; size++) {
      for (let oldSize = 0; oldSize <= size; oldSize++) {
        const path = consistencyPath(hashes.slice(0, size), oldSize);
        expect(verifyConsistency({ oldSize, oldRoot: roots[oldSize]!, size, root: roots[size]!, path })).toBe(true);
      }
    }
  });
});

describe('verifyConsistency', () => {
  it('refuses a proof with any bit turned', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(), fc.nat(), (size, at, seed) => {
        const hashes = leaves(size);
        const oldSize = 1 + (at % (size - 1));
        const [oldRoot, root, ...path] = flipped([merkleRoot(hashes.slice(0, oldSize)), merkleRoot(hashes), ...consistencyPath(hashes, oldSize)], seed);
        expect(verifyConsistency({ oldSize, oldRoot: oldRoot!, size, root: root!, path })).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('refuses a shorter tree, another root at the same size and an empty tree with a root', () => {
    const [one, two] = [merkleRoot(leaves(1)), merkleRoot(leaves(2))];
    expect(verifyConsistency({ oldSize: 2, oldRoot: two, size: 1, root: one, path: [] })).toBe(false);
    expect(verifyConsistency({ oldSize: 1, oldRoot: one, size: 1, root: two, path: [] })).toBe(false);
    expect(verifyConsistency({ oldSize: 0, oldRoot: one, size: 2, root: two, path: [] })).toBe(false);
    expect(verifyConsistency({ oldSize: 0, oldRoot: EMPTY_ROOT, size: 0, root: two, path: [] })).toBe(false);
    expect(verifyConsistency({ oldSize: 1, oldRoot: one, size: 2, root: two, path: [] })).toBe(false);
  });
});
