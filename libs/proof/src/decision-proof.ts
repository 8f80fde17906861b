// A decision's proof: from its digest through its commit to a signed checkpoint, checkable offline with the log's public key.
import { rejection, type Json } from '@weft/kernel';
import {
  base64Bytes,
  base64Text,
  inclusionPath,
  leafHash,
  openCheckpoint,
  parseCheckpoint,
  parseVerifierKey,
  proveInclusion,
  sameBytes,
  splitNote,
  utf8Bytes,
  verifyInclusion,
  type Checkpoint,
  type Outcome,
  type Refusal,
  type TileReader,
} from '@weft/tlog';
import { commitLeafOf, encodeCommitLeaf, parseCommitLeaf, type CommitLeaf, type CommitRow } from './commit-leaf.js';

/** A proof that a decision is in the log. Plain JSON; hashes are base64. */
export interface DecisionProof {
  /** The leaf of the decision's commit, byte for byte as logged. */
  readonly commitLeaf: string;
  /** Which member of the commit it is, from 0. */
  readonly memberIndex: number;
  readonly memberDigest: string;
  /** From the member's digest to the commit's root. */
  readonly commitPath: readonly string[];
  /** Where the commit is in the log, from 0. */
  readonly leafIndex: number;
  readonly treeSize: number;
  /** From the commit's leaf to the log's root. */
  readonly inclusionPath: readonly string[];
  /** The signed checkpoint of the tree of `treeSize`. */
  readonly checkpoint: string;
}

/**
 * The steps of a proof, in the order they are checked: the key and the proof can be read; the checkpoint is signed by the key;
 * it is of the proof's tree size; the leaf is in that tree; the leaf is a commit; the member is one of it; it has the expected
 * digest; and the digest is under the commit's root.
 */
export type ProofStep = 'verifier-key' | 'form' | 'checkpoint' | 'tree-size' | 'inclusion' | 'commit-leaf' | 'member' | 'digest' | 'commit-path';

/** What a verified proof says. */
export interface ProvenDecision {
  readonly subject: string;
  readonly sequence: number;
  readonly commit: CommitLeaf;
  readonly checkpoint: Required<Checkpoint>;
}

/**
 * Builds the proof of one member of a logged commit.
 * The proof is checked before it is handed out, but for the signature: a damaged log gives a rejection, never a proof that fails later.
 * Rejections: `leaf-out-of-range`, `tile-missing`, `tile-mismatch`, `commit-leaf-invalid`, `checkpoint-invalid`, `note-invalid`,
 * `decision-proof-invalid` (the row is not what was logged at this index).
 */
export function buildDecisionProof(request: {
  readonly commit: CommitRow;
  readonly memberIndex: number;
  /** Index of the commit in the log. */
  readonly leafIndex: number;
  /** A signed checkpoint of a tree that has the leaf. */
  readonly checkpoint: string;
  readonly reader: TileReader;
}): Outcome<{ readonly proof: DecisionProof }> {
  const { commit, memberIndex, leafIndex, reader } = request;
  const member = commit.members[memberIndex];
  if (member === undefined) return failed('member', `Expected a member below ${commit.members.length} but was asked for ${memberIndex}`);
  const leaf = encodeCommitLeaf(commitLeafOf(commit));
  if (!leaf.ok) return leaf;
  const note = splitNote(request.checkpoint);
  if (!note.ok) return note;
  const head = parseCheckpoint(note.text);
  if (!head.ok) return head;
  const inclusion = proveInclusion(reader, head.checkpoint.size, leafIndex);
  if (!inclusion.ok) return inclusion;
  const proof: DecisionProof = {
    commitLeaf: leaf.text,
    memberIndex,
    memberDigest: base64Text(member.digest),
    commitPath: inclusionPath(
      commit.members.map(({ digest }) => leafHash(digest)),
      memberIndex,
    ).map(base64Text),
    leafIndex,
    treeSize: head.checkpoint.size,
    inclusionPath: inclusion.path.map(base64Text),
    checkpoint: request.checkpoint,
  };
  const checked = checkUnder(head.checkpoint, proof, member.digest);
  return checked.ok ? { ok: true, proof } : checked;
}

/**
 * Verifies a proof from anywhere, hostile ones included.
 * @param verifierKey the log's public key in signed-note form; its name is the log's origin.
 * @param expectedDigest digest of the decision, computed from the row that is to be proved; it covers subject and sequence.
 * Rejection `decision-proof-invalid` with `details.step`, the `ProofStep` that failed.
 */
export function verifyDecisionProof(proof: DecisionProof, verifierKey: string, expectedDigest: Uint8Array): Outcome<ProvenDecision> {
  const key = parseVerifierKey(verifierKey);
  if (!key.ok) return failed('verifier-key', key.rejection.message);
  if (!isDecisionProof(proof)) return failed('form', 'Expected a decision proof with all its fields but found something else');
  const opened = openCheckpoint(proof.checkpoint, key.verifier);
  if (!opened.ok) return failed('checkpoint', opened.rejection.message);
  return checkUnder(opened.checkpoint, proof, expectedDigest);
}

/** Reads a proof from JSON text. Rejection `decision-proof-invalid` at the step `form`. */
export function parseDecisionProof(text: string): Outcome<{ readonly proof: DecisionProof }> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return failed('form', 'Expected a decision proof as JSON but the text is no JSON');
  }
  return isDecisionProof(value) ? { ok: true, proof: value } : failed('form', 'Expected a decision proof with all its fields but found something else');
}

/** A proof as JSON text. */
export const encodeDecisionProof = (proof: DecisionProof): string => JSON.stringify(proof);

function checkUnder(checkpoint: Required<Checkpoint>, proof: DecisionProof, expectedDigest: Uint8Array): Outcome<ProvenDecision> {
  if (checkpoint.size !== proof.treeSize) return failed('tree-size', `Expected a checkpoint of size ${proof.treeSize} but it is of ${checkpoint.size}`);

  const path = hashesOf(proof.inclusionPath);
  const logged = leafHash(utf8Bytes(proof.commitLeaf));
  if (!verifyInclusion({ index: proof.leafIndex, size: proof.treeSize, leafHash: logged, path, root: checkpoint.root })) {
    return failed('inclusion', `Expected the commit as leaf ${proof.leafIndex} of the log at size ${proof.treeSize} but its path does not lead to the signed root`);
  }

  const parsed = parseCommitLeaf(proof.commitLeaf);
  if (!parsed.ok) return failed('commit-leaf', parsed.rejection.message);
  const { leaf } = parsed;
  const member = leaf.members[proof.memberIndex];
  if (member === undefined) return failed('member', `Expected a member below ${leaf.members.length} but the proof is of ${proof.memberIndex}`);

  const digest = base64Bytes(proof.memberDigest);
  if (digest === undefined || !sameBytes(digest, expectedDigest)) {
    return failed('digest', `Expected a decision with digest ${base64Text(expectedDigest)} but the proof is of ${proof.memberDigest}`);
  }
  const inCommit = { index: proof.memberIndex, size: leaf.members.length, leafHash: leafHash(digest), path: hashesOf(proof.commitPath), root: leaf.root };
  if (!verifyInclusion(inCommit)) return failed('commit-path', `Expected member ${proof.memberIndex} under the root of commit ${leaf.id} but its path leads elsewhere`);
  return { ok: true, subject: member.subject, sequence: member.sequence, commit: leaf, checkpoint };
}

const failed = (step: ProofStep, message: string): Refusal => ({ ok: false, rejection: rejection('decision-proof-invalid', message, { details: { step } satisfies Json }) });

/** Hashes of a path; what is no base64 becomes an empty one, which no verification accepts. */
const hashesOf = (texts: readonly string[]): readonly Uint8Array[] => texts.map((text) => base64Bytes(text) ?? new Uint8Array(0));

function isDecisionProof(value: unknown): value is DecisionProof {
  if (typeof value !== 'object' || value === null) return false;
  const proof = value as { readonly [name: string]: unknown };
  const isText = (field: unknown): boolean => typeof field === 'string';
  // A path has one hash per tree level, and sizes end at 2^53.
  const isPath = (field: unknown): boolean => Array.isArray(field) && field.length <= 64 && field.every(isText);
  return (
    [proof['commitLeaf'], proof['memberDigest'], proof['checkpoint']].every(isText) &&
    [proof['memberIndex'], proof['leafIndex'], proof['treeSize']].every((field) => Number.isSafeInteger(field)) &&
    [proof['commitPath'], proof['inclusionPath']].every(isPath)
  );
}
