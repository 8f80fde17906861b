// Text and byte encodings of the log's formats. They are exported because cores have no encoder of their own.

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The UTF-8 bytes of a text. A lone surrogate becomes U+FFFD: check `isWellFormed()` where that matters. */
export const utf8Bytes = (text: string): Uint8Array => utf8Encoder.encode(text);

/** The text of UTF-8 bytes, or undefined when they are no valid UTF-8. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return utf8Decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Standard base64 with padding. Source: RFC 4648, section 4. */
export const base64Text = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** The bytes of canonical standard base64, or undefined for anything else (missing padding, stray bits, other alphabets). */
export function base64Bytes(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  return base64Text(bytes) === text ? bytes : undefined;
}

/** Whether two byte strings are equal. Not constant-time: everything compared here is public. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && Buffer.compare(a, b) === 0;

/** Byte strings one after the other. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
