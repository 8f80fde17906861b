// Which requests MCP clients may make: a file that an operator writes. Each tool is a request event; routing chooses its workflow.
import { readFileSync } from 'node:fs';
import type { JsonObject } from '@weft/kernel';
import { z } from 'zod';

/** A workflow as MCP clients see it. */
export interface ExposedTool {
  readonly name: string;
  readonly description: string;
  /** Type of the request event that a call makes; its data are the arguments. */
  readonly type: string;
  /** JSON Schema of the arguments; an object. */
  readonly input: JsonObject;
  /** Tenants whose keys see it. Default: all. */
  readonly tenants?: readonly string[];
}

/** Names of the tools that follow executions: always there, never free. */
export const FOLLOWING = { get: 'weft_execution_get', cancel: 'weft_execution_cancel' } as const;

const RESERVED: ReadonlySet<string> = new Set(Object.values(FOLLOWING));
const schema = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && (value as JsonObject)['type'] === 'object', 'expected a JSON Schema of type object');
const tool = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,128}$/, 'expected 1 to 128 letters, digits, "_", "-" and "."')
    .refine((name) => !RESERVED.has(name), 'this name belongs to Weft'),
  description: z.string().min(1),
  type: z.string().min(1),
  input: schema.default({ type: 'object' }),
  tenants: z.array(z.string().min(1)).optional(),
});
const file = z.strictObject({ tools: z.array(tool) });

/** Reads the file; without a path nothing is exposed. @throws Error with all faults, for the operator. */
export function readExposedTools(path: string | undefined): readonly ExposedTool[] {
  return path === undefined || path === '' ? [] : parseExposedTools(readFileSync(path, 'utf8'), path);
}

/** Parses the text of the file. @throws Error with all faults. */
export function parseExposedTools(text: string, path: string): readonly ExposedTool[] {
  const faults: string[] = [];
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch (error) {
    faults.push((error as Error).message);
  }
  const result = faults.length > 0 ? undefined : file.safeParse(written);
  if (result?.error) faults.push(...result.error.issues.map((issue) => `/${issue.path.map(String).join('/')}: ${issue.message}`));
  const tools = (result?.data?.tools ?? []) as readonly ExposedTool[];
  tools.forEach(({ name }, index) => {
    if (tools.findIndex((other) => other.name === name) !== index) faults.push(`/tools/${index}/name: another tool is named ${name}`);
  });
  if (faults.length > 0) throw new Error(`Expected the tools for MCP clients in ${path} (WEFT_MCP_FILE) but:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  return tools;
}
