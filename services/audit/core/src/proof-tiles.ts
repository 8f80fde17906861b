import { rightEdgeTiles, TILE_WIDTH, type TileId } from '@weft/tlog';

/**
 * The hash tiles that a proof of leaf `index` in the tree of `size` leaves may read, with their widths in that tree: those that
 * the leaf's ancestors lie in, and the right edge. So that they can be fetched in one query.
 */
export function proofTiles(size: number, index: number): readonly HashTileId[] {
  const tiles = new Map<string, HashTileId>();
  for (const { level, index: at, width } of rightEdgeTiles(size)) {
    if (level !== 'entries') tiles.set(`${level}/${at}`, { level, index: at, width });
  }
  for (let level = 0; ; level++) {
    const hashes = Math.floor(size / TILE_WIDTH ** level);
    if (hashes === 0) return [...tiles.values()];
    const at = Math.floor(index / TILE_WIDTH ** (level + 1));
    const width = Math.min(TILE_WIDTH, hashes - at * TILE_WIDTH);
    if (width > 0) tiles.set(`${level}/${at}`, { level, index: at, width });
  }
}

/** A tile of hashes, never a bundle of entries. */
export type HashTileId = TileId & { readonly level: number };
