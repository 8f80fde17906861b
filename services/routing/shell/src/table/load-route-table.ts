// The route table from its YAML file, with its version.
import { canonicalJson, EMPTY_TABLE, readRouteTable, type DigestOf, type RouteTable } from '@weft/routing/core';
import { rejection, type Json, type Rejection } from '@weft/kernel';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';

/** A table with the version that selections record: SHA-256 of its canonical JSON, hex. */
export interface VersionedTable {
  readonly version: string;
  readonly table: RouteTable;
  /** SHA-256 of a model's entry in canonical JSON, hex. */
  readonly digestOf: DigestOf;
}

export type TableParsing = { readonly ok: true; readonly versioned: VersionedTable } | { readonly ok: false; readonly rejection: Rejection };

/** Gives a table its version, and its models theirs. */
export function versioned(table: RouteTable): VersionedTable {
  const digests = new Map(table.models.map((model) => [model.id, sha256(model as unknown as Json)]));
  return { version: sha256(table as unknown as Json), table, digestOf: ({ id }) => digests.get(id) ?? '' };
}

const sha256 = (value: Json): string => createHash('sha256').update(canonicalJson(value)).digest('hex');

/** Parses the text of a route table (YAML, or JSON as a part of it). Rejection: `route-table-invalid`, with all faults in the message. */
export function parseRouteTable(text: string, name: string): TableParsing {
  const document = parseDocument(text, { uniqueKeys: true });
  const faults = document.errors.map(({ message }) => message.split('\n')[0] ?? message);
  if (faults.length === 0) {
    // Through JSON text: what a table means never depends on what YAML has beyond JSON.
    const reading = readRouteTable(JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: 100 }) ?? null)) as Json);
    if (reading.ok) return { ok: true, versioned: versioned(reading.table) };
    faults.push(...reading.faults);
  }
  return { ok: false, rejection: rejection('route-table-invalid', `Expected a route table in ${name} but:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`) };
}

/**
 * Reads the file of a route table; without a path the table is empty and every request is refused.
 * @throws Error with a message for the operator when the file cannot be read or holds no route table.
 */
export async function loadRouteTable(path: string | undefined): Promise<VersionedTable> {
  if (path === undefined || path === '') return versioned(EMPTY_TABLE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new Error(`Expected the route table at ${path} (WEFT_ROUTES_FILE) but it could not be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  const parsing = parseRouteTable(text, path);
  if (!parsing.ok) throw new Error(parsing.rejection.message);
  return parsing.versioned;
}
