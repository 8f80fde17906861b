import { rejection, type Rejection } from '@weft/kernel';

// A UTF-16 unit is at most three bytes of UTF-8.
const BYTES_PER_UNIT_MAX = 3;

/** The refusal of a text that is larger than a payload may be, or undefined. @param what it is, for the sentence. */
export function payloadTooLarge(what: string, text: string, bytesMax: number): Rejection | undefined {
  if (text.length * BYTES_PER_UNIT_MAX <= bytesMax) return undefined;
  const bytes = Buffer.byteLength(text);
  return bytes > bytesMax ? rejection('payload-too-large', `Expected ${what} to have at most ${bytesMax} bytes but it has ${bytes}.`) : undefined;
}
