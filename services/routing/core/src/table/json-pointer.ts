import type { Json } from '@weft/kernel';

/** Whether a text has the form of a JSON Pointer: empty, or parts that each start with a slash. */
export const isJsonPointer = (text: string): boolean => /^(\/([^~/]|~[01])*)*$/.test(text);

/** The value a JSON Pointer leads to, or undefined when it leads nowhere. Source: RFC 6901. */
export function valueAt(value: Json, pointer: string): Json | undefined {
  let current: Json | undefined = value;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(current)) current = /^(0|[1-9]\d*)$/.test(name) ? (current as readonly Json[])[Number(name)] : undefined;
    else if (typeof current === 'object' && current !== null) current = Object.hasOwn(current, name) ? (current as { readonly [field: string]: Json })[name] : undefined;
    else return undefined;
  }
  return current;
}
