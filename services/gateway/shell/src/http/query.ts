// Query parameters, checked.
import { refuse } from '@weft/kernel';
import type { Request } from 'express';

/** One query parameter as text; '' when it is missing. @throws Refused `request-invalid` when it comes twice or holds what no text holds. */
export function queryText(request: Request, name: string, charactersMax = 512): string {
  const value = request.query[name];
  if (value === undefined) return '';
  if (typeof value !== 'string') refuse('request-invalid', `Expected query parameter \`${name}\` once but it came several times.`);
  if (value.length > charactersMax || /[\u0000-\u001f\u007f]/.test(value)) refuse('request-invalid', `Expected query parameter \`${name}\` to be text of at most ${charactersMax} characters.`);
  return value;
}

/** One query parameter as a whole number within bounds, or the default when it is missing. */
export function queryInteger(request: Request, name: string, bounds: { readonly min: number; readonly max: number; readonly byDefault: number }): number {
  const text = queryText(request, name);
  if (text === '') return bounds.byDefault;
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < bounds.min || value > bounds.max) {
    refuse('request-invalid', `Expected query parameter \`${name}\` to be a whole number from ${bounds.min} to ${bounds.max} but got ${JSON.stringify(text)}.`);
  }
  return value;
}

/** Limit and cursor of a page. Default 50 rows, 200 at most. */
export function pageOf(request: Request): { readonly limit: number; readonly cursor: string } {
  return { limit: queryInteger(request, 'limit', { min: 1, max: 200, byDefault: 50 }), cursor: queryText(request, 'cursor') };
}

/** A query parameter that may come several times, as texts in their order. @throws Refused `request-invalid`. */
export function queryTexts(request: Request, name: string): readonly string[] {
  const value = request.query[name];
  const texts = value === undefined ? [] : Array.isArray(value) ? value : [value];
  return texts.map((text) => {
    if (typeof text !== 'string' || text.length > 512 || /[\u0000-\u001f\u007f]/.test(text))
      return refuse('request-invalid', `Expected query parameter \`${name}\` to be text of at most 512 characters.`);
    return text;
  });
}

/** A query parameter that is an instant (RFC 3339), in milliseconds since the epoch; 0 when it is missing. @throws Refused `request-invalid`. */
export function queryInstant(request: Request, name: string): number {
  return instantOf(queryText(request, name), `query parameter \`${name}\``);
}

/** An instant from text (RFC 3339), in milliseconds since the epoch; 0 for ''. @param what it is, for the sentence. */
export function instantOf(text: string, what: string): number {
  if (text === '') return 0;
  const instant = /^\d{4}-\d\d-\d\d(T.*)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!(instant > 0)) refuse('request-invalid', `Expected ${what} to be a time such as 2026-01-31T08:00:00Z but got ${JSON.stringify(text.slice(0, 60))}.`);
  return instant;
}
