import { sameBytes, base64Text, joinBytes } from './bytes.js';
import { ENTRY_BYTES_MAX, encodeEntryBundle } from './entry-bundle.codec.js';
import { HASH_BYTES, leafHash } from './hash.js';
import { leave, outcomeOf, refusal, type Outcome } from './outcome.js';
import { TILE_WIDTH, tilePath, type TileId, type TileLevel } from './tile-path.codec.js';
import { hashesAtLevel, readEntries, readHashTile, type TileReader } from './tile-reader.js';
import { hashesRoot, treeRoot, type TreeHead } from './tile-proof.js';

/** A tile or bundle to be stored under its path. */
export interface StoredTile extends TileId {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A log before and what comes to it. */
export interface AppendRequest {
  /** Asked for right-edge tiles of `head.size` only: `rightEdgeTiles` names them. */
  readonly reader: TileReader;
  readonly head: TreeHead;
  readonly entries: readonly Uint8Array[];
}

/** A log after: the first new leaf has index `head.size` of the request. */
export interface Appended {
  readonly head: TreeHead;
  /** New and changed tiles, bundles before the hashes over them. All must be durable before a checkpoint of `head` is signed. */
  readonly tiles: readonly StoredTile[];
}

/**
 * Appends entries to a log: pure, the caller stores what comes out. Partial tiles of the old size stay as they are under their own
 * paths, so a crash before the checkpoint loses nothing and leaves the old head provable.
 * Rejections: `entry-too-large`; `tile-missing`, `tile-mismatch`, `tree-root-mismatch` when what is stored is not the tree of
 * `head`: then nothing may be appended until someone has looked.
 * Source: c2sp.org/tlog-tiles.
 */
export function appendEntries({ reader, head, entries }: AppendRequest): Outcome<Appended> {
  const tooLarge = entries.findIndex((entry) => entry.length > ENTRY_BYTES_MAX);
  if (tooLarge >= 0) {
    const bytes = entries[tooLarge]!.length;
    return refusal('entry-too-large', `Expected entries of at most ${ENTRY_BYTES_MAX} bytes but entry ${tooLarge} has ${bytes}`, { entry: tooLarge, bytes });
  }
  return outcomeOf(() => {
    requireRoot(reader, head);
    if (entries.length === 0) return { head, tiles: [] };
    const bundles = appendBundles(reader, head.size, entries);
    const tiles = [...bundles, ...appendHashes(reader, head.size, entries.map(leafHash))];
    const size = head.size + entries.length;
    return { head: { size, root: treeRoot(over(tiles, reader), size) }, tiles };
  });
}

function requireRoot(reader: TileReader, { size, root }: TreeHead): void {
  const found = treeRoot(reader, size);
  if (sameBytes(found, root)) return;
  leave('tree-root-mismatch', `Expected tiles with root ${base64Text(root)} at size ${size} but they give ${base64Text(found)}`, { size });
}

/** The bundles that change: the partial one at the edge is written again under its new width. */
function appendBundles(reader: TileReader, size: number, entries: readonly Uint8Array[]): StoredTile[] {
  const edge = { index: Math.floor(size / TILE_WIDTH), width: size % TILE_WIDTH };
  const before = edge.width === 0 ? [] : readEntries(reader, edge.index, edge.width);
  if (before.length > 0) {
    // Carried into a new bundle, a changed entry would be covered up by the log itself.
    const hashes = readHashTile(reader, { level: 0, ...edge });
    const changed = before.findIndex((entry, at) => !sameBytes(leafHash(entry), hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)));
    if (changed >= 0) {
      const path = tilePath({ level: 'entries', ...edge });
      leave('tile-mismatch', `Expected entry ${size - edge.width + changed} in ${path} to have the hash in its tile but it has another`, { tile: path, index: size - edge.width + changed });
    }
  }
  const all = [...before, ...entries];
  return chunks(all.length).map(([from, to], n) => stored('entries', edge.index + n, to - from, encodeEntryBundle(all.slice(from, to))));
}

/** The hash tiles that change, level by level: each tile that fills up adds its root to the level above. */
function appendHashes(reader: TileReader, size: number, leafHashes: readonly Uint8Array[]): StoredTile[] {
  const tiles: StoredTile[] = [];
  for (let level = 0, added = leafHashes; added.length > 0; level++) {
    const count = hashesAtLevel(size, level);
    const edge = { level, index: Math.floor(count / TILE_WIDTH), width: count % TILE_WIDTH };
    const row = joinBytes([...(edge.width === 0 ? [] : [readHashTile(reader, edge)]), ...added]);
    const above: Uint8Array[] = [];
    chunks(row.length / HASH_BYTES).forEach(([from, to], n) => {
      const bytes = row.slice(from * HASH_BYTES, to * HASH_BYTES);
      tiles.push(stored(level, edge.index + n, to - from, bytes));
      if (to - from === TILE_WIDTH) above.push(hashesRoot(bytes));
    });
    added = above;
  }
  return tiles;
}

const stored = (level: TileLevel, index: number, width: number, bytes: Uint8Array): StoredTile => ({ level, index, width, path: tilePath({ level, index, width }), bytes });

/** [from, to) of each tile when `count` items are laid out from the start of a tile. */
const chunks = (count: number): readonly (readonly [number, number])[] =>
  Array.from({ length: Math.ceil(count / TILE_WIDTH) }, (_, n) => [n * TILE_WIDTH, Math.min(count, (n + 1) * TILE_WIDTH)] as const);

/** A reader that sees tiles before they are stored. */
function over(tiles: readonly StoredTile[], reader: TileReader): TileReader {
  const fresh = new Map(tiles.map((tile) => [tile.path, tile.bytes]));
  return (level, index, width) => fresh.get(tilePath({ level, index, width })) ?? reader(level, index, width);
}
