import type { Json } from '@weft/kernel';

// What a number, a boolean, a key or a bracket comes to, about.
const SMALL = 8;

/** About how many characters a value has as JSON; never walks on beyond `max`. */
export function roughSize(value: Json | undefined, max: number): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return SMALL;
  let size = SMALL;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) if ((size += roughSize(item, max - size)) > max) break;
    return size;
  }
  const fields = value as { readonly [name: string]: Json };
  for (const name in fields) if ((size += SMALL + roughSize(fields[name], max - size)) > max) break;
  return size;
}
