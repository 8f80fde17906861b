// Rows of memory and validation: one for each job, whatever how often it is carried out.
import type { Instant, Json } from '@weft/kernel';
import { CommitRows } from './commit-rows.js';
import { TENANT } from './execution-table.js';

export class KeptTable {
  readonly memory = new CommitRows('memory');
  readonly validation = new CommitRows('validation');
  readonly #rows = new Map<string, Json>();

  /** Writes what is not there yet, and its commit row. */
  keep(service: 'memory' | 'validation', commitId: string, at: Instant, key: string, value: Json): void {
    if (this.#rows.has(key)) return;
    this.#rows.set(key, value);
    this[service].add(commitId, at, TENANT, [{ subject: key, sequence: 0, structure: '{}', payload: JSON.stringify(value) }], true);
  }

  get keys(): readonly string[] {
    return [...this.#rows.keys()];
  }
}
