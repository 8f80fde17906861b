import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './hash.js';
import { outcomeOf, refusal, type Outcome } from './outcome.js';
import { TILE_WIDTH } from './tile-path.codec.js';
import { readHashTile, widthInTree, type TileReader } from './tile-reader.js';
import { consistencyPathFrom, inclusionPathFrom, leftSize, type RangeRoot } from './tree.js';

/** Size and root of a tree. */
export interface TreeHead {
  /** Leaves in the tree, a safe integer >= 0. */
  readonly size: number;
  readonly root: Uint8Array;
}

/** Root of the tree of `size` leaves, from its right-edge tiles alone. Rejections: `tile-missing`, `tile-mismatch`. */
export function rootFromTiles(reader: TileReader, size: number): Outcome<{ readonly root: Uint8Array }> {
  return outcomeOf(() => ({ root: treeRoot(reader, size) }));
}

/**
 * Path of leaf `index` in the tree of `size` leaves, from a few tiles per level.
 * The path is only as good as the tiles: check it with `verifyInclusion` against a signed root.
 * Rejections: `leaf-out-of-range`, `tile-missing`, `tile-mismatch`.
 */
export function proveInclusion(reader: TileReader, size: number, index: number): Outcome<{ readonly path: readonly Uint8Array[] }> {
  if (!isSize(size) || !isSize(index) || index >= size) {
    return refusal('leaf-out-of-range', `Expected a leaf below ${size} but was asked for ${index}`, { index, size });
  }
  return outcomeOf(() => ({ path: inclusionPathFrom(tileRangeRoot(reader, size), index, size) }));
}

/**
 * Proof that the tree of `size` leaves extends the one of `oldSize`.
 * Rejections: `leaf-out-of-range` (older size above the newer), `tile-missing`, `tile-mismatch`.
 */
export function proveConsistency(reader: TileReader, oldSize: number, size: number): Outcome<{ readonly path: readonly Uint8Array[] }> {
  if (!isSize(oldSize) || !isSize(size) || oldSize > size) {
    return refusal('leaf-out-of-range', `Expected an older size of at most ${size} but was asked for ${oldSize}`, { oldSize, size });
  }
  return outcomeOf(() => ({ path: consistencyPathFrom(tileRangeRoot(reader, size), oldSize, size) }));
}

/** As `rootFromTiles`, leaving with the rejection. */
export function treeRoot(reader: TileReader, size: number): Uint8Array {
  return size === 0 ? EMPTY_ROOT : tileRangeRoot(reader, size)(0, size);
}

/** Root of the complete tree over 2^n hashes that lie one after the other. */
export function hashesRoot(hashes: Uint8Array): Uint8Array {
  let row = hashes;
  while (row.length > HASH_BYTES) {
    const above = new Uint8Array(row.length / 2);
    for (let at = 0; at < row.length; at += 2 * HASH_BYTES) {
      above.set(nodeHash(row.subarray(at, at + HASH_BYTES), row.subarray(at + HASH_BYTES, at + 2 * HASH_BYTES)), at / 2);
    }
    row = above;
  }
  return row;
}

/** Subtree roots from the tiles of a tree; each tile is read once. */
function tileRangeRoot(reader: TileReader, size: number): RangeRoot {
  const tiles = new Map<string, Uint8Array>();
  const tileOf = (level: number, index: number): Uint8Array => {
    const key = `${level}/${index}`;
    const known = tiles.get(key);
    if (known !== undefined) return known;
    const tile = readHashTile(reader, { level, index, width: widthInTree(size, level, index) });
    tiles.set(key, tile);
    return tile;
  };
  const rootOf: RangeRoot = (start, end) => {
    const leaves = end - start;
    const left = leaves === 1 ? 1 : leftSize(leaves);
    if (leaves > 1 && left * 2 !== leaves) return nodeHash(rootOf(start, start + left), rootOf(start + left, end));
    // A complete subtree: its root folds from at most 128 neighbouring hashes of one tile.
    let [level, width] = [0, leaves];
    while (width >= TILE_WIDTH) [level, width] = [level + 1, width / TILE_WIDTH];
    const position = start / TILE_WIDTH ** level;
    const offset = position % TILE_WIDTH;
    return hashesRoot(tileOf(level, (position - offset) / TILE_WIDTH).subarray(offset * HASH_BYTES, (offset + width) * HASH_BYTES));
  };
  return rootOf;
}

const isSize = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
