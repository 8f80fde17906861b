import { invariant } from '@weft/kernel';

/** Hashes in a full tile and entries in a full bundle: tiles are 8 tree levels high. */
export const TILE_WIDTH = 256;

/** Level of a hash tile, 0 to 63 (its hashes are the nodes at tree level 8 * level), or the entry bundles. */
export type TileLevel = number | 'entries';

/** One tile or entry bundle of a log. */
export interface TileId {
  readonly level: TileLevel;
  /** Position among the tiles of its level, from 0. */
  readonly index: number;
  /** Hashes or entries in it, 1 to 256; less than 256 at the right edge only. */
  readonly width: number;
}

/**
 * Where a tile lies below the log's prefix, such as `tile/1/x001/x234/067.p/8` or `tile/entries/000`.
 * Source: c2sp.org/tlog-tiles, "Merkle Tree" and "Log Entries".
 */
export function tilePath({ level, index, width }: TileId): string {
  invariant(level === 'entries' || (Number.isInteger(level) && level >= 0 && level <= 63), `a tile level is 0 to 63 or entries, not ${level}`);
  invariant(Number.isSafeInteger(index) && index >= 0, `a tile index is an integer >= 0, not ${index}`);
  invariant(Number.isInteger(width) && width >= 1 && width <= TILE_WIDTH, `a tile width is 1 to ${TILE_WIDTH}, not ${width}`);
  const groups = [threeDigits(index % 1000)];
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) groups.unshift(`x${threeDigits(rest % 1000)}`);
  return `tile/${level}/${groups.join('/')}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

const PATH = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** The tile of a path, or undefined for a text that `tilePath` never gives: safe to use on paths from outside. */
export function parseTilePath(path: string): TileId | undefined {
  const [, level, groups, partial] = PATH.exec(path) ?? [];
  if (level === undefined || groups === undefined) return undefined;
  const tile: TileId = {
    level: level === 'entries' ? level : Number(level),
    index: Number(groups.replaceAll(/[x/]/g, '')),
    width: partial === undefined ? TILE_WIDTH : Number(partial),
  };
  if (tile.width > TILE_WIDTH || !Number.isSafeInteger(tile.index) || (tile.level !== 'entries' && tile.level > 63)) return undefined;
  return tilePath(tile) === path ? tile : undefined;
}

const threeDigits = (n: number): string => String(n).padStart(3, '0');
