import { buildDecisionProof, commitLeafOf, encodeCommitLeaf, memberDigest, payloadDigest, type CommitRow } from '@weft/proof';
import { appendEntries, EMPTY_ROOT, noteKeyFromSeed, parseSignerKey, signCheckpoint, tilesByPath } from '@weft/tlog';
import { describe, expect, it } from 'vitest';
import type { MemberShape, ProofsShape } from './shapes.js';
import { tilesOfLog } from './verify-audit-log.js';
import { verifyMembers } from './verify-execution.js';

const ID = '0198c0de-0000-7000-8000-000000000001';
const KEY = noteKeyFromSeed('weft.example/audit', new Uint8Array(32).fill(5));
const OTHER_KEY = noteKeyFromSeed('weft.example/audit', new Uint8Array(32).fill(6));
const SALT = Buffer.alloc(16, 5);

const members: readonly MemberShape[] = [0, 1, 2].map((sequence) => {
  const payload = JSON.stringify([`payload ${sequence}`]);
  return {
    sequence,
    tenant: 'default',
    recordedAtMs: 1_700_000_000_000 + sequence,
    structure: `[{"n":${sequence}}]`,
    payload,
    payloadSalt: SALT.toString('base64'),
    payloadDigest: payloadDigest(SALT, payload).toString('base64'),
  };
});

/** The proofs that a log of one commit with these members hands out. */
function proofsOf(logged: readonly MemberShape[]): ProofsShape {
  const digestOf = ({ sequence, tenant, recordedAtMs: at, structure, payloadDigest: digest }: MemberShape): Buffer =>
    memberDigest({ subject: ID, sequence, tenant, at, structure, payloadDigest: Buffer.from(digest, 'base64') });
  const commit: CommitRow = {
    id: 'c1',
    service: 'orchestration',
    tenants: ['default'],
    at: 1_700_000_000_000,
    members: logged.map((member) => ({ subject: ID, sequence: member.sequence, digest: digestOf(member) })),
  };
  const [leaf, signer] = [encodeCommitLeaf(commitLeafOf(commit)), parseSignerKey(KEY.signerKey)];
  if (!leaf.ok || !signer.ok) return expect.unreachable('the commit is one that can be logged');
  const appended = appendEntries({ reader: () => undefined, head: { size: 0, root: EMPTY_ROOT }, entries: [leaf.bytes] });
  if (!appended.ok) return expect.unreachable('the log is empty before');
  const reader = tilesByPath(new Map(appended.tiles.map(({ path, bytes }) => [path, bytes])));
  const checkpoint = signCheckpoint({ origin: 'weft.example/audit', ...appended.head }, [signer.signer]);
  const proofs = logged.map(({ sequence }, memberIndex) => {
    const built = buildDecisionProof({ commit, memberIndex, leafIndex: 0, checkpoint, reader });
    if (!built.ok) return expect.unreachable(built.rejection.message);
    return { sequence, leafIndex: 0, treeSize: 1, proof: JSON.parse(JSON.stringify(built.proof)) as unknown };
  });
  return { executionId: ID, proofs, checkpoint: { size: 1, note: checkpoint, verifierKey: KEY.verifierKey }, pending: 0 };
}
const proofs = proofsOf(members);
const changed = (change: Partial<MemberShape>): readonly MemberShape[] => members.map((member) => (member.sequence === 1 ? { ...member, ...change } : member));

describe('verifyMembers', () => {
  it('verifies decisions that are in the log as they are shown', () => {
    expect(verifyMembers(ID, members, proofs)).toMatchObject({ verified: true, index: 0, treeSize: 1, decisions: [{ verified: true }, { verified: true }, { verified: true }] });
  });

  it('proves the structure of a decision whose payload was erased', () => {
    expect(verifyMembers(ID, changed({ payload: '"erased"', payloadErased: true }), proofs).verified).toBe(true);
  });

  it.each([
    ['its payload', { payload: '["another"]' }],
    ['its structure', { structure: '[{"n":7}]' }],
    ['its time', { recordedAtMs: 1 }],
    ['its tenant', { tenant: 'other' }],
    ['its payload together with the digest', { payload: '["another"]', payloadDigest: payloadDigest(SALT, '["another"]').toString('base64') }],
  ])('finds the decision where %s was changed, and no other', (_what, change) => {
    const verdict = verifyMembers(ID, changed(change), proofs);
    expect(verdict.verified).toBe(false);
    expect(verdict.decisions.map(({ verified }) => verified)).toEqual([true, false, true]);
  });

  it('refuses a history with a decision left out', () => {
    const verdict = verifyMembers(
      ID,
      members.filter(({ sequence }) => sequence !== 1),
      proofs,
    );
    expect(verdict.decisions[1]).toMatchObject({ verified: false, reason: 'Expected decision 1 but 2 follows: one is missing.' });
  });

  it('says which decisions are not in the log yet', () => {
    const verdict = verifyMembers(ID, members, { ...proofs, proofs: proofs.proofs.slice(0, 2), pending: 1 });
    expect(verdict.decisions[2]).toMatchObject({ verified: false, index: -1, reason: 'Expected it in the log but it is not there yet.' });
  });

  it('trusts the key that the verifier brings, not the one that the server names', () => {
    expect(verifyMembers(ID, members, proofs, OTHER_KEY.verifierKey).verified).toBe(false);
    expect(verifyMembers(ID, members, { ...proofs, checkpoint: { ...proofs.checkpoint!, verifierKey: OTHER_KEY.verifierKey } }, KEY.verifierKey).verified).toBe(true);
  });

  it('verifies nothing where there is nothing', () => {
    expect(verifyMembers(ID, [], { ...proofs, proofs: [] }).verified).toBe(false);
  });
});

describe('tilesOfLog', () => {
  it('names every bundle and every hash tile of a log', () => {
    const names = (size: number): string[] => tilesOfLog(size).map(({ level, index, width }) => `${level}/${index}/${width}`);
    expect(names(0)).toEqual([]);
    expect(names(5)).toEqual(['entries/0/5', '0/0/5']);
    expect(names(600)).toEqual(['entries/0/256', '0/0/256', 'entries/1/256', '0/1/256', 'entries/2/88', '0/2/88', '1/0/2']);
  });
});
