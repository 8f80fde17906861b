import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commitLeafOf, commitRoot, encodeCommitLeaf, parseCommitLeaf, type CommitLeaf, type CommitRow } from './commit-leaf.js';

const ROW: CommitRow = {
  id: 'c-1',
  service: 'orchestration',
  tenants: ['zoo', 'acme', 'zoo'],
  members: [
    { subject: 'e-2', sequence: 4, digest: new Uint8Array(32).fill(1) },
    { subject: 'e-1', sequence: 0, digest: new Uint8Array(32).fill(2) },
  ],
  at: 1_790_000_000_123,
};
const LEAF = commitLeafOf(ROW);
const TEXT = '{"at":"2026-09-21T14:13:20.123Z","id":"c-1","members":[["e-2",4],["e-1",0]],"root":"OgZuD0DGoZgev6YNJBFiXQUXriLC/Ix8F4T/inXHhWU=","service":"orchestration","tenants":["acme","zoo"]}';

const text = fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }).filter((value) => value.isWellFormed());
const rows: fc.Arbitrary<CommitRow> = fc.record({
  id: text,
  service: text,
  tenants: fc.array(text, { minLength: 1, maxLength: 4 }),
  members: fc.uniqueArray(fc.record({ subject: text, sequence: fc.maxSafeNat(), digest: fc.uint8Array({ minLength: 32, maxLength: 32 }) }), {
    minLength: 1,
    maxLength: 9,
    selector: ({ subject, sequence }) => `${sequence} ${subject}`,
  }),
  at: fc.integer({ min: 0, max: 253_402_300_799_999 }),
});

describe('encodeCommitLeaf', () => {
  it('writes canonical JSON with tenants sorted and members in the order of the row', () => {
    const encoded = encodeCommitLeaf(LEAF);
    expect(encoded).toMatchObject({ ok: true, text: TEXT });
    expect(encoded.ok && Buffer.from(encoded.bytes).toString()).toBe(TEXT);
  });

  it('is read back by parseCommitLeaf for any row', () => {
    fc.assert(
      fc.property(rows, (row) => {
        const leaf = commitLeafOf(row);
        const encoded = encodeCommitLeaf(leaf);
        expect(encoded.ok && parseCommitLeaf(encoded.bytes)).toEqual({ ok: true, leaf });
      }),
      { numRuns: 100 },
    );
  });

  it.each<[string, Partial<CommitLeaf>]>([
    ['no member', { members: [] }],
    ['no tenant', { tenants: [] }],
    ['an empty id', { id: '' }],
    ['a broken text', { service: 'a\ud800' }],
    ['tenants out of order', { tenants: ['b', 'a'] }],
    ['a tenant twice', { tenants: ['a', 'a'] }],
    ['a negative sequence', { members: [{ subject: 'e', sequence: -1 }] }],
    [
      'a decision twice',
      {
        members: [
          { subject: 'e', sequence: 1 },
          { subject: 'e', sequence: 1 },
        ],
      },
    ],
    ['a short root', { root: new Uint8Array(31) }],
    ['a time beyond RFC 3339', { at: 253_402_300_800_000 }],
    ['a time that is no number', { at: Number.NaN }],
    ['more bytes than an entry holds', { members: Array.from({ length: 3000 }, (_, sequence) => ({ subject: 'x'.repeat(36), sequence })) }],
  ])('refuses a leaf with %s', (_what, change) => {
    expect(encodeCommitLeaf({ ...LEAF, ...change })).toMatchObject({ ok: false, rejection: { code: 'commit-leaf-invalid' } });
  });
});

describe('parseCommitLeaf', () => {
  it('reads what is written', () => {
    expect(parseCommitLeaf(TEXT)).toEqual({ ok: true, leaf: LEAF });
  });

  it.each([
    ['an empty text', ''],
    ['null', 'null'],
    ['an array', '[]'],
    ['an empty object', '{}'],
    ['a space in front', ` ${TEXT}`],
    ['a line feed behind', `${TEXT}\n`],
    ['an id that is a number', TEXT.replace('"c-1"', '1')],
    ['tenants out of order', TEXT.replace('["acme","zoo"]', '["zoo","acme"]')],
    ['a broken sequence', TEXT.replace('["e-2",4]', '["e-2",4.5]')],
    ['a member of three', TEXT.replace('["e-2",4]', '["e-2",4,0]')],
    ['a number in another form', TEXT.replace('4]', '4.0]')],
    ['a time in another form', TEXT.replace('.123Z', '.1230Z')],
    ['a time that is none', TEXT.replace('2026-09-21T14:13:20.123Z', 'yesterday')],
    ['a field twice', TEXT.replace('"id":"c-1",', '"id":"c-1","id":"c-1",')],
    ['a field more', TEXT.replace('}', ',"x":1}')],
    ['fields in another order', TEXT.replace('"id":"c-1",', '').replace('}', ',"id":"c-1"}')],
    ['a root cut short', TEXT.replace('"root":"O', '"root":"')],
  ])('refuses %s', (_what, entry) => {
    expect(entry).not.toBe(TEXT);
    expect(parseCommitLeaf(entry)).toMatchObject({ ok: false, rejection: { code: 'commit-leaf-invalid' } });
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(parseCommitLeaf(Uint8Array.of(0xff))).toMatchObject({ ok: false, rejection: { code: 'commit-leaf-invalid' } });
  });
});

describe('commitRoot', () => {
  it('depends on the order of the digests', () => {
    const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    expect(commitRoot([one, two])).not.toEqual(commitRoot([two, one]));
  });
});
