// The two files that an operator writes: tools and grants. All faults of a file are reported together.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { GRANTED_KINDS, toolProblems, TOOL_TIMEOUT_MS, type Grant, type ToolDefinition } from '@weft/tools/core';
import { REDIRECTS_MAX } from '../egress/redirect.js';
import { sourceDeclaration, type SourceDeclaration } from '../source/source-declaration.js';
import { headerValues, json, jsonObject } from './declared-values.js';
import { scriptFields, withSource } from './script-declaration.js';

/** A file that cannot be used. */
export class FileInvalid extends Error {
  constructor(path: string, what: string, faults: readonly string[]) {
    super(`Expected ${what} in ${path} but it has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'FileInvalid';
  }
}

const common = {
  name: z.string().regex(/^[a-z][a-z0-9._-]{0,99}$/, 'expected 1 to 100 characters of a-z, 0-9, ".", "_" and "-", starting with a letter'),
  description: z.string().min(1),
  input: jsonObject,
  output: jsonObject.optional(),
  timeoutMs: z.number().int().min(1).max(600_000).default(TOOL_TIMEOUT_MS),
  data: z.enum(['private', 'public']).optional(),
  concurrency: z.number().int().min(1).max(10_000).optional(),
  costMicros: z.number().int().min(0).max(1_000_000_000).optional(),
};
const tool = z.discriminatedUnion('kind', [
  z.strictObject({ ...common, kind: z.literal('static'), effect: z.literal('read', 'a static tool is of class read'), answer: json }),
  z.strictObject({
    ...common,
    kind: z.literal('http'),
    effect: z.enum(['read', 'idempotent-write', 'non-idempotent-write']),
    http: z.strictObject({
      method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']),
      url: z.string(),
      headers: headerValues,
      body: json.optional(),
      redirects: z.number().int().min(0).max(REDIRECTS_MAX).optional(),
    }),
    reconcile: z.strictObject({ method: z.enum(['GET', 'POST']).default('GET'), url: z.string(), headers: headerValues, happened: z.string(), output: z.string().optional() }).optional(),
  }),
  z.strictObject({ ...common, ...scriptFields }),
]);
const toolsFile = z.strictObject({ tools: z.array(tool).default([]), sources: z.array(sourceDeclaration).default([]) });
const grant = z.strictObject({
  tenant: z.string().min(1),
  workflow: z.string().regex(/^[^/]+\/[^/]+$/, 'expected namespace/name, where * stands for any text'),
  tools: z.array(z.string()).default([]),
  kinds: z.array(z.enum(GRANTED_KINDS)).default([]),
  secrets: z.array(z.string().min(1)).optional(),
  agents: z.array(z.string().min(1)).default([]),
  actors: z.array(z.string().min(1)).default(['*']),
});
const grantsFile = z.strictObject({ grants: z.array(grant) });

/** What a tools file declares. */
export interface Declarations {
  readonly tools: readonly ToolDefinition[];
  readonly sources: readonly SourceDeclaration[];
  /** Folder of the file. */
  readonly folder: string;
}

/** Declarations of a deployment that has no tools file. */
export const NO_DECLARATIONS: Declarations = { tools: [], sources: [], folder: '.' };

/** Reads a tools file: `tools:` and `sources:`, each a list. @throws FileInvalid */
export function readToolsFile(path: string): Declarations {
  return { ...parseDeclarations(readFileSync(path, 'utf8'), path), folder: dirname(resolve(path)) };
}

/** Parses the tools of a tools file. @throws FileInvalid */
export const parseTools = (text: string, path: string): readonly ToolDefinition[] => parseDeclarations(text, path).tools;

/** Parses the text of a tools file. Files that it names lie beside it. @throws FileInvalid */
export function parseDeclarations(text: string, path: string): Omit<Declarations, 'folder'> {
  const { tools, sources } = parsed(toolsFile, text, path, 'tool definitions') as Omit<Declarations, 'folder'>;
  const faults = tools.flatMap((definition, index) => {
    const isTwice = tools.findIndex(({ name }) => name === definition.name) !== index;
    const shadowed = sources.find(({ name }) => definition.name.startsWith(`${name}.`));
    return [
      ...toolProblems(definition),
      ...(isTwice ? ['name: another tool has the same'] : []),
      ...(shadowed ? [`name: names that begin with ${shadowed.name}. belong to the source of that name`] : []),
    ].map((problem) => `/tools/${index} (${definition.name}) ${problem}`);
  });
  const twice = sources.flatMap(({ name }, index) => (sources.findIndex((other) => other.name === name) === index ? [] : [`/sources/${index} (${name}) name: another source has the same`]));
  const definitions = tools.map((definition, index) => withSource(definition, path, (problem) => void faults.push(`/tools/${index} (${definition.name}) ${problem}`)));
  if (faults.length + twice.length > 0) throw new FileInvalid(path, 'tool definitions', [...faults, ...twice]);
  return { tools: definitions, sources };
}

/** Reads a grants file: `grants:` with a list of entries. @throws FileInvalid */
export function readGrantsFile(path: string): readonly Grant[] {
  return parseGrants(readFileSync(path, 'utf8'), path);
}

/** Parses the text of a grants file. @throws FileInvalid */
export function parseGrants(text: string, path: string): readonly Grant[] {
  return (parsed(grantsFile, text, path, 'grants') as { readonly grants: readonly Grant[] }).grants;
}

/** Reads YAML by a schema. @param what for the sentence. @throws FileInvalid */
export function parsed(schema: z.ZodType, text: string, path: string, what: string): unknown {
  const document = parseDocument(text);
  if (document.errors.length > 0)
    throw new FileInvalid(
      path,
      what,
      document.errors.map(({ message }) => message.split('\n')[0] ?? message),
    );
  const result = schema.safeParse(document.toJS({ maxAliasCount: 100 }) as unknown);
  if (result.success) return result.data;
  throw new FileInvalid(
    path,
    what,
    result.error.issues.map((issue) => `/${issue.path.map(String).join('/')}: ${issue.message}`),
  );
}
