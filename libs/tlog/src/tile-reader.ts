import { HASH_BYTES } from './hash.js';
import { parseEntryBundle } from './entry-bundle.codec.js';
import { leave } from './outcome.js';
import { TILE_WIDTH, tilePath, type TileId, type TileLevel } from './tile-path.codec.js';

/**
 * Gives the bytes of a tile or entry bundle, or undefined when there are none. Where a partial one is gone because its full one
 * exists, the full one is asked for next, so a reader answers for exactly the width it is asked for.
 */
export type TileReader = (level: TileLevel, index: number, width: number) => Uint8Array | undefined;

/** A reader over tiles by path: a log in memory, or tiles that were fetched beforehand. */
export const tilesByPath =
  (tiles: ReadonlyMap<string, Uint8Array>): TileReader =>
  (level, index, width) =>
    tiles.get(tilePath({ level, index, width }));

/** Hashes at a tile level, complete subtrees only, in a tree of `size` leaves. */
export const hashesAtLevel = (size: number, level: number): number => Math.floor(size / TILE_WIDTH ** level);

/** Hashes or entries in a tile of a tree of `size` leaves; 0 when the tree does not reach it. */
export function widthInTree(size: number, level: TileLevel, index: number): number {
  const hashes = hashesAtLevel(size, level === 'entries' ? 0 : level);
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** The partial tiles and the partial bundle of a tree of `size` leaves: all that appending to it reads. At most nine. */
export function rightEdgeTiles(size: number): readonly TileId[] {
  const tiles: TileId[] = [];
  for (let level = 0; hashesAtLevel(size, level) > 0; level++) {
    const hashes = hashesAtLevel(size, level);
    const at = { index: Math.floor(hashes / TILE_WIDTH), width: hashes % TILE_WIDTH };
    if (at.width === 0) continue;
    if (level === 0) tiles.push({ level: 'entries', ...at });
    tiles.push({ level, ...at });
  }
  return tiles;
}

/** The hashes of a tile, one after the other. Leaves with `tile-missing` or `tile-mismatch` (wrong length). */
export function readHashTile(reader: TileReader, tile: TileId & { readonly level: number }): Uint8Array {
  const { bytes, width } = readExactOrFull(reader, tile);
  if (bytes.length !== width * HASH_BYTES) {
    leave('tile-mismatch', `Expected ${width * HASH_BYTES} bytes in ${tilePath({ ...tile, width })} but found ${bytes.length}`, { tile: tilePath({ ...tile, width }) });
  }
  return bytes.subarray(0, tile.width * HASH_BYTES);
}

/** The entries of a bundle. Leaves with `tile-missing` or `tile-mismatch` (not as many whole entries as its width says). */
export function readEntries(reader: TileReader, index: number, width: number): readonly Uint8Array[] {
  const tile: TileId = { level: 'entries', index, width };
  const found = readExactOrFull(reader, tile);
  const entries = parseEntryBundle(found.bytes);
  const path = tilePath({ ...tile, width: found.width });
  if (entries === undefined) return leave('tile-mismatch', `Expected whole entries in ${path} but the last one is cut off`, { tile: path });
  if (entries.length !== found.width) {
    leave('tile-mismatch', `Expected ${found.width} entries in ${path} but found ${entries.length}`, { tile: path });
  }
  return entries.slice(0, width);
}

function readExactOrFull(reader: TileReader, { level, index, width }: TileId): { readonly bytes: Uint8Array; readonly width: number } {
  for (const tried of width === TILE_WIDTH ? [width] : [width, TILE_WIDTH]) {
    const bytes = reader(level, index, tried);
    if (bytes !== undefined) return { bytes, width: tried };
  }
  const path = tilePath({ level, index, width });
  return leave('tile-missing', `Expected ${path} but the log does not have it`, { tile: path });
}
