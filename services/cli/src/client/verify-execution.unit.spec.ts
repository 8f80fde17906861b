import { buildDecisionProof, commitLeafOf, encodeCommitLeaf, memberDigest, payloadDigest, type CommitRow } from '@weft/proof';
import { appendEntries, generateNoteKey, parseSignerKey, signCheckpoint, tilePath, tilesByPath } from '@weft/tlog';
import { describe, expect, it } from 'vitest';
import type { MemberShape, ProofsShape } from './shapes.js';
import { verifyMembers } from './verify-execution.js';
import { tilesOfLog } from './verify-audit-log.js';

const ID = '0198c0de-0000-7000-8000-000000000001';
const key = generateNoteKey('weft.test/audit');
const salt = Buffer.alloc(16, 5);

const memberOf = (sequence: number): MemberShape => {
  const payload = JSON.stringify([`payload ${sequence}`]);
  return { sequence, tenant: 'default', recordedAtMs: 1_700_000_000_000 + sequence, structure: `[{"n":${sequence}}]`, payload, payloadSalt: salt.toString('base64'), payloadDigest: payloadDigest(salt, payload).toString('base64') };
};
const digestOf = ({ sequence, tenant, recordedAtMs: at, structure, payloadDigest: digest }: MemberShape): Buffer => memberDigest({ subject: ID, sequence, tenant, at, structure, payloadDigest: Buffer.from(digest, 'base64') });

/** A log of one commit with all members. */
function logged(members: readonly MemberShape[]): ProofsShape {
  const commit: CommitRow = { id: 'c1', service: 'orchestration', tenants: ['default'], at: 1_700_000_000_000, members: members.map((member) => ({ subject: ID, sequence: member.sequence, digest: digestOf(member) })) };
  const leaf = encodeCommitLeaf(commitLeafOf(commit));
  const signer = parseSignerKey(key.signerKey);
  if (!leaf.ok || !signer.ok) throw new Error('the fixture is wrong');
  const appended = appendEntries(tilesByPath(new Map()), { size: 0, entries: [leaf.bytes] } as never);
  throw new Error(`unused ${JSON.stringify(appended)} ${tilePath.name} ${signCheckpoint.name} ${buildDecisionProof.name}`);
}
void logged;
