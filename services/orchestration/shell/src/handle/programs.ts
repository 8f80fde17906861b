import { Defect, invariant, type Instant } from '@weft/kernel';
import { compileProgram, type ExecutionState, type Program, type ProgramSettings, type SearchAttribute } from '@weft/orchestration/core';
import type { DefinitionContent, DefinitionStore } from '../persist/definition-store.js';

/** Compiled definitions by digest. A digest never changes its meaning, so entries never grow stale. */
export class ProgramCache {
  readonly #programs = new Map<string, Program | Defect>();

  constructor(
    private readonly definitions: DefinitionStore,
    private readonly settings: ProgramSettings = {},
  ) {}

  /** Fetches and compiles what is missing, in one query. */
  async fetch(digests: Iterable<string>): Promise<void> {
    const missing = [...new Set(digests)].filter((digest) => digest !== '' && !this.#programs.has(digest));
    if (missing.length === 0) return;
    for (const [digest, content] of await this.definitions.contents(missing)) this.#programs.set(digest, compiled(digest, content, this.settings));
  }

  /** A definition that was fetched. @throws Defect when it is not stored or cannot be compiled: that execution stops, no other. */
  readonly get = (digest: string): Program => {
    const program = this.#programs.get(digest);
    invariant(program, `definition ${digest} is not stored: was the execution started against another store?`);
    if (program instanceof Defect) throw program;
    return program;
  };

  /** A document that is not stored, compiled as those that are. @throws Defect when it cannot be. */
  readonly compile = (content: DefinitionContent): Program => {
    const program = compiled('', content, this.settings);
    if (program instanceof Defect) throw program;
    return program;
  };

  /** What an execution that starts is found by; nothing where its definition cannot be used. */
  readonly attributesOf = ({ definition, input }: Pick<ExecutionState, 'definition' | 'input'>, now: Instant): readonly SearchAttribute[] => {
    const program = this.#programs.get(definition.digest);
    return program === undefined || program instanceof Defect ? NO_ATTRIBUTES : (program.searchAttributes?.(input, now) ?? NO_ATTRIBUTES);
  };
}

const NO_ATTRIBUTES: readonly SearchAttribute[] = [];

/** What cannot be compiled is kept as its reason: thrown here, it would keep every other execution of the batch back. */
function compiled(digest: string, { document, resources }: DefinitionContent, settings: ProgramSettings): Program | Defect {
  try {
    return compileProgram(document, new Map(Object.entries(resources)), settings);
  } catch (fault) {
    return new Defect(`definition ${digest} cannot be compiled: ${fault instanceof Error ? fault.message : String(fault)}`);
  }
}
