// The tools of this process, ready to use: schemas and templates compiled once.
import { prepareTool, type PreparedTool, type ToolDefinition } from '@weft/tools/core';
import type { SchemaCheck } from './schemas.js';
import { compileSchema } from './schemas.js';
import { FileInvalid } from './files.js';

/** A tool whose answer stands in its declaration. */
export interface StaticEntry {
  readonly kind: 'static';
  readonly name: string;
  readonly inputProblem: SchemaCheck;
  /** JSON text, made once. */
  readonly answerText: string;
}

export interface HttpEntry {
  readonly kind: 'http';
  readonly name: string;
  readonly inputProblem: SchemaCheck;
  readonly outputProblem: SchemaCheck | undefined;
  readonly tool: PreparedTool;
  /** On every output: it came from outside. */
  readonly taint: readonly string[];
}

export type ToolEntry = StaticEntry | HttpEntry;

export interface Registry {
  find(name: string): ToolEntry | undefined;
  readonly names: readonly string[];
}

/** Prepares the tools. @throws FileInvalid listing what is wrong with which. */
export function registryOf(definitions: readonly ToolDefinition[], path = 'the tools file'): Registry {
  const entries = new Map<string, ToolEntry>();
  const faults: string[] = [];
  for (const definition of definitions) {
    const entry = entryOf(definition);
    if (Array.isArray(entry)) faults.push(...entry.map((fault) => `tool ${definition.name}: ${fault}`));
    else entries.set(definition.name, entry as ToolEntry);
  }
  if (faults.length > 0) throw new FileInvalid(path, 'tool definitions', faults);
  return { find: (name) => entries.get(name), names: [...entries.keys()] };
}

function entryOf(definition: ToolDefinition): ToolEntry | string[] {
  const faults: string[] = [];
  const check = (field: 'input' | 'output'): SchemaCheck | undefined => {
    const schema = definition[field];
    try {
      return schema && compileSchema(schema);
    } catch (error) {
      faults.push(`${field}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  const inputProblem = check('input');
  const outputProblem = check('output');
  if (definition.kind === 'static') {
    const problem = outputProblem?.(definition.answer);
    if (problem !== undefined) faults.push(`answer: ${problem}, as its own output schema wants`);
    return faults.length > 0 || !inputProblem ? faults : { kind: 'static', name: definition.name, inputProblem, answerText: JSON.stringify(definition.answer) };
  }
  const prepared = prepareTool(definition);
  if (!prepared.ok) faults.push(...prepared.problems);
  if (faults.length > 0 || !inputProblem || !prepared.ok) return faults;
  return { kind: 'http', name: definition.name, inputProblem, outputProblem, tool: prepared.tool, taint: [`tool:${definition.name}`] };
}
