import { invariant } from '@weft/kernel';
import { compileProgram, type Program } from '@weft/orchestration/core';
import type { DefinitionStore } from '../persist/definition-store.js';

/** Compiled definitions by digest. A digest never changes its meaning, so entries never grow stale. */
export class ProgramCache {
  readonly #programs = new Map<string, Program>();

  constructor(private readonly definitions: DefinitionStore) {}

  /** Fetches and compiles what is missing, in one query. */
  async fetch(digests: Iterable<string>): Promise<void> {
    const missing = [...new Set(digests)].filter((digest) => digest !== '' && !this.#programs.has(digest));
    if (missing.length === 0) return;
    for (const [digest, document] of await this.definitions.documents(missing)) this.#programs.set(digest, compileProgram(document));
  }

  /** A definition that was fetched. */
  readonly get = (digest: string): Program => {
    const program = this.#programs.get(digest);
    invariant(program, `definition ${digest} is not stored: was the execution started against another store?`);
    return program;
  };
}
