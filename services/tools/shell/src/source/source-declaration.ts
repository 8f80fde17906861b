// Sources as the operator declares them in the tools file.
import { z } from 'zod';
import type { JsonObject } from '@weft/kernel';
import type { ToolRule } from '@weft/tools/core';
import { headerValues, jsonObject, secretName } from '../registry/declared-values.js';

/** Kinds of reaching a source, each a field of its declaration. */
export const SOURCE_KINDS = ['mcp', 'openapi', 'grpc', 'worker'] as const;

const hook = z.strictObject({ tool: z.string().min(1), arguments: jsonObject, happened: z.string(), output: z.string().optional() });
const ruleFields = {
  effect: z.enum(['read', 'idempotent-write', 'non-idempotent-write']).optional(),
  data: z.enum(['private', 'public']).optional(),
  timeoutMs: z.number().int().min(1).max(600_000).optional(),
  concurrency: z.number().int().min(1).max(10_000).optional(),
  costMicros: z.number().int().min(0).max(1_000_000_000).optional(),
  arguments: jsonObject.optional(),
  onError: z.enum(['failed', 'unknown']).optional(),
  reconcile: hook.optional(),
};
const rule = z.strictObject({ match: z.string().min(1).max(200), ...ruleFields });

const protocol = z.enum(['auto', '2025', '2026-07-28']).default('auto');
const mcp = z.union([
  z.strictObject({
    command: z.string().min(1),
    args: z.array(z.string()).default([]),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.union([z.string(), z.strictObject({ secret: secretName })])).default({}),
    cwd: z.string().optional(),
    protocol,
  }),
  z.strictObject({ url: z.url({ protocol: /^https?$/ }), headers: headerValues, protocol }),
]);

const httpUrl = z.url({ protocol: /^https?$/ });
const openapi = z.strictObject({
  // A path, relative to the tools file, or a URL.
  document: z.string().min(1),
  server: httpUrl.refine((url) => new URL(url).search === '' && new URL(url).hash === '', 'expected a URL without a query').optional(),
  headers: headerValues,
  query: headerValues,
});

const grpc = z.strictObject({
  target: z.string().regex(/^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/, 'expected host:port'),
  tls: z.boolean().default(true),
  // PEM file of the authority that signed the server's certificate, relative to the tools file.
  ca: z.string().optional(),
  metadata: headerValues,
  services: z.array(z.string().min(1)).min(1).optional(),
});

const worker = z.strictObject({
  // Keys that open it, as secrets by name: several while one replaces another.
  keys: z
    .array(z.strictObject({ secret: secretName }))
    .min(1)
    .max(10),
  tenants: z.array(z.string().min(1)).min(1),
  // Definitions that are accepted as they come: tool -> digest.
  trust: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in hex')).default({}),
});

/** A source: who it is, how it is reached, and what holds for its tools. Exactly one kind of reaching. */
export const sourceDeclaration = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9_-]{0,59}$/, 'expected 1 to 60 characters of a-z, 0-9, "_" and "-", starting with a letter'),
    ...ruleFields,
    tools: z.array(rule).default([]),
    freshMs: z.number().int().min(0).max(3_600_000).optional(),
    mcp: mcp.optional(),
    openapi: openapi.optional(),
    grpc: grpc.optional(),
    worker: worker.optional(),
  })
  .refine((source) => SOURCE_KINDS.filter((kind) => source[kind] !== undefined).length === 1, { message: `expected exactly one of ${SOURCE_KINDS.join(', ')}` });

export type SourceDeclaration = Readonly<z.output<typeof sourceDeclaration>>;
export type McpDeclaration = z.output<typeof mcp>;
export type OpenApiDeclaration = z.output<typeof openapi>;
export type GrpcDeclaration = z.output<typeof grpc>;
export type WorkerDeclaration = z.output<typeof worker>;

// An MCP server calls by name whatever stands behind it at that moment; other sources send what was accepted.
const FRESH_MS = { mcp: 0, other: 60_000 };

/** How old a list may be that a call goes by, milliseconds. */
export const freshMsOf = ({ freshMs, mcp: server }: SourceDeclaration): number => freshMs ?? (server ? FRESH_MS.mcp : FRESH_MS.other);

/** What a declaration says about the source as a whole and about its tools. */
export function rulesOf(declaration: SourceDeclaration): { readonly rules: readonly ToolRule[]; readonly defaults: Omit<ToolRule, 'match'> } {
  const { effect, data, timeoutMs, concurrency, costMicros, onError, reconcile } = declaration;
  const narrowed: JsonObject | undefined = declaration.arguments;
  return { rules: declaration.tools, defaults: { effect, data, timeoutMs, concurrency, costMicros, onError, reconcile, arguments: narrowed } };
}
