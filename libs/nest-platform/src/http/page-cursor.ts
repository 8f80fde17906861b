// Pages of lists: how long one is, and where the next one begins.
import { refuse } from '@weft/kernel';

/** Rows a page: 50 unless asked, 200 at most. */
export const pageLimit = (asked: number): number => (asked > 0 ? Math.min(Math.floor(asked), 200) : 50);

/** A cursor names the last row seen. Opaque to callers. */
export const encodeCursor = (parts: readonly (string | number)[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url');

// As PostgreSQL writes one: `2026-01-01 00:00:00.000001+00`.
const TIMESTAMP = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d){0,2}$/;
/** Whether a part of a cursor is a timestamp as PostgreSQL writes one. */
export const isTimestamp = (text: string): boolean => TIMESTAMP.test(text);
/** Whether it is a number. */
export const isInstant = (text: string): boolean => text !== '' && Number.isFinite(Number(text));
/** Whether it is text that PostgreSQL takes. */
export const isText = (text: string): boolean => !text.includes('\0');

/** The parts of a cursor, each of the form that its place asks for; none for the first page. */
export function decodeCursor(cursor: string, ...forms: readonly ((text: string) => boolean)[]): string[] {
  if (cursor === '') return [];
  try {
    const parts = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown;
    const texts = Array.isArray(parts) ? parts.map(String) : [];
    if (texts.length === forms.length && texts.every((text, at) => forms[at]!(text))) return texts;
  } catch {
    // Falls through to the refusal: whatever it was, it is not a cursor of ours.
  }
  return refuse('request-invalid', `Expected a cursor from the previous page but got ${JSON.stringify(cursor.slice(0, 80))}.`);
}
