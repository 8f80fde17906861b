// Keys of workers: secrets by name, compared in a time that tells nothing.
import { hash, timingSafeEqual } from 'node:crypto';
import type { Secrets } from '../secret/secrets.js';

/** Fewer characters can be guessed. */
export const KEY_CHARACTERS_MIN = 32;

/** Whether an `authorization` header carries a key of the source. A source without a key that can be read lets nobody in. */
export function opens(authorization: string | undefined, keySecrets: readonly string[], secrets: Secrets): boolean {
  const [, given] = /^Bearer ([!-~]+)$/.exec(authorization ?? '') ?? [];
  const digest = digestOf(given ?? '');
  // All are compared, whichever fits.
  const fitting = keySecrets.filter((name) => {
    const key = secrets(name) ?? '';
    return timingSafeEqual(digestOf(key), digest) && key.length >= KEY_CHARACTERS_MIN;
  });
  return given !== undefined && fitting.length > 0;
}

const digestOf = (text: string): Buffer => hash('sha256', text, 'buffer');
