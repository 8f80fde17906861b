// A long list that grows by one entry a decision: ten thousand entries cost ten thousand small copies, not ten thousand long ones.
import type { Json } from '@weft/kernel';
import type { Chunked } from './child.state.js';

const CHUNK = 128;

/** The list with an entry put at an index; the list given stays as it is. */
export function withEntry(list: Chunked, index: number, entry: Json): Chunked {
  const at = Math.floor(index / CHUNK);
  const chunks = [...list];
  while (chunks.length <= at) chunks.push(null);
  const chunk = [...(chunks[at] ?? [])];
  while (chunk.length <= index % CHUNK) chunk.push(null);
  chunk[index % CHUNK] = entry;
  chunks[at] = chunk;
  return chunks;
}

/** The entry at an index; null where none was put. */
export const entryAt = (list: Chunked, index: number): Json => list[Math.floor(index / CHUNK)]?.[index % CHUNK] ?? null;

/** All entries from 0 on, as one list. */
export const entriesOf = (list: Chunked, count: number): readonly Json[] => Array.from({ length: count }, (_, index) => entryAt(list, index));
