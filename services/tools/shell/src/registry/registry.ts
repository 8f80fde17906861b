// The tools of this process, ready to use: schemas and templates compiled once.
import type { Job } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { prepareTool, type DataClass, type EffectClass, type ToolDefinition } from '@weft/tools/core';
import { toolWork, type HttpPorts } from '../carry-out/http-work.js';
import type { WorkMaking } from '../carry-out/work.js';
import type { SchemaCheck } from './schemas.js';
import { compileSchema } from './schemas.js';
import { FileInvalid } from './files.js';

/** What is known of every tool. */
export interface ToolFacts {
  readonly name: string;
  readonly effect: EffectClass;
  readonly data: DataClass;
  /** Digest that it was accepted by; empty: it is what its declaration says. */
  readonly pin: string;
  /** Where it comes from: `declared`, or the name of a source. */
  readonly source: string;
  /** What is wrong with arguments, by the tool's schema. */
  readonly inputProblem: SchemaCheck;
}

/** A tool whose answer stands in its declaration. */
export interface StaticEntry extends ToolFacts {
  readonly kind: 'static';
  /** JSON text, made once. */
  readonly answerText: string;
}

/** A tool that is reached over a transport. */
export interface ActingEntry extends ToolFacts {
  readonly kind: 'acting';
  /** Makes a job ready to be sent, its arguments checked before. Nothing is sent yet. */
  work(job: Job, args: Json): WorkMaking;
}

export type ToolEntry = StaticEntry | ActingEntry;

export interface Registry {
  find(name: string): ToolEntry | undefined;
  readonly names: readonly string[];
}

/** Prepares the tools. @throws FileInvalid listing what is wrong with which. */
export function registryOf(definitions: readonly ToolDefinition[], ports: HttpPorts, path = 'the tools file'): Registry {
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

function entryOf(definition: ToolDefinition, ports: HttpPorts): ToolEntry | string[] {
  const { name, effect, data = 'public' } = definition;
  const declared = { data, pin: '', source: 'declared' } as const;
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
    return faults.length > 0 || !inputProblem ? faults : { kind: 'static', name, effect, ...declared, inputProblem, answerText: JSON.stringify(definition.answer) };
  }
  const prepared = prepareTool(definition);
  if (!prepared.ok) faults.push(...prepared.problems);
  if (faults.length > 0 || !inputProblem || !prepared.ok) return faults;
  const ready = { tool: prepared.tool, outputProblem };
  return { kind: 'acting', name, effect, ...declared, inputProblem, work: (job, args) => toolWork(ports, job, ready, args) };
}
