// How messages show values and lists.
import type { Json } from '@weft/kernel';

const CHARACTERS_MAX = 60;

/** A text cut to what a message can hold. */
export const excerpt = (text: string, max = CHARACTERS_MAX): string => (text.length > max ? `${text.slice(0, max).toWellFormed()}…` : text);

/** A value as a message shows it: kind, and what it is when that is short. */
export function found(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return excerpt(JSON.stringify(value));
  if (typeof value === 'object') return kindOf(value);
  return `the ${kindOf(value)} ${String(value)}`;
}

/** The kind of a value, without showing it. */
export function kindOf(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty object' : 'an object';
  return typeof value === 'string' ? 'text' : typeof value;
}

/** Names in backquotes, separated by commas. */
export const names = (list: readonly string[]): string => list.map((name) => `\`${excerpt(name)}\``).join(', ');
