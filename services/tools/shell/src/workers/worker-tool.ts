// What a worker says about a tool, read and checked.
import type { WorkerTool } from '@weft/contracts';
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import type { EffectClass } from '@weft/tools/core';
import { compileSchema } from '../registry/schemas.js';

/** A tool as a worker brings it. The name is without that of its source. */
export interface WorkerToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly input: JsonObject;
  readonly output?: JsonObject;
  readonly effect: EffectClass;
  readonly hasReconcile: boolean;
  readonly timeoutMs: number;
  /** Calls that one worker carries out at once; 0 = no limit but the worker's own. */
  readonly concurrency: number;
}

const TOOLS_MAX = 200;
const SCHEMA_CHARACTERS_MAX = 256 * 1024;
const EFFECTS: ReadonlySet<string> = new Set(['read', 'idempotent-write', 'non-idempotent-write']);

/** The tools of a registration, or what is wrong with them: all faults together. */
export function readWorkerTools(tools: readonly WorkerTool[]): { readonly ok: true; readonly tools: readonly WorkerToolDefinition[] } | { readonly ok: false; readonly problems: readonly string[] } {
  if (tools.length === 0 || tools.length > TOOLS_MAX) return { ok: false, problems: [`expected 1 to ${TOOLS_MAX} tools but got ${tools.length}`] };
  const problems: string[] = [];
  const names = new Set<string>();
  const read = tools.map((tool) => {
    const fault = (problem: string): void => void problems.push(`tool ${JSON.stringify(tool.name.slice(0, 100))}: ${problem}`);
    if (!/^[a-z][a-z0-9_-]{0,59}$/.test(tool.name)) fault('expected a name of 1 to 60 characters of a-z, 0-9, "-" and "_", starting with a letter');
    if (names.has(tool.name)) fault('another tool has the same name');
    names.add(tool.name);
    if (tool.description.trim() === '' || tool.description.length > 10_000) fault('expected a description of 1 to 10,000 characters');
    if (!EFFECTS.has(tool.effect)) fault(`expected an effect of read, idempotent-write or non-idempotent-write but got ${JSON.stringify(tool.effect)}`);
    if (tool.hasReconcile && tool.effect !== 'non-idempotent-write') fault('only an effect of class non-idempotent-write is reconciled');
    if (!(tool.timeoutMs >= 1 && tool.timeoutMs <= 600_000)) fault(`expected a timeout of 1 to 600,000 ms but got ${tool.timeoutMs}`);
    const input = readSchema(tool.inputSchemaJson, 'input', fault);
    const output = tool.outputSchemaJson === '' ? undefined : readSchema(tool.outputSchemaJson, 'output', fault);
    return {
      name: tool.name,
      description: tool.description,
      input: input ?? {},
      ...(output ? { output } : {}),
      effect: tool.effect as EffectClass,
      hasReconcile: tool.hasReconcile,
      timeoutMs: Math.round(tool.timeoutMs),
      concurrency: tool.concurrency,
    };
  });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, tools: read };
}

function readSchema(text: string, field: string, fault: (problem: string) => void): JsonObject | undefined {
  if (text.length > SCHEMA_CHARACTERS_MAX) return void fault(`expected an ${field} schema of at most ${SCHEMA_CHARACTERS_MAX} characters but it has ${text.length}`);
  try {
    const schema = JSON.parse(text) as Json;
    if (!isJsonObject(schema)) return void fault(`expected an object as ${field} schema`);
    compileSchema(schema);
    return schema;
  } catch (error) {
    return void fault(`${field} schema: ${error instanceof Error ? error.message : String(error)}`);
  }
}
