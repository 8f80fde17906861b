import type { Json } from '@weft/kernel';
import type { Meter } from './budget.js';
import { ELEMENT_BYTES } from './value.js';

/** Where a value stands below the root of a path expression: a list shared between paths with the same beginning. */
export interface Path {
  readonly key: Json;
  readonly parent: Path | undefined;
  readonly length: number;
}

/** The path of the root itself, marked by its length; its key is never read. */
export const ROOT: Path = { key: null, parent: undefined, length: 0 };

export function below(path: Path, key: Json): Path {
  return { key, parent: path, length: path.length + 1 };
}

/** The keys from the root down. */
export function keysFrom(meter: Meter, path: Path): Json[] {
  meter.work(path.length >> 2);
  meter.take(path.length * ELEMENT_BYTES);
  const keys: Json[] = [];
  for (let node: Path = path; node.parent !== undefined; node = node.parent) keys.push(node.key);
  return keys.reverse();
}
