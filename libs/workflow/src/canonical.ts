import { isJsonObject, type Json } from '@weft/kernel';
import type { Workflow } from './document.js';

/** JSON in one form for equal values: keys sorted by UTF-16 code units, no white space. Source: RFC 8785. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(',')}]`;
  if (isJsonObject(value)) {
    const fields = Object.keys(value).sort();
    return `{${fields.map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name]!)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** The text that a definition's digest is taken of: the same for YAML and JSON, whatever their order of keys. */
export const definitionText = (workflow: Workflow): string => canonicalJson(workflow as unknown as Json);

/**
 * The text that the digest of a definition with external resources is taken of: its document, and what each resource was when it was published.
 * @param digests of the resources by URI; empty: the text of the definition alone.
 */
export const lockedDefinitionText = (workflow: Workflow, digests: Readonly<Record<string, string>>): string =>
  Object.keys(digests).length === 0 ? definitionText(workflow) : canonicalJson({ definition: workflow as unknown as Json, resources: digests });
