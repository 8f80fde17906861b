import { refuse } from '@weft/kernel';

/** Rows a page: 50 unless asked, 200 at most. */
export const pageLimit = (asked: number): number => (asked === 0 ? 50 : Math.min(asked, 200));

/** A cursor names the last row seen. Opaque to callers. */
export const encodeCursor = (parts: readonly (string | number)[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url');

/** The parts of a cursor; none for the first page. */
export function decodeCursor(cursor: string): string[] {
  if (cursor === '') return [];
  try {
    const parts = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown;
    if (Array.isArray(parts)) return parts.map(String);
  } catch {
    // Falls through to the refusal: whatever it was, it is not a cursor of ours.
  }
  return refuse('request-invalid', `Expected a cursor from the previous page but got ${JSON.stringify(cursor.slice(0, 80))}.`);
}
