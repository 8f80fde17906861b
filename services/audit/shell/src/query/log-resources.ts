// The log as tlog-tiles resources. Tiles are stored in their widest form; a narrower one is the beginning of it.
import { execute, type Pool } from '@weft/adapter-postgres';
import type { HashTileId } from '@weft/audit/core';
import type { Checkpoint } from '@weft/contracts';
import { encodeEntryBundle, HASH_BYTES, TILE_WIDTH, tilePath, type TileId } from '@weft/tlog';

const TILES_SQL = `select t.level, t.index::float8 as index, t.bytes from audit.tiles t join unnest($1::smallint[], $2::bigint[]) as w(level, index) using (level, index)`;
const ENTRIES_SQL = 'select entry from audit.leaves where index >= $1 and index < $2 order by index';
const HEAD_SQL = 'select size::float8 as size, note from audit.head';

export class LogResources {
  /** @param pool of the sequencer's role: bundles hold the leaves of all tenants. @param verifierKey the log's public key. */
  constructor(
    private readonly pool: Pool,
    private readonly verifierKey: string,
  ) {}

  /** The newest signed checkpoint; undefined before the log was first signed. */
  async checkpoint(): Promise<Checkpoint | undefined> {
    const [row] = await execute<{ size: number; note: string }>(this.pool, { name: 'audit-checkpoint-1', text: HEAD_SQL, values: [] });
    return row && row.note !== '' ? { note: row.note, verifierKey: this.verifierKey, size: row.size } : undefined;
  }

  /** The bytes of a tile or entry bundle; undefined when the log does not reach that far. */
  async tile(tile: TileId): Promise<Uint8Array | undefined> {
    const { level, index, width } = tile;
    if (level !== 'entries') return (await tilesByPathFrom(this.pool, [{ level, index, width }])).get(tilePath(tile));
    const rows = await execute<{ entry: Buffer }>(this.pool, { name: 'audit-entries-1', text: ENTRIES_SQL, values: [index * TILE_WIDTH, index * TILE_WIDTH + width] });
    return rows.length === width ? encodeEntryBundle(rows.map(({ entry }) => entry)) : undefined;
  }
}

/** Tiles in the widths asked for, by path; those that the log does not reach are missing. */
export async function tilesByPathFrom(pool: Pool, tiles: readonly HashTileId[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const rows = await execute<{ level: number; index: number; bytes: Buffer }>(pool, {
    name: 'audit-tiles-1',
    text: TILES_SQL,
    values: [tiles.map(({ level }) => level), tiles.map(({ index }) => index)],
  });
  const stored = new Map(rows.map(({ level, index, bytes }) => [`${level}/${index}`, bytes]));
  const found = new Map<string, Uint8Array>();
  for (const tile of tiles) {
    const bytes = stored.get(`${tile.level}/${tile.index}`);
    if (bytes && bytes.length >= tile.width * HASH_BYTES) found.set(tilePath(tile), bytes.subarray(0, tile.width * HASH_BYTES));
  }
  return found;
}
