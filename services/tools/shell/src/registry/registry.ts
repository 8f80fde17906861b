// The tools of this process, ready to use: schemas and templates compiled once.
import type { Json } from '@weft/kernel';
import { prepareTool, type PinnedDefinition, type ToolDefinition } from '@weft/tools/core';
import { Gate } from '../carry-out/gate.js';
import { toolWork, type HttpPorts } from '../carry-out/http-work.js';
import { scriptWork } from '../carry-out/script-work.js';
import { pinDigest } from '../pin/pin-book.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { ToolSources } from '../source/tool-sources.js';
import { FileInvalid } from './files.js';
import { compileSchema, type SchemaCheck } from './schemas.js';
import type { ToolEntry, ToolFacts } from './tool-entry.js';

/** Source of what stands in the tools file: declaring a tool is accepting it. */
export const DECLARED = 'declared';

/** What declared tools are reached by. */
export interface ToolPorts extends HttpPorts {
  /** Without it there are no scripts. */
  readonly sandbox?: Sandbox;
}

export interface Registry {
  find(name: string): ToolEntry | undefined;
  /** Names of the tools that there are: those that are declared, and those of sources that may be called. */
  readonly names: readonly string[];
}

/** Declared tools first, then those of sources: a source cannot take the name of a declared tool. */
export function withSources({ find, names }: Registry, sources: Pick<ToolSources, 'find' | 'names'>): Registry {
  return {
    find: (name) => find(name) ?? sources.find(name),
    get names() {
      return [...names, ...sources.names];
    },
  };
}

/** Prepares the tools. @throws FileInvalid listing what is wrong with which. */
export function registryOf(definitions: readonly ToolDefinition[], ports: ToolPorts, path = 'the tools file'): Registry {
  const entries = new Map<string, ToolEntry>();
  const faults: string[] = [];
  for (const definition of definitions) {
    const entry = entryOf(definition, ports);
    if (Array.isArray(entry)) faults.push(...entry.map((fault) => `tool ${definition.name}: ${fault}`));
    else entries.set(definition.name, entry as ToolEntry);
  }
  if (faults.length > 0) throw new FileInvalid(path, 'tool definitions', faults);
  return { find: (name) => entries.get(name), names: [...entries.keys()] };
}

function entryOf(definition: ToolDefinition, ports: ToolPorts): ToolEntry | string[] {
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
    return faults.length > 0 || !inputProblem ? faults : { kind: 'static', ...factsOf(definition, inputProblem), answerText: JSON.stringify(definition.answer) };
  }
  if (definition.kind === 'script') {
    const { sandbox } = ports;
    if (!sandbox) faults.push('kind: scripts need a sandbox, and here is none');
    if (faults.length > 0 || !inputProblem || !sandbox) return faults;
    return { kind: 'acting', ...factsOf(definition, inputProblem), work: (job, args) => scriptWork(sandbox, job, { definition, outputProblem }, args) };
  }
  const prepared = prepareTool(definition);
  if (!prepared.ok) faults.push(...prepared.problems);
  if (faults.length > 0 || !inputProblem || !prepared.ok) return faults;
  const ready = { tool: prepared.tool, outputProblem, gate: definition.concurrency === undefined ? undefined : new Gate(definition.concurrency) };
  return { kind: 'acting', ...factsOf(definition, inputProblem), work: (job, args) => toolWork(ports, job, ready, args) };
}

function factsOf(definition: ToolDefinition, inputProblem: SchemaCheck): ToolFacts {
  const { name, description, input, effect, data = 'public', costMicros = 0 } = definition;
  return { name, source: DECLARED, pin: pinDigest(declaredDefinition(definition)), description, input, effect, data, costMicros, inputProblem };
}

/** What is pinned of a declared tool: where it goes as it is written, with secrets by name alone. */
export function declaredDefinition({ name, description, input, output, effect, kind, ...reach }: ToolDefinition): PinnedDefinition {
  return {
    source: DECLARED,
    target: { kind, ...('http' in reach ? { http: reach.http as unknown as Json } : {}), ...('script' in reach ? { script: reach.script } : {}) },
    name,
    description,
    input,
    ...(output === undefined ? {} : { output }),
    effect,
  };
}
