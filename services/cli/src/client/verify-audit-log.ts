// Reads the whole audit log over HTTP, in the layout of tlog-tiles, and verifies it offline.
import { parseVerifierKey, tilePath, TILE_WIDTH, tilesByPath, verifyLog, type TileId } from '@weft/tlog';
import { CommandFailed, EXIT } from '../exit-codes.js';
import type { GatewayClient } from './gateway-client.js';
import type { CheckpointShape } from './shapes.js';

/** What was found. */
export interface LogVerdict {
  readonly verified: boolean;
  readonly size: number;
  readonly origin: string;
  readonly tiles: number;
  /** Why it is not verified; '' when it is. */
  readonly reason: string;
  readonly verifierKey: string;
}

const FETCHES_AT_ONCE = 8;

/** Every tile and entry bundle of a log of `size` entries, partial ones last. */
export function tilesOfLog(size: number): readonly TileId[] {
  const tiles: TileId[] = [];
  for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / TILE_WIDTH)) {
    for (let index = 0; index * TILE_WIDTH < hashes; index++) {
      const width = Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH);
      if (level === 0) tiles.push({ level: 'entries', index, width });
      tiles.push({ level, index, width });
    }
  }
  return tiles;
}

/** @param pinnedKey the log's key as the verifier knows it. Without it the key comes from the gateway as well. */
export async function verifyAuditLog(client: GatewayClient, onProgress: (text: string) => void, pinnedKey?: string): Promise<LogVerdict> {
  const { body: checkpoint } = await client.call<CheckpointShape>('/v1/audit/checkpoint', { headers: { accept: 'application/json' } });
  const verifierKey = pinnedKey ?? checkpoint.verifierKey;
  const key = parseVerifierKey(verifierKey);
  if (!key.ok) throw new CommandFailed(key.rejection.message, pinnedKey === undefined ? EXIT.failed : EXIT.usage);
  const wanted = tilesOfLog(checkpoint.size);
  const tiles = new Map<string, Uint8Array>();
  const waiting = [...wanted];
  let saidAt = Date.now();
  const fetchSome = async (): Promise<void> => {
    for (let tile = waiting.shift(); tile; tile = waiting.shift()) {
      const bytes = await client.bytes(`/v1/audit/${tilePath(tile)}`);
      if (bytes) tiles.set(tilePath(tile), bytes);
      if (Date.now() - saidAt < 500) continue;
      saidAt = Date.now();
      onProgress(`read ${tiles.size} of ${wanted.length} tiles`);
    }
  };
  await Promise.all(Array.from({ length: FETCHES_AT_ONCE }, fetchSome));
  const verified = verifyLog({ reader: tilesByPath(tiles), checkpoint: checkpoint.note, verifier: key.verifier });
  const head = { size: checkpoint.size, origin: key.verifier.name, verifierKey };
  return verified.ok ? { ...head, verified: true, tiles: verified.tiles, reason: '' } : { ...head, verified: false, tiles: tiles.size, reason: verified.rejection.message };
}
