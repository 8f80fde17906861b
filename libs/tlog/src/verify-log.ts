import { base64Text, sameBytes } from './bytes.js';
import { openCheckpoint, type Checkpoint } from './checkpoint.codec.js';
import { HASH_BYTES, leafHash } from './hash.js';
import type { NoteVerifier } from './note-key.codec.js';
import { leave, outcomeOf, type Outcome } from './outcome.js';
import { TILE_WIDTH, tilePath } from './tile-path.codec.js';
import { readEntries, readHashTile, widthInTree, type TileReader } from './tile-reader.js';
import { hashesRoot, treeRoot, type TreeHead } from './tile-proof.js';

/** What was gone through. */
export interface LogCount {
  readonly entries: number;
  /** Hash tiles compared, all levels. */
  readonly tiles: number;
}

/**
 * Verifies a whole log against its signed checkpoint: signature, each entry, each hash tile, root.
 * Rejections: those of `openCheckpoint` and of `verifyTree`.
 */
export function verifyLog(request: {
  readonly reader: TileReader;
  /** The checkpoint as a signed note. */
  readonly checkpoint: string;
  readonly verifier: NoteVerifier;
}): Outcome<LogCount & { readonly checkpoint: Required<Checkpoint> }> {
  const opened = openCheckpoint(request.checkpoint, request.verifier);
  if (!opened.ok) return opened;
  const verified = verifyTree(request.reader, opened.checkpoint);
  return verified.ok ? { ...verified, checkpoint: opened.checkpoint } : verified;
}

/**
 * Verifies that the stored log is the tree of a head: hashes every entry and compares **every** tile with what follows from the
 * entries. Deriving the root alone would accept a flipped bit in a tile that no right edge reads, and proofs from it would fail.
 * Rejections, with `details.tile` and where known `details.index` (the leaf): `tile-missing`, `tile-mismatch`, `tree-root-mismatch`.
 */
export function verifyTree(reader: TileReader, head: TreeHead): Outcome<LogCount> {
  return outcomeOf(() => {
    const levels: Level[] = [];
    let tiles = 0;
    const add = (at: number, hash: Uint8Array): void => {
      const level = (levels[at] ??= { index: 0, width: 0, hashes: new Uint8Array(TILE_WIDTH * HASH_BYTES) });
      level.hashes.set(hash, level.width * HASH_BYTES);
      level.width++;
      if (level.width < TILE_WIDTH) return;
      compareTile(reader, at, level);
      tiles++;
      const root = hashesRoot(level.hashes);
      level.index++;
      level.width = 0;
      add(at + 1, root);
    };
    for (let index = 0; index * TILE_WIDTH < head.size; index++) {
      for (const entry of readEntries(reader, index, widthInTree(head.size, 'entries', index))) add(0, leafHash(entry));
    }
    levels.forEach((level, at) => {
      if (level.width === 0) return;
      compareTile(reader, at, level);
      tiles++;
    });
    // From the hashes computed here, not from a second reading, which might answer otherwise.
    const root = treeRoot((level, _index, width) => (level === 'entries' ? undefined : levels[level]?.hashes.subarray(0, width * HASH_BYTES)), head.size);
    if (!sameBytes(root, head.root)) {
      leave('tree-root-mismatch', `Expected root ${base64Text(head.root)} at size ${head.size} but the entries give ${base64Text(root)}`, { size: head.size });
    }
    return { entries: head.size, tiles };
  });
}

/** The tile that is being filled at a level, or the last, partial one. */
interface Level {
  index: number;
  width: number;
  readonly hashes: Uint8Array;
}

function compareTile(reader: TileReader, level: number, { index, width, hashes }: Level): void {
  const tile = { level, index, width };
  const found = readHashTile(reader, tile);
  if (sameBytes(found, hashes.subarray(0, width * HASH_BYTES))) return;
  const at = Math.floor(found.findIndex((byte, position) => byte !== hashes[position]) / HASH_BYTES);
  const path = tilePath(tile);
  const position = index * TILE_WIDTH + at;
  if (level === 0) leave('tile-mismatch', `Expected the hash of entry ${position} in ${path} but it has another: the entry or the tile was changed`, { tile: path, index: position });
  leave('tile-mismatch', `Expected hash ${at} of ${path} to follow from the tile below it but it does not`, { tile: path });
}
