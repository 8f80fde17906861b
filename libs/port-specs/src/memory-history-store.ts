import type { Commit, HistoryStore, StoredHistory } from '@weft/pipeline';

/** Stands between a caller and a commit: runs it (`run`), runs something before or after it, or throws instead. */
export type CommitScript<S, E, X> = (commit: Commit<S, E, X>, run: () => ReadonlySet<string>) => ReadonlySet<string> | Promise<ReadonlySet<string>>;

/** Histories in memory, for specs. It keeps what was committed and plays faults and rivals by script. */
export class MemoryHistoryStore<S, E, X> implements HistoryStore<S, E, X> {
  /** Rows by key, in order of sequence. */
  readonly rows = new Map<string, (readonly E[])[]>();
  /** Commits that won something: id to the keys they won. */
  readonly commits = new Map<string, ReadonlySet<string>>();
  /** Keys of each call of `load`. */
  readonly loads: (readonly string[])[] = [];
  /** One for each coming commit; without one it simply runs. */
  readonly script: CommitScript<S, E, X>[] = [];
  /** Keys whose history cannot be read, and why. */
  readonly unreadable = new Map<string, unknown>();

  async load(keys: readonly string[]): Promise<ReadonlyMap<string, StoredHistory<E>>> {
    this.loads.push(keys);
    const found = new Map<string, StoredHistory<E>>();
    for (const key of keys) {
      const rows = this.rows.get(key);
      if (rows === undefined) continue;
      const unreadable = this.unreadable.get(key);
      found.set(key, { version: rows.length - 1, events: rows.flat(), ...(unreadable === undefined ? {} : { unreadable }) });
    }
    return found;
  }

  async commit(commit: Commit<S, E, X>): Promise<ReadonlySet<string>> {
    const run = (): ReadonlySet<string> => this.#run(commit);
    return (this.script.shift() ?? run)(commit, run);
  }

  async outcomeOf(commitId: string): Promise<ReadonlySet<string> | undefined> {
    return this.commits.get(commitId);
  }

  /** Writes the next row of a key, as a rival would. */
  append(key: string, ...events: readonly E[]): void {
    this.rows.set(key, [...(this.rows.get(key) ?? []), events]);
  }

  #run({ id, decisions }: Commit<S, E, X>): ReadonlySet<string> {
    const won = decisions.filter(({ key, sequence }) => (this.rows.get(key)?.length ?? 0) === sequence);
    for (const { key, events } of won) this.append(key, ...events);
    const keys = new Set(won.map(({ key }) => key));
    if (keys.size > 0) this.commits.set(id, keys);
    return keys;
  }
}
