// The tree of RFC 6962 over any source of subtree roots: hashes in memory here, tiles in tile-proof.ts.
import { invariant } from '@weft/kernel';
import { EMPTY_ROOT, nodeHash } from './hash.js';

/** The root of leaves [start, end) for ranges that occur as nodes of the tree; 0 <= start < end. */
export type RangeRoot = (start: number, end: number) => Uint8Array;

/** Root of a tree over the leaf hashes; `EMPTY_ROOT` without leaves. Source: RFC 6962, section 2.1. */
export function merkleRoot(leafHashes: readonly Uint8Array[]): Uint8Array {
  return leafHashes.length === 0 ? EMPTY_ROOT : rangeRootOf(leafHashes)(0, leafHashes.length);
}

/**
 * Path of a leaf to the root, from the leaf upwards. A defect when the tree has no such leaf.
 * Source: RFC 6962, section 2.1.1.
 */
export function inclusionPath(leafHashes: readonly Uint8Array[], index: number): readonly Uint8Array[] {
  return inclusionPathFrom(rangeRootOf(leafHashes), index, leafHashes.length);
}

/**
 * Proof that the tree over all leaf hashes extends the one over the first `oldSize`; empty for `oldSize` 0 or all.
 * A defect when `oldSize` is larger than the tree. Source: RFC 6962, section 2.1.2.
 */
export function consistencyPath(leafHashes: readonly Uint8Array[], oldSize: number): readonly Uint8Array[] {
  return consistencyPathFrom(rangeRootOf(leafHashes), oldSize, leafHashes.length);
}

/** `inclusionPath` over any source of subtree roots. */
export function inclusionPathFrom(rootOf: RangeRoot, index: number, size: number): readonly Uint8Array[] {
  invariant(Number.isSafeInteger(index) && index >= 0 && index < size, `a tree of ${size} leaves has no leaf ${index}`);
  const path: Uint8Array[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + leftSize(end - start);
    if (index < middle) {
      path.push(rootOf(middle, end));
      end = middle;
    } else {
      path.push(rootOf(start, middle));
      start = middle;
    }
  }
  return path.toReversed();
}

/** `consistencyPath` over any source of subtree roots. */
export function consistencyPathFrom(rootOf: RangeRoot, oldSize: number, size: number): readonly Uint8Array[] {
  invariant(Number.isSafeInteger(oldSize) && oldSize >= 0 && oldSize <= size, `a tree of ${size} leaves never had ${oldSize}`);
  if (oldSize === 0) return [];
  const path: Uint8Array[] = [];
  let [start, end] = [0, size];
  while (end !== oldSize) {
    const middle = start + leftSize(end - start);
    if (oldSize <= middle) {
      path.push(rootOf(middle, end));
      end = middle;
    } else {
      path.push(rootOf(start, middle));
      start = middle;
    }
  }
  // The verifier has the old root; any smaller subtree that ends the old tree must be told.
  if (start > 0) path.push(rootOf(start, end));
  return path.toReversed();
}

/** Leaves in the left subtree of a tree of `size` >= 2 leaves: the largest power of two below it. */
export function leftSize(size: number): number {
  let left = 1;
  while (left * 2 < size) left *= 2;
  return left;
}

function rangeRootOf(leafHashes: readonly Uint8Array[]): RangeRoot {
  const rootOf: RangeRoot = (start, end) => {
    if (end - start === 1) return leafHashes[start]!;
    const middle = start + leftSize(end - start);
    return nodeHash(rootOf(start, middle), rootOf(middle, end));
  };
  return rootOf;
}
