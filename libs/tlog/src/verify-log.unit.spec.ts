import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendEntries } from './append-entries.js';
import { encodeCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from './checkpoint.codec.js';
import { encodeEntryBundle, parseEntryBundle } from './entry-bundle.codec.js';
import { EMPTY_ROOT } from './hash.js';
import { noteKeyFromSeed, parseSignerKey, parseVerifierKey } from './note-key.codec.js';
import { signNote } from './note.codec.js';
import { tilesByPath } from './tile-reader.js';
import { verifyLog } from './verify-log.js';

const ORIGIN = 'weft.example/audit';
const pair = noteKeyFromSeed(ORIGIN, new Uint8Array(32).fill(7));
const parsed = { signer: parseSignerKey(pair.signerKey), verifier: parseVerifierKey(pair.verifierKey) };
if (!parsed.signer.ok || !parsed.verifier.ok) throw new Error('no key');
const { signer } = parsed.signer;
const { verifier } = parsed.verifier;

const SIZE = 66_000;
const entries = Array.from({ length: SIZE }, (_, n) => new TextEncoder().encode(`${n}`));
const appended = appendEntries({ reader: () => undefined, head: { size: 0, root: EMPTY_ROOT }, entries });
if (!appended.ok) throw new Error('no log');
const { head } = appended;
const tiles = new Map(appended.tiles.map(({ path, bytes }) => [path, bytes]));
const checkpoint = signCheckpoint({ origin: ORIGIN, ...head }, [signer]);

const verifyWith = (path: string, change: (bytes: Uint8Array) => Uint8Array | undefined) => {
  const reader = tilesByPath(tiles);
  // Only what is asked for is changed: copying the map for each try would cost more than the verification.
  return verifyLog({
    checkpoint,
    verifier,
    reader: (level, index, width) => {
      const bytes = reader(level, index, width);
      const isIt = bytes !== undefined && bytes === tiles.get(path);
      return isIt ? change(bytes) : bytes;
    },
  });
};
const turned = (bytes: Uint8Array, bit: number): Uint8Array => bytes.with(bit >> 3, bytes[bit >> 3]! ^ (1 << (bit & 7)));

describe('verifyLog', () => {
  it('accepts a log of three tile levels and counts what it went through', () => {
    expect(verifyLog({ reader: tilesByPath(tiles), checkpoint, verifier })).toMatchObject({ ok: true, entries: SIZE, tiles: 258 + 2 + 1, checkpoint: { origin: ORIGIN, size: SIZE } });
  });

  it('accepts the empty log', () => {
    const empty = signCheckpoint({ origin: ORIGIN, size: 0, root: EMPTY_ROOT }, [signer]);
    expect(verifyLog({ reader: () => undefined, checkpoint: empty, verifier })).toMatchObject({ ok: true, entries: 0, tiles: 0 });
  });

  it('refuses any bit turned in any hash tile, also in those that no right edge reads', () => {
    const hashTiles = [...tiles.keys()].filter((path) => !path.startsWith('tile/entries'));
    fc.assert(
      fc.property(fc.constantFrom(...hashTiles.slice(0, 2), ...hashTiles.slice(-5)), fc.nat(), (path, seed) => {
        const result = verifyWith(path, (bytes) => turned(bytes, seed % (bytes.length * 8)));
        expect(result).toMatchObject({ ok: false, rejection: { code: 'tile-mismatch', details: { tile: path } } });
      }),
      { numRuns: 6 },
    );
  });

  it('refuses any bit turned in an entry, and names the entry', () => {
    fc.assert(
      fc.property(fc.nat({ max: 255 }), fc.nat(), (at, seed) => {
        const result = verifyWith('tile/entries/001', (bytes) => {
          const all = parseEntryBundle(bytes)!;
          return encodeEntryBundle(all.with(at, turned(all[at]!, seed % (all[at]!.length * 8))));
        });
        expect(result).toMatchObject({ ok: false, rejection: { code: 'tile-mismatch', details: { tile: 'tile/0/001', index: 256 + at } } });
      }),
      { numRuns: 20 },
    );
  });

  it('refuses entries that were swapped, removed, added or cut', () => {
    const bundle = (change: (all: readonly Uint8Array[]) => readonly Uint8Array[]) => verifyWith('tile/entries/000', (bytes) => encodeEntryBundle(change(parseEntryBundle(bytes)!)));
    expect(bundle(([one, two, ...rest]) => [two!, one!, ...rest])).toMatchObject({ ok: false, rejection: { details: { index: 0 } } });
    expect(bundle((all) => all.slice(1))).toMatchObject({ ok: false, rejection: { code: 'tile-mismatch', details: { tile: 'tile/entries/000' } } });
    expect(bundle((all) => [...all, all[0]!])).toMatchObject({ ok: false, rejection: { code: 'tile-mismatch' } });
    expect(verifyWith('tile/entries/000', (bytes) => bytes.slice(0, -1))).toMatchObject({ ok: false, rejection: { code: 'tile-mismatch' } });
  });

  it('names a missing or cut tile', () => {
    for (const path of ['tile/entries/003', 'tile/0/003', 'tile/2/000.p/1']) {
      expect(verifyWith(path, () => undefined)).toMatchObject({ ok: false, rejection: { code: 'tile-missing', details: { tile: path } } });
    }
    expect(verifyWith('tile/1/000', (bytes) => bytes.slice(1))).toMatchObject({ ok: false, rejection: { code: 'tile-mismatch', details: { tile: 'tile/1/000' } } });
  });

  it('refuses a signed root that is not the one of the entries', () => {
    const other = signCheckpoint({ origin: ORIGIN, size: SIZE, root: head.root.with(0, head.root[0]! ^ 1) }, [signer]);
    expect(verifyLog({ reader: tilesByPath(tiles), checkpoint: other, verifier })).toMatchObject({ ok: false, rejection: { code: 'tree-root-mismatch' } });
  });

  it('refuses any bit turned in the checkpoint', () => {
    const bytes = Buffer.from(checkpoint);
    fc.assert(
      fc.property(fc.nat({ max: bytes.length * 8 - 1 }), (bit) => {
        expect(openCheckpoint(Buffer.from(turned(bytes, bit)).toString('utf8'), verifier).ok).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe('checkpoints', () => {
  it('are three lines and extensions, and are read back', () => {
    const text = encodeCheckpoint({ origin: ORIGIN, size: 12, root: new Uint8Array(32), extensions: ['x 1'] });
    expect(text).toBe(`${ORIGIN}\n12\n${'A'.repeat(43)}=\nx 1\n`);
    expect(parseCheckpoint(text)).toEqual({ ok: true, checkpoint: { origin: ORIGIN, size: 12, root: new Uint8Array(32), extensions: ['x 1'] } });
  });

  const root = `${'A'.repeat(43)}=`;
  it.each([
    '',
    'o\n',
    'o\n1\n',
    `o\n1\n${root}`,
    `o\n01\n${root}\n`,
    `o\n-1\n${root}\n`,
    `o\n1.0\n${root}\n`,
    `o\n99999999999999999\n${root}\n`,
    `o\n0\n${root}\n`,
    `\n1\n${root}\n`,
    `o\n1\n${root}\n\n`,
    `o\n1\n${root.slice(4)}\n`,
    `o\n1\n${root.replace('=', '')}\n`,
    `o\n1\n${root.replace('A=', 'B=')}\n`,
  ])('are refused in the form %j', (text) => {
    expect(parseCheckpoint(text)).toMatchObject({ ok: false, rejection: { code: 'checkpoint-invalid' } });
  });

  it('are refused when they are of another log than the key', () => {
    const foreign = signNote(encodeCheckpoint({ origin: 'other.example/log', ...head }), [signer]);
    expect(openCheckpoint(foreign, verifier)).toMatchObject({ ok: false, rejection: { code: 'checkpoint-invalid' } });
  });

  it('cannot be written with a line that would read as another', () => {
    expect(() => encodeCheckpoint({ origin: 'a\n5', ...head })).toThrow();
    expect(() => encodeCheckpoint({ origin: 'a', ...head, extensions: [''] })).toThrow();
  });
});
