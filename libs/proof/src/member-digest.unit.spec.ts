import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { memberDigest, payloadDigest, type MemberRow } from './member-digest.js';

const EXECUTION = '01890000-0000-7000-8000-000000000001';
const row: MemberRow = {
  subject: 'e1',
  sequence: 3,
  tenant: 'default',
  at: 1_700_000_000_000,
  structure: '[{"type":"TaskCompleted"}]',
  payloadDigest: payloadDigest(Buffer.alloc(16, 7), '["secret"]'),
};

describe('memberDigest', () => {
  it('is SHA-256 over the head, the payload digest in hex and the structure', () => {
    const text = `weft-member-v1\ndefault\ne1\n3\n1700000000000\n${createHash('sha256').update(Buffer.alloc(16, 7)).update('["secret"]').digest('hex')}\n[{"type":"TaskCompleted"}]`;
    expect(memberDigest(row).toString('hex')).toBe(createHash('sha256').update(text).digest('hex'));
  });

  it.each([
    ['an execution', EXECUTION, '54404820f400c9417ad190e5684bf9906df3af69b113708de0218cb1c4e2d482'],
    ['an effect', `default/${EXECUTION}/do/0/send//0`, '1493b61fb622411b87f1517e882c0db50531220cd8747fc051e5be7ceea96370'],
  ])('is the same for ever for what was recorded of %s', (_what, subject, golden) => {
    expect(memberDigest({ ...row, subject }).toString('hex')).toBe(golden);
  });

  it.each([
    ['subject', { subject: 'e2' }],
    ['sequence', { sequence: 4 }],
    ['tenant', { tenant: 'other' }],
    ['time', { at: row.at + 1 }],
    ['structure', { structure: '[]' }],
    ['payload', { payloadDigest: payloadDigest(Buffer.alloc(16, 7), '["secreT"]') }],
    ['salt', { payloadDigest: payloadDigest(Buffer.alloc(16, 8), '["secret"]') }],
  ])('changes with the %s', (_what, change) => {
    expect(memberDigest({ ...row, ...change })).not.toEqual(memberDigest(row));
  });
});
