// The right edge of the log: all that appending needs to know of it, kept in memory between two appends.
import { appendEntries, EMPTY_ROOT, encodeEntryBundle, TILE_WIDTH, type Outcome, type StoredTile, type TreeHead } from '@weft/tlog';

export interface LogEdge {
  readonly head: TreeHead;
  /** Entries of the last bundle, while it is not full. */
  readonly entries: readonly Uint8Array[];
  /** Bytes of the last tile of each level that is not full, by level. */
  readonly hashes: ReadonlyMap<number, Uint8Array>;
}

/** The edge of a log without leaves. */
export const EMPTY_EDGE: LogEdge = { head: { size: 0, root: EMPTY_ROOT }, entries: [], hashes: new Map() };

/** A tile of hashes to be stored. It begins with the bytes of the narrower tile it takes the place of. */
export type HashTile = StoredTile & { readonly level: number };

/**
 * Appends entries: pure. The edge is checked against its own head first, so an edge that was read from a damaged store appends nothing.
 * Rejections: those of `appendEntries`.
 */
export function appendToEdge(edge: LogEdge, entries: readonly Uint8Array[]): Outcome<{ readonly edge: LogEdge; readonly tiles: readonly HashTile[] }> {
  const appended = appendEntries({
    head: edge.head,
    entries,
    reader: (level, _index, width) => (level === 'entries' ? (width === edge.entries.length ? encodeEntryBundle(edge.entries) : undefined) : edge.hashes.get(level)),
  });
  if (!appended.ok) return appended;
  const tiles = appended.tiles.filter((tile): tile is HashTile => tile.level !== 'entries');
  const hashes = new Map(edge.hashes);
  // Tiles of one level come in order: the last one is the edge, or the edge is empty because it is full.
  for (const { level, width, bytes } of tiles) {
    if (width === TILE_WIDTH) hashes.delete(level);
    else hashes.set(level, bytes);
  }
  const open = appended.head.size % TILE_WIDTH;
  const last = open === 0 ? [] : [...edge.entries, ...entries].slice(-open);
  return { ok: true, edge: { head: appended.head, entries: last, hashes }, tiles };
}
