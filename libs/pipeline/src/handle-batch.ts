// The way all messages go: group by key, load, decide, commit the batch in one statement, publish. Read this file first.
import type { Decider, Instant, Rejection } from '@weft/kernel';
import type { Clock } from './clock.js';
import { CommitUnknown, Fault } from './fault.js';
import type { Commit, Decided, HistoryStore } from './history-store.js';
import type { StateCache } from './state-cache.js';

/** One message that wants a decision. */
export interface Item<C> {
  /** The thing it is about, such as an execution id. */
  readonly key: string;
  readonly command: C;
  readonly messageId: string;
}

/** What became of an item. `setAside`: it met a broken invariant or the store refuses it; nothing of it was recorded. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly sequence: number }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }
  | { readonly kind: 'ignored'; readonly reason: 'duplicate' | 'stale' }
  | { readonly kind: 'setAside'; readonly fault: unknown };

/** Everything a batch needs. All I/O is behind these ports. */
export interface Spine<S, C, E, X> {
  readonly decider: Decider<S, C, E, X>;
  readonly store: HistoryStore<S, E, X>;
  readonly cache: StateCache<S>;
  readonly clock: Clock;
  readonly newCommitId: (now: Instant) => string;
  /** Fetches what deciding needs besides state (such as definitions), in one go for the batch. */
  readonly prepare?: (items: readonly Item<C>[], stateOf: (key: string) => S) => Promise<void>;
  /** Carries out the effects of what was committed. Called only after the commit. */
  readonly publish: (commit: Commit<S, E, X>) => Promise<void>;
}

export interface Handled {
  /** One outcome an item, in the order of the items. */
  readonly outcomes: readonly Outcome[];
  /** Resolves when the effects have been handed on: acknowledge after it. */
  readonly published: Promise<void>;
}

// A key that loses this often in one batch has a rival that is making progress: leave the rest to a redelivery.
const ROUNDS_MAX = 5;

/**
 * Handles a batch. One bad item never blocks the rest: an item that breaks an invariant, or that the store refuses, is
 * set aside and the others go on.
 * @throws Fault (retryable) when the store cannot be reached: nothing was decided for the items that are not yet committed,
 * and handing in the whole batch again is safe because commands are idempotent by state.
 */
export async function handleBatch<S, C, E, X>(spine: Spine<S, C, E, X>, items: readonly Item<C>[]): Promise<Handled> {
  const outcomes = new Array<Outcome | undefined>(items.length);
  const published: Promise<void>[] = [];
  let open = [...items.keys()];
  for (let round = 0; open.length > 0; round++) {
    if (round === ROUNDS_MAX) throw new Fault(`${open.length} commands lost against a rival ${ROUNDS_MAX} times`, true);
    const states = await loadStates(spine, new Set(open.map((index) => items[index]!.key)));
    const stateOf = (key: string): S => states.get(key)!.state;
    await spine.prepare?.(open.map((index) => items[index]!), stateOf);
    const batch = decideAll(spine, items, open, states, outcomes);
    const won = batch.decisions.length === 0 ? new Set<string>() : await commitBatch(spine, batch, outcomes, published);
    const lost = batch.decisions.filter((decided) => !won.has(decided.key)).flatMap((decided) => batch.indexesOf.get(decided.key) ?? []);
    open = [...lost, ...batch.doubtful];
  }
  return { outcomes: outcomes as Outcome[], published: Promise.all(published).then(() => undefined) };
}

interface Batch<S, E, X> {
  readonly at: Instant;
  readonly decisions: Decided<S, E, X>[];
  /** Items by key that led to a decision. */
  readonly indexesOf: Map<string, number[]>;
  /** Items refused or ignored on a cached state, which a rival may have outdated: decided again on what is stored. */
  readonly doubtful: number[];
}

interface Known<S> {
  readonly version: number;
  readonly state: S;
  /** Whether it was read in this round, and not taken from the cache. */
  readonly fresh: boolean;
}

async function loadStates<S, C, E, X>(spine: Spine<S, C, E, X>, keys: ReadonlySet<string>): Promise<Map<string, Known<S>>> {
  const states = new Map<string, Known<S>>();
  const missing: string[] = [];
  for (const key of keys) {
    const cached = spine.cache.get(key);
    if (cached) states.set(key, { ...cached, fresh: false });
    else missing.push(key);
  }
  if (missing.length === 0) return states;
  const stored = await spine.store.load(missing);
  for (const key of missing) {
    const history = stored.get(key);
    const state = (history?.events ?? []).reduce((folded: S, event) => spine.decider.evolve(folded, event), spine.decider.initial);
    states.set(key, { version: history?.version ?? -1, state, fresh: true });
  }
  return states;
}

function decideAll<S, C, E, X>(
  spine: Spine<S, C, E, X>,
  items: readonly Item<C>[],
  open: readonly number[],
  states: ReadonlyMap<string, Known<S>>,
  outcomes: (Outcome | undefined)[],
): Batch<S, E, X> {
  const at = spine.clock.now();
  const indexesOf = new Map<string, number[]>();
  for (const index of open) {
    const { key } = items[index]!;
    const indexes = indexesOf.get(key);
    if (indexes) indexes.push(index);
    else indexesOf.set(key, [index]);
  }
  const decisions: Decided<S, E, X>[] = [];
  const doubtful: number[] = [];
  for (const [key, indexes] of indexesOf) {
    const { version, state: before, fresh } = states.get(key)!;
    const [events, effects, causes]: [E[], X[], string[]] = [[], [], []];
    const accepted: number[] = [];
    let after = before;
    for (const index of indexes) {
      const { command, messageId } = items[index]!;
      try {
        const decision = spine.decider.decide(after, command, { now: at, idOf: (ordinal) => `${messageId}#${ordinal}` });
        if (decision.kind !== 'accepted') {
          outcomes[index] = decision;
          if (!fresh && events.length === 0) doubtful.push(index);
          continue;
        }
        after = decision.events.reduce((state, event) => spine.decider.evolve(state, event), after);
        events.push(...decision.events);
        effects.push(...decision.effects);
        causes.push(messageId);
        accepted.push(index);
        outcomes[index] = { kind: 'accepted', sequence: version + 1 };
      } catch (fault) {
        outcomes[index] = { kind: 'setAside', fault };
      }
    }
    indexesOf.set(key, accepted);
    if (events.length > 0) decisions.push({ key, sequence: version + 1, events, effects, before, after, causes });
    else if (fresh) spine.cache.set(key, version, before);
    else spine.cache.drop(key);
  }
  return { at, decisions, indexesOf, doubtful };
}

async function commitBatch<S, C, E, X>(spine: Spine<S, C, E, X>, batch: Batch<S, E, X>, outcomes: (Outcome | undefined)[], published: Promise<void>[]): Promise<ReadonlySet<string>> {
  const commit: Commit<S, E, X> = { id: spine.newCommitId(batch.at), at: batch.at, decisions: batch.decisions };
  let won: ReadonlySet<string>;
  try {
    won = await commitOrAsk(spine, commit);
  } catch (fault) {
    for (const { key } of commit.decisions) spine.cache.drop(key);
    if (!(fault instanceof Fault) || fault.retryable) throw fault;
    if (commit.decisions.length === 1) {
      const { key } = commit.decisions[0]!;
      for (const index of batch.indexesOf.get(key) ?? []) outcomes[index] = { kind: 'setAside', fault };
      return new Set([key]);
    }
    // The store refuses something in the batch: each decision alone, so that only the culprit is set aside.
    const winners = new Set<string>();
    for (const decided of batch.decisions) {
      for (const key of await commitBatch(spine, { ...batch, decisions: [decided] }, outcomes, published)) winners.add(key);
    }
    return winners;
  }
  const winners = commit.decisions.filter((decided) => won.has(decided.key));
  for (const decided of commit.decisions) {
    if (won.has(decided.key)) spine.cache.set(decided.key, decided.sequence, decided.after);
    else spine.cache.drop(decided.key);
  }
  if (winners.length > 0) {
    const handedOn = spine.publish({ ...commit, decisions: winners });
    // The caller awaits `published`; until then a rejection must not count as unhandled.
    handedOn.catch(() => undefined);
    published.push(handedOn);
  }
  return won;
}

async function commitOrAsk<S, C, E, X>(spine: Spine<S, C, E, X>, commit: Commit<S, E, X>): Promise<ReadonlySet<string>> {
  try {
    return await spine.store.commit(commit);
  } catch (fault) {
    if (!(fault instanceof CommitUnknown)) throw fault;
    return (await spine.store.outcomeOf(fault.commitId)) ?? new Set();
  }
}
