import { invariant } from '@weft/kernel';
import { joinBytes } from './bytes.js';

/** Largest entry in bytes: its length is written in 16 bits. */
export const ENTRY_BYTES_MAX = 0xffff;

/**
 * Entries as a bundle: each with its length in two bytes, big-endian, in front. A defect for an entry above `ENTRY_BYTES_MAX`.
 * Source: c2sp.org/tlog-tiles, "Log Entries".
 */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  return joinBytes(
    entries.flatMap((entry) => {
      invariant(entry.length <= ENTRY_BYTES_MAX, `an entry has at most ${ENTRY_BYTES_MAX} bytes, not ${entry.length}`);
      return [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry];
    }),
  );
}

/** The entries of a bundle (views into its bytes), or undefined when a length reaches beyond its end. */
export function parseEntryBundle(bundle: Uint8Array): readonly Uint8Array[] | undefined {
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bundle.length;) {
    const start = at + 2;
    if (start > bundle.length) return undefined;
    const end = start + bundle[at]! * 256 + bundle[at + 1]!;
    if (end > bundle.length) return undefined;
    entries.push(bundle.subarray(start, end));
    at = end;
  }
  return entries;
}
