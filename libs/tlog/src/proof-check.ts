import { sameBytes } from './bytes.js';
import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './hash.js';

/** The claim that a leaf is in a tree. */
export interface InclusionClaim {
  /** Index of the leaf, from 0. */
  readonly index: number;
  /** Leaves in the tree. */
  readonly size: number;
  readonly leafHash: Uint8Array;
  /** Sibling hashes from the leaf upwards. */
  readonly path: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** The claim that a tree extends an older one. */
export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly size: number;
  readonly root: Uint8Array;
  readonly path: readonly Uint8Array[];
}

/** Whether the path leads from the leaf to the root. Never throws on hostile values. Source: RFC 9162, section 2.1.3.2. */
export function verifyInclusion({ index, size, leafHash, path, root }: InclusionClaim): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || ![leafHash, root, ...path].every(isHash)) return false;
  let [node, last, hash] = [index, size - 1, leafHash];
  for (const sibling of path) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      hash = nodeHash(sibling, hash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && sameBytes(hash, root);
}

/**
 * Whether the proof shows that the tree extends the older one. Every tree extends the empty one; a tree of the same size must have
 * the same root. Never throws on hostile values. Source: RFC 9162, section 2.1.4.2.
 */
export function verifyConsistency({ oldSize, oldRoot, size, root, path }: ConsistencyClaim): boolean {
  if (!isSize(oldSize) || !isSize(size) || oldSize > size || ![oldRoot, root, ...path].every(isHash)) return false;
  if (size === 0 && !sameBytes(root, EMPTY_ROOT)) return false;
  if (oldSize === 0) return path.length === 0 && sameBytes(oldRoot, EMPTY_ROOT);
  if (oldSize === size) return path.length === 0 && sameBytes(oldRoot, root);

  let [node, last] = [oldSize - 1, size - 1];
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  // An old tree that is one complete subtree is where the climb starts; the proof leaves it out.
  const hashes = node === 0 ? [oldRoot, ...path] : path;
  const [first, ...siblings] = hashes;
  if (first === undefined) return false;
  let [oldHash, hash] = [first, first];
  for (const sibling of siblings) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      oldHash = nodeHash(sibling, oldHash);
      hash = nodeHash(sibling, hash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && sameBytes(oldHash, oldRoot) && sameBytes(hash, root);
}

// Sizes reach beyond 32 bits, where JavaScript's bit operators stop.
const half = (n: number): number => Math.floor(n / 2);
const isOdd = (n: number): boolean => n % 2 === 1;
const isSize = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
const isHash = (hash: Uint8Array): boolean => hash instanceof Uint8Array && hash.length === HASH_BYTES;
