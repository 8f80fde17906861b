import { hash } from 'node:crypto';
import { invariant } from '@weft/kernel';

/** Length of a hash in bytes: SHA-256. */
export const HASH_BYTES = 32;

/** SHA-256 of bytes without a domain prefix: for digests of things that are not nodes of a tree. */
export function sha256Digest(bytes: Uint8Array): Uint8Array {
  // A digest crosses from OpenSSL as text three times as fast as in a buffer, and a log is nothing but hashes.
  const text = hash('sha256', bytes, 'binary');
  const digest = new Uint8Array(HASH_BYTES);
  for (let at = 0; at < HASH_BYTES; at++) digest[at] = text.charCodeAt(at);
  return digest;
}

/** The root of a tree without leaves. Source: RFC 6962, section 2.1. */
export const EMPTY_ROOT: Uint8Array = sha256Digest(new Uint8Array(0));

/** The hash of a leaf: SHA-256(0x00 || entry). Source: RFC 6962, section 2.1. */
export function leafHash(entry: Uint8Array): Uint8Array {
  const prefixed = new Uint8Array(1 + entry.length);
  prefixed.set(entry, 1);
  return sha256Digest(prefixed);
}

// Filled anew by each call, which never waits in between: an allocation here costs as much as the hash.
const node = new Uint8Array(1 + 2 * HASH_BYTES);
node[0] = 0x01;

/** The hash of an inner node: SHA-256(0x01 || left || right), of two hashes. Source: RFC 6962, section 2.1. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  // A shorter one would mix with what the last call left behind.
  invariant(left.length === HASH_BYTES && right.length === HASH_BYTES, `a node is over two hashes of ${HASH_BYTES} bytes, not ${left.length} and ${right.length}`);
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return sha256Digest(node);
}
