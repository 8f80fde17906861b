import { createPrivateKey, createPublicKey, hash, randomBytes, sign, verify, type KeyObject } from 'node:crypto';
import { invariant } from '@weft/kernel';
import { base64Bytes, base64Text, joinBytes, utf8Bytes } from './bytes.js';
import { refusal, type Outcome } from './outcome.js';

/** A key that verifies notes. */
export interface NoteVerifier {
  /** Name of the key, as it stands in signature lines; for a log its origin. */
  readonly name: string;
  /** First four bytes of SHA-256 over name, type and public key: tells keys of one name apart. */
  readonly keyHash: Uint8Array;
  /** Whether the signature (without the key hash in front) fits the note's text. */
  readonly verify: (text: Uint8Array, signature: Uint8Array) => boolean;
}

/** A key that signs notes. */
export interface NoteSigner {
  readonly name: string;
  readonly keyHash: Uint8Array;
  readonly sign: (text: Uint8Array) => Uint8Array;
}

/** Both halves of a key as text, in the forms of signed notes. */
export interface NoteKeyPair {
  /** `PRIVATE+KEY+<name>+<hash>+<base64>`: a secret. */
  readonly signerKey: string;
  /** `<name>+<hash>+<base64>`: public, what verifiers are given. */
  readonly verifierKey: string;
}

const ED25519 = 0x01;
const KEY_BYTES = 32;
// The fixed DER heads of RFC 8410 in front of the 32 bytes of a key.
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

/** Whether a text can name a key: not empty, no white space, no `+`, no control characters. Source: c2sp.org/signed-note. */
export const isKeyName = (name: string): boolean => name.isWellFormed() && /^[^\s+\p{Cc}]+$/u.test(name);

/** A new random Ed25519 key. A defect when the name cannot name a key. */
export const generateNoteKey = (name: string): NoteKeyPair => noteKeyFromSeed(name, randomBytes(KEY_BYTES));

/** The Ed25519 key of a 32-byte secret seed (the private key of RFC 8032). A defect for another length or a bad name. */
export function noteKeyFromSeed(name: string, seed: Uint8Array): NoteKeyPair {
  invariant(isKeyName(name), `a key name has no white space and no '+', unlike ${JSON.stringify(name)}`);
  invariant(seed.length === KEY_BYTES, `an Ed25519 seed has ${KEY_BYTES} bytes, not ${seed.length}`);
  const publicKey = publicKeyOf(privateKeyOf(seed));
  const id = `${name}+${hex(keyHashOf(name, publicKey))}`;
  return {
    signerKey: `PRIVATE+KEY+${id}+${base64Text(joinBytes([Uint8Array.of(ED25519), seed]))}`,
    verifierKey: `${id}+${base64Text(joinBytes([Uint8Array.of(ED25519), publicKey]))}`,
  };
}

/** Reads a signer key. Rejection `note-key-invalid`, which never repeats the key. Source: c2sp.org/signed-note. */
export function parseSignerKey(text: string): Outcome<{ readonly signer: NoteSigner; readonly verifierKey: string }> {
  const parts = text.startsWith('PRIVATE+KEY+') ? keyParts(text.slice('PRIVATE+KEY+'.length)) : undefined;
  if (parts === undefined) return refusal('note-key-invalid', 'Expected an Ed25519 signer key "PRIVATE+KEY+<name>+<hash>+<base64>" but found another text');
  const privateKey = privateKeyOf(parts.key);
  const keyHash = keyHashOf(parts.name, publicKeyOf(privateKey));
  if (hex(keyHash) !== parts.hash) return refusal('note-key-invalid', `Expected the key of ${parts.name} to have the hash ${parts.hash} it names but it has another`);
  const signer: NoteSigner = { name: parts.name, keyHash, sign: (message) => new Uint8Array(sign(null, message, privateKey)) };
  return { ok: true, signer, verifierKey: noteKeyFromSeed(parts.name, parts.key).verifierKey };
}

/** Reads a verifier key. Rejection `note-key-invalid`. Source: c2sp.org/signed-note. */
export function parseVerifierKey(text: string): Outcome<{ readonly verifier: NoteVerifier }> {
  const parts = keyParts(text);
  if (parts === undefined) return refusal('note-key-invalid', 'Expected an Ed25519 verifier key "<name>+<hash>+<base64>" but found another text');
  const keyHash = keyHashOf(parts.name, parts.key);
  if (hex(keyHash) !== parts.hash) return refusal('note-key-invalid', `Expected the key of ${parts.name} to have the hash ${parts.hash} it names but it has ${hex(keyHash)}`);
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI_HEAD, parts.key]), format: 'der', type: 'spki' });
  return { ok: true, verifier: { name: parts.name, keyHash, verify: (message, signature) => verify(null, message, publicKey, signature) } };
}

/** Splits `<name>+<hash>+<base64>` of a 32-byte key of type Ed25519. */
function keyParts(text: string): { readonly name: string; readonly hash: string; readonly key: Uint8Array } | undefined {
  const [, name, hash, encoded] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? [];
  if (name === undefined || hash === undefined || encoded === undefined || !isKeyName(name)) return undefined;
  const typed = base64Bytes(encoded);
  if (typed === undefined || typed.length !== 1 + KEY_BYTES || typed[0] !== ED25519) return undefined;
  return { name, hash, key: typed.subarray(1) };
}

function keyHashOf(name: string, publicKey: Uint8Array): Uint8Array {
  const identity = joinBytes([utf8Bytes(`${name}\n`), Uint8Array.of(ED25519), publicKey]);
  return new Uint8Array(hash('sha256', identity, 'buffer').subarray(0, 4));
}

const privateKeyOf = (seed: Uint8Array): KeyObject => createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });

const publicKeyOf = (privateKey: KeyObject): Uint8Array => new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(SPKI_HEAD.length));

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
