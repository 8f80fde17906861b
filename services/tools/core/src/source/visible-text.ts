// What a reader sees of a text, and nothing that only a model would read. Source: Unicode Standard Annex 44, general categories and Default_Ignorable_Code_Point.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';

// Controls other than tab and line feed, formats (joiners, marks, bidirectional controls, tags), lone surrogates, fillers, variation selectors,
// separators of lines and paragraphs, and the blank of Braille.
const INVISIBLE = /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** The text without invisible characters. */
export const visibleText = (text: string): string => text.replace(INVISIBLE, '');

/** How many invisible characters a text holds. */
export const invisibleIn = (text: string): number => text.match(INVISIBLE)?.length ?? 0;

/** A value with all its texts, and the names of its fields, made visible. Fields whose names become the same are kept once, the first. */
export function visibleJson(value: Json): Json {
  if (typeof value === 'string') return visibleText(value);
  if (Array.isArray(value)) return value.map((item: Json) => visibleJson(item));
  if (!isJsonObject(value)) return value;
  const fields: Record<string, Json> = {};
  for (const [name, field] of Object.entries(value)) {
    const visible = visibleText(name);
    if (!Object.hasOwn(fields, visible)) Object.defineProperty(fields, visible, { value: visibleJson(field), enumerable: true, configurable: true, writable: true });
  }
  return fields as JsonObject;
}

/** How many invisible characters all texts and names of a value hold. */
export function invisibleInJson(value: Json): number {
  if (typeof value === 'string') return invisibleIn(value);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce((sum, [name, item]) => sum + (Array.isArray(value) ? 0 : invisibleIn(name)) + invisibleInJson(item as Json), 0);
}
