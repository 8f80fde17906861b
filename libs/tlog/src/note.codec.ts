import { invariant } from '@weft/kernel';
import { base64Bytes, base64Text, joinBytes, sameBytes, utf8Bytes } from './bytes.js';
import { isKeyName, type NoteSigner, type NoteVerifier } from './note-key.codec.js';
import { refusal, type Outcome } from './outcome.js';

/** Bounds on what is read, so that a hostile note costs little. */
const NOTE_CHARACTERS_MAX = 1_000_000;
const SIGNATURES_MAX = 100;
const KEY_HASH_BYTES = 4;

/** A note whose signatures were checked. */
export interface VerifiedNote {
  /** The signed text, with its last line feed. */
  readonly text: string;
  /** Names of the known keys that signed it, at least one. Signatures of unknown keys are passed over. */
  readonly signedBy: readonly string[];
}

/**
 * Signs a text. A defect when it does not end in a line feed or has control characters.
 * @returns the note: text, an empty line, one line per signer.
 * Source: c2sp.org/signed-note.
 */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  invariant(isNoteText(text), `a note's text ends in a line feed and has no other control characters, unlike ${JSON.stringify(text)}`);
  invariant(signers.length > 0, 'a note has a signature');
  const message = utf8Bytes(text);
  return `${text}\n${signers.map((signer) => `— ${signer.name} ${base64Text(joinBytes([signer.keyHash, signer.sign(message)]))}\n`).join('')}`;
}

/**
 * Checks a note: one known key must have signed it, and no signature of a known key may be wrong.
 * Rejections: `note-invalid`, `signature-invalid`. Source: c2sp.org/signed-note.
 */
export function verifyNote(note: string, verifiers: readonly NoteVerifier[]): Outcome<VerifiedNote> {
  const parts = splitNote(note);
  if (!parts.ok) return parts;
  const message = utf8Bytes(parts.text);
  const signedBy = new Set<string>();
  for (const { name, keyHash, signature } of parts.signatures) {
    const verifier = verifiers.find((known) => known.name === name && sameBytes(known.keyHash, keyHash));
    if (verifier === undefined) continue;
    if (!verifier.verify(message, signature)) return refusal('signature-invalid', `Expected a signature of ${name} over this text but it does not fit`, { key: name });
    signedBy.add(name);
  }
  if (signedBy.size === 0) {
    return refusal('signature-invalid', `Expected a signature of ${verifiers.map(({ name }) => name).join(' or ')} but found ${parts.signatures.map(({ name }) => name).join(', ')}`);
  }
  return { ok: true, text: parts.text, signedBy: [...signedBy] };
}

interface NoteSignature {
  readonly name: string;
  readonly keyHash: Uint8Array;
  readonly signature: Uint8Array;
}

/** Takes a note apart without checking who signed it. Rejection `note-invalid`. */
export function splitNote(note: string): Outcome<{ readonly text: string; readonly signatures: readonly NoteSignature[] }> {
  const bad = (found: string) => refusal('note-invalid', `Expected a signed note but found ${found}`);
  if (note.length > NOTE_CHARACTERS_MAX) return bad(`${note.length} characters`);
  // The text may have empty lines of its own: the signatures follow the last one.
  const end = note.lastIndexOf('\n\n');
  if (end < 0) return bad('no empty line before signatures');
  const text = note.slice(0, end + 1);
  if (!isNoteText(text)) return bad('control characters in its text');
  const block = note.slice(end + 2);
  if (!block.endsWith('\n')) return bad('no line feed at its end');
  const lines = block.slice(0, -1).split('\n');
  if (lines.length > SIGNATURES_MAX) return bad(`${lines.length} signatures`);
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const [, name, encoded] = /^— ([^ ]+) ([^ ]+)$/u.exec(line) ?? [];
    const bytes = encoded === undefined ? undefined : base64Bytes(encoded);
    if (name === undefined || !isKeyName(name) || bytes === undefined || bytes.length <= KEY_HASH_BYTES) return bad(`the signature line ${JSON.stringify(line.slice(0, 200))}`);
    signatures.push({ name, keyHash: bytes.subarray(0, KEY_HASH_BYTES), signature: bytes.subarray(KEY_HASH_BYTES) });
  }
  return { ok: true, text, signatures };
}

function isNoteText(text: string): boolean {
  if (!text.endsWith('\n') || !text.isWellFormed()) return false;
  for (const character of text) if (character < ' ' && character !== '\n') return false;
  return true;
}
