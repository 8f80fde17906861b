// JSON Pointers in the form of the conformance suite: /do/0/name/try/0/name. Source: RFC 6901.

/** One segment as a pointer writes it. */
export const escapeSegment = (segment: string): string => segment.replaceAll('~', '~0').replaceAll('/', '~1');

/** A pointer extended by segments that are not escaped yet. */
export function pointerTo(parent: string, ...segments: readonly (string | number)[]): string {
  return segments.reduce<string>((pointer, segment) => `${pointer}/${escapeSegment(String(segment))}`, parent);
}

/** The segments of a pointer, unescaped. '' has none. */
export function segmentsOf(pointer: string): string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}
