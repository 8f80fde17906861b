// References among the documents of one API. Whoever loads them writes every reference as `N#/pointer`: document N, from 0.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';

/** The documents of an API; the first one is its own. */
export type Documents = readonly Json[];

// A chain of references that is longer leads nowhere.
const HOPS_MAX = 32;

/** The value at a reference, or undefined. */
export function valueAt(documents: Documents, reference: string): Json | undefined {
  const [, number = '', pointer = ''] = /^(\d+)#(.*)$/.exec(reference) ?? [];
  let value: Json | undefined = number === '' ? undefined : documents[Number(number)];
  if (pointer === '') return value;
  if (!pointer.startsWith('/')) return undefined;
  for (const part of pointer.slice(1).split('/')) {
    const name = decoded(part);
    if (Array.isArray(value)) value = /^\d+$/.test(name) ? (value[Number(name)] as Json | undefined) : undefined;
    else value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

/** Follows the reference that an object consists of, and those behind it. Undefined: it leads nowhere. */
export function followed(documents: Documents, value: Json | undefined): JsonObject | undefined {
  let at = value;
  for (let hops = 0; hops < HOPS_MAX; hops++) {
    if (!isJsonObject(at)) return undefined;
    const reference = at['$ref'];
    if (typeof reference !== 'string') return at;
    at = valueAt(documents, reference);
  }
  return undefined;
}

function decoded(part: string): string {
  let text = part;
  try {
    text = decodeURIComponent(part);
  } catch {
    // A percent sign that encodes nothing stands for itself.
  }
  return text.replaceAll('~1', '/').replaceAll('~0', '~');
}
