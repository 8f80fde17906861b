import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTilePath, tilePath, type TileId } from './tile-path.codec.js';

const GOLDEN: readonly (readonly [TileId, string])[] = [
  [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
  [{ level: 0, index: 0, width: 1 }, 'tile/0/000.p/1'],
  [{ level: 0, index: 999, width: 256 }, 'tile/0/999'],
  [{ level: 0, index: 1000, width: 255 }, 'tile/0/x001/000.p/255'],
  [{ level: 1, index: 1234067, width: 8 }, 'tile/1/x001/x234/067.p/8'],
  [{ level: 'entries', index: 1234067, width: 256 }, 'tile/entries/x001/x234/067'],
  [{ level: 'entries', index: 273, width: 112 }, 'tile/entries/273.p/112'],
  [{ level: 63, index: 5, width: 256 }, 'tile/63/005'],
];

describe('tilePath', () => {
  it.each(GOLDEN)('lays %j under %s', (tile, path) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  it('is read back by parseTilePath', () => {
    const level = fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 63 }));
    fc.assert(
      fc.property(fc.record({ level, index: fc.maxSafeNat(), width: fc.integer({ min: 1, max: 256 }) }, { noNullPrototype: true }), (tile) => {
        expect(parseTilePath(tilePath(tile))).toEqual(tile);
      }),
    );
  });

  it('has no path for what is no tile', () => {
    expect(() => tilePath({ level: 64, index: 0, width: 1 })).toThrow();
    expect(() => tilePath({ level: 0, index: -1, width: 1 })).toThrow();
    expect(() => tilePath({ level: 0, index: 0, width: 0 })).toThrow();
    expect(() => tilePath({ level: 0, index: 0, width: 257 })).toThrow();
  });
});

describe('parseTilePath', () => {
  it.each([
    'tile/0/0',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/x000/001',
    'tile/0/001/002',
    'tile/0/x001',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.p/256',
    'tile/0/../000',
    'tile/data/000',
    '/tile/0/000',
    'tile/0/000\n',
    'tile/0/x999/x999/x999/x999/x999/x999/999',
    '',
  ])('refuses %j', (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });
});
