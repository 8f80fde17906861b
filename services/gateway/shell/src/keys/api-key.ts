// API keys as text: `weft_<id>_<secret>`. The id finds the row, the secret proves the key.
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

const KEY = /^weft_([0-9a-f]{16})_([0-9a-f]{64})$/;

/** A key in its parts. */
export interface ApiKey {
  readonly id: string;
  readonly secret: string;
}

/** What is stored of a secret. */
export interface SecretProof {
  readonly salt: Uint8Array;
  readonly digest: Uint8Array;
}

/** A new key with 256 random bits of secret. */
export function newApiKey(): ApiKey {
  return { id: randomBytes(8).toString('hex'), secret: randomBytes(32).toString('hex') };
}

export const apiKeyText = ({ id, secret }: ApiKey): string => `weft_${id}_${secret}`;

/** Reads a key; undefined when the text has not the form of one. */
export function parseApiKey(text: string): ApiKey | undefined {
  const [, id, secret] = KEY.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** What to store of a secret. One round of SHA-256 is enough: the secret is random, not a word that somebody chose. */
export function proofOf(secret: string): SecretProof {
  const salt = randomBytes(16);
  return { salt, digest: digestOf(salt, secret) };
}

/** Whether a secret is the one behind a proof, in a time that does not tell how much of it is right. */
export const proves = (secret: string, { salt, digest }: SecretProof): boolean => timingSafeEqual(digestOf(salt, secret), digest);

const digestOf = (salt: Uint8Array, secret: string): Buffer => hash('sha256', Buffer.concat([salt, Buffer.from(secret)]), 'buffer');
