// Proves offline that an execution's decisions are in the audit log: every digest is computed anew from the row that is shown.
import { memberDigest, payloadDigest, verifyDecisionProof, type DecisionProof } from '@weft/proof';
import { sameBytes } from '@weft/tlog';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayClient } from './gateway-client.js';
import type { MemberShape, ProofsShape } from './shapes.js';

/** What became of one decision. */
export interface DecisionVerdict {
  readonly sequence: number;
  /** Leaf of its commit in the log; -1 when it is not in the log yet. */
  readonly index: number;
  readonly treeSize: number;
  readonly verified: boolean;
  /** Why not; '' when it is verified. */
  readonly reason: string;
}

/** What became of an execution. `index` and `treeSize` are those of its last decision. */
export interface ExecutionVerdict {
  readonly executionId: string;
  readonly verified: boolean;
  readonly index: number;
  readonly treeSize: number;
  readonly decisions: readonly DecisionVerdict[];
  /** The key that all signatures were checked with. */
  readonly verifierKey: string;
}

/**
 * Verifies the decisions of an execution from what the gateway hands out; nothing of it is taken at its word but the key.
 * @param pinnedKey the log's key as the verifier knows it. Without it the key comes from the gateway as well.
 */
export function verifyMembers(executionId: string, members: readonly MemberShape[], { proofs, checkpoint }: ProofsShape, pinnedKey?: string): ExecutionVerdict {
  const verifierKey = pinnedKey ?? checkpoint?.verifierKey ?? '';
  const bySequence = new Map(proofs.map((proof) => [proof.sequence, proof]));
  const decisions = members.map((member, position) => {
    const given = bySequence.get(member.sequence);
    const reason =
      member.sequence !== position
        ? `Expected decision ${position} but ${member.sequence} follows: one is missing.`
        : given
          ? problemOf(executionId, member, given.proof as DecisionProof, verifierKey)
          : 'Expected it in the log but it is not there yet.';
    return { sequence: member.sequence, index: given?.leafIndex ?? -1, treeSize: given?.treeSize ?? 0, verified: reason === '', reason };
  });
  const last = decisions.at(-1);
  return { executionId, verified: decisions.length > 0 && decisions.every(({ verified }) => verified), index: last?.index ?? -1, treeSize: last?.treeSize ?? 0, decisions, verifierKey };
}

function problemOf(executionId: string, member: MemberShape, proof: DecisionProof, verifierKey: string): string {
  const payload = Buffer.from(member.payloadDigest, 'base64');
  // An erased payload leaves its digest behind: the structure is proved all the same.
  if (member.payloadErased !== true && !sameBytes(payloadDigest(Buffer.from(member.payloadSalt, 'base64'), member.payload), payload))
    return 'Expected the payload that was recorded but it has another digest: it was changed.';
  const { sequence, tenant, recordedAtMs: at, structure } = member;
  const verified = verifyDecisionProof(proof, verifierKey, memberDigest({ subject: executionId, sequence, tenant, at, structure, payloadDigest: payload }));
  if (!verified.ok) return verified.rejection.message;
  return verified.subject === executionId && verified.sequence === sequence
    ? ''
    : `Expected a proof of decision ${sequence} of ${executionId} but it names ${verified.sequence} of ${verified.subject}.`;
}

/**
 * Fetches and verifies. Decisions come into the log in the order of their commits and a moment after them.
 * @param waitMs how long to wait for decisions that are not in the log yet.
 */
export async function verifyExecution(client: GatewayClient, executionId: string, options: { readonly waitMs?: number; readonly pinnedKey?: string | undefined } = {}): Promise<ExecutionVerdict> {
  const path = `/v1/executions/${encodeURIComponent(executionId)}`;
  for (const deadline = Date.now() + (options.waitMs ?? 0); ; await sleep(100)) {
    const { body: proofs } = await client.call<ProofsShape>(`${path}/proof`);
    const { body } = await client.call<{ readonly members: readonly MemberShape[] }>(`${path}/members`);
    const isWhole = proofs.proofs.length >= body.members.length && proofs.pending === 0;
    if (isWhole || Date.now() >= deadline) return verifyMembers(executionId, body.members, proofs, options.pinnedKey);
  }
}
