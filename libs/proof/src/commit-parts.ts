// A batch cut into parts whose commit rows fit into the audit log. Source: docs/adr/0006.

// A leaf has 65,535 bytes at most, and ids are its bulk.
const ID_BYTES_MAX = 40_000;
// What stands around an id in the leaf's JSON, its kind with it.
const AROUND_BYTES = 24;

/**
 * Each (tenant, id) once, the last of its name, in parts whose ids have a bounded length together: one part but for very long ids.
 * At least one part, which is empty when nothing is given. An id that is longer than the bound is a part of its own.
 */
export function commitParts<T extends { readonly tenant: string; readonly id: string }>(items: readonly T[]): readonly (readonly T[])[] {
  const parts: T[][] = [[]];
  let bytes = 0;
  for (const item of new Map(items.map((one) => [`${one.tenant}\n${one.id}`, one])).values()) {
    const more = jsonBytes(item.id) + jsonBytes(item.tenant) + AROUND_BYTES;
    if (bytes + more > ID_BYTES_MAX && bytes > 0) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)!.push(item);
    bytes += more;
  }
  return parts;
}

const jsonBytes = (text: string): number => Buffer.byteLength(JSON.stringify(text));
