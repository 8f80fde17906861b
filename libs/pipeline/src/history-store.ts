// The HistoryStore port: histories by key, and one statement that commits a batch of decisions.
import type { Instant } from '@weft/kernel';

/** What one batch decided for one key: becomes one history row (its events as one array; sequence = version). */
export interface Decided<S, E, X> {
  readonly key: string;
  /** Version after this decision, from 0. */
  readonly sequence: number;
  readonly events: readonly E[];
  readonly effects: readonly X[];
  readonly before: S;
  readonly after: S;
  /** Ids of the messages that led to it. */
  readonly causes: readonly string[];
}

/** A batch of decisions: one statement, one commit row. */
export interface Commit<S, E, X> {
  readonly id: string;
  readonly at: Instant;
  readonly decisions: readonly Decided<S, E, X>[];
}

/** What is stored for a key. `version` is -1 when there is nothing. */
export interface StoredHistory<E, S = never> {
  readonly version: number;
  /** A state to fold the events into, when the store keeps one; else they begin with the first. */
  readonly snapshot?: S;
  readonly events: readonly E[];
  /** Why it cannot be read, such as an event that this release does not know. Then `events` says nothing; other keys are not affected. */
  readonly unreadable?: unknown;
}

export interface HistoryStore<S, E, X> {
  /** Histories of all keys in one query; keys without one are missing from the answer. */
  load(keys: readonly string[]): Promise<ReadonlyMap<string, StoredHistory<E, S>>>;
  /**
   * Commits the batch in one statement. The key (key, sequence) is the compare-and-set.
   * @returns the keys that won; the others lost to a rival and wrote nothing.
   * @throws CommitUnknown when the outcome is not known; Fault otherwise.
   */
  commit(commit: Commit<S, E, X>): Promise<ReadonlySet<string>>;
  /** The keys that a commit of this id won, or undefined when there is no such commit. */
  outcomeOf(commitId: string): Promise<ReadonlySet<string> | undefined>;
}
