import { invariant } from '@weft/kernel';
import { base64Bytes, base64Text, sameBytes } from './bytes.js';
import { EMPTY_ROOT, HASH_BYTES } from './hash.js';
import type { NoteSigner, NoteVerifier } from './note-key.codec.js';
import { signNote, verifyNote } from './note.codec.js';
import { refusal, type Outcome } from './outcome.js';
import type { TreeHead } from './tile-proof.js';

/** What a log signs: its name and tree head. */
export interface Checkpoint extends TreeHead {
  /** Unique name of the log, such as `weft.example.org/audit`: one line, and the name of the log's key. */
  readonly origin: string;
  /** Further lines, each not empty; by default none. */
  readonly extensions?: readonly string[];
}

/** The text of a checkpoint, before it is signed. A defect for lines that cannot stand in one. Source: c2sp.org/tlog-checkpoint. */
export function encodeCheckpoint({ origin, size, root, extensions = [] }: Checkpoint): string {
  for (const line of [origin, ...extensions]) invariant(line !== '' && !line.includes('\n'), `a line of a checkpoint is one line, not ${JSON.stringify(line)}`);
  invariant(Number.isSafeInteger(size) && size >= 0, `a tree size is an integer >= 0, not ${size}`);
  invariant(root.length === HASH_BYTES, `a root has ${HASH_BYTES} bytes, not ${root.length}`);
  return [origin, String(size), base64Text(root), ...extensions].map((line) => `${line}\n`).join('');
}

/** Reads the text of a checkpoint. Rejection `checkpoint-invalid`. Source: c2sp.org/tlog-checkpoint. */
export function parseCheckpoint(text: string): Outcome<{ readonly checkpoint: Required<Checkpoint> }> {
  const bad = (expected: string, found: string | undefined) => refusal('checkpoint-invalid', `Expected ${expected} in a checkpoint but found ${JSON.stringify(found ?? 'the end')}`);
  if (!text.endsWith('\n')) return bad('a line feed at the end', text.slice(-20));
  const lines = text.slice(0, -1).split('\n');
  const empty = lines.indexOf('');
  if (empty >= 0) return bad(`no empty line`, `line ${empty + 1}`);
  const [origin = '', sizeLine, rootLine, ...extensions] = lines;
  const size = sizeLine !== undefined && /^(0|[1-9]\d{0,15})$/.test(sizeLine) ? Number(sizeLine) : Number.NaN;
  if (!Number.isSafeInteger(size)) return bad('a tree size on line 2', sizeLine);
  const root = rootLine === undefined ? undefined : base64Bytes(rootLine);
  if (root === undefined || root.length !== HASH_BYTES) return bad(`a base64 root of ${HASH_BYTES} bytes on line 3`, rootLine);
  if (size === 0 && !sameBytes(root, EMPTY_ROOT)) return bad('the root of the empty tree on line 3', rootLine);
  return { ok: true, checkpoint: { origin, size, root, extensions } };
}

/** A checkpoint as a signed note. */
export const signCheckpoint = (checkpoint: Checkpoint, signers: readonly NoteSigner[]): string => signNote(encodeCheckpoint(checkpoint), signers);

/**
 * Checks a signed checkpoint of the log that `verifier` is the key of: its signature, its form and that its origin is the key's name.
 * Rejections: `note-invalid`, `signature-invalid`, `checkpoint-invalid`.
 */
export function openCheckpoint(note: string, verifier: NoteVerifier): Outcome<{ readonly checkpoint: Required<Checkpoint> }> {
  const opened = verifyNote(note, [verifier]);
  if (!opened.ok) return opened;
  const parsed = parseCheckpoint(opened.text);
  if (parsed.ok && parsed.checkpoint.origin !== verifier.name) {
    return refusal('checkpoint-invalid', `Expected a checkpoint of ${verifier.name} but it is of ${JSON.stringify(parsed.checkpoint.origin)}`);
  }
  return parsed;
}
