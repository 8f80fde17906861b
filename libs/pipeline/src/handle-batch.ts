// The way all messages go: group by key, load, decide, commit the batch in one statement, publish. Read this file first.
import { fold, type Decider, type Instant, type Rejection } from '@weft/kernel';
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

/** What became of an item. `setAside`: it met a broken invariant, its history cannot be read, or the store refuses it; nothing of it was recorded. */
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
  await settle({ spine, items, outcomes, published }, [...items.keys()]);
  return { outcomes: outcomes as Outcome[], published: Promise.all(published).then(() => undefined) };
}

/** A batch under way. Items go by their index. */
interface Work<S, C, E, X> {
  readonly spine: Spine<S, C, E, X>;
  readonly items: readonly Item<C>[];
  readonly outcomes: (Outcome | undefined)[];
  readonly published: Promise<void>[];
}

/** Decides and commits until each of the items has its outcome. */
async function settle<S, C, E, X>(work: Work<S, C, E, X>, indexes: readonly number[]): Promise<void> {
  const { spine, items, outcomes } = work;
  let open = indexes;
  for (let round = 0; open.length > 0; round++) {
    if (round === ROUNDS_MAX) throw new Fault(`${open.length} commands lost against a rival ${ROUNDS_MAX} times`, true);
    const { states, unreadable } = await loadStates(spine, new Set(open.map((index) => items[index]!.key)));
    const readable: number[] = [];
    for (const index of open) {
      const { key } = items[index]!;
      if (states.has(key)) readable.push(index);
      else outcomes[index] = { kind: 'setAside', fault: unreadable.get(key) };
    }
    await spine.prepare?.(
      readable.map((index) => items[index]!),
      (key) => states.get(key)!.state,
    );
    const batch = decideAll(work, readable, states);
    const { won, refused } = batch.decisions.length === 0 ? NOTHING_COMMITTED : await commitBatch(work, { id: spine.newCommitId(batch.at), at: batch.at, decisions: batch.decisions });
    const again: number[] = [];
    for (const [key, tentative] of batch.tentative) {
      if (won.has(key)) continue;
      if (!refused.has(key)) again.push(...tentative);
      else if (tentative.length === 1) outcomes[tentative[0]!] = { kind: 'setAside', fault: refused.get(key) };
      // Which of them the store refuses shows when each goes alone.
      else for (const index of tentative) await settle(work, [index]);
    }
    open = again;
  }
}

interface Batch<S, E, X> {
  readonly at: Instant;
  readonly decisions: readonly Decided<S, E, X>[];
  /**
   * Items by key whose outcome rests on something that is not known to be stored: on a cached state, or on events of this very
   * batch. It stands when the key's decision wins; otherwise they are decided again on what is stored.
   */
  readonly tentative: ReadonlyMap<string, readonly number[]>;
}

interface Known<S> {
  readonly version: number;
  readonly state: S;
  /** Whether it was read in this round, and not taken from the cache. */
  readonly fresh: boolean;
}

interface Loaded<S> {
  readonly states: ReadonlyMap<string, Known<S>>;
  /** Why a history cannot be read or folded, by key. */
  readonly unreadable: ReadonlyMap<string, unknown>;
}

async function loadStates<S, C, E, X>(spine: Spine<S, C, E, X>, keys: ReadonlySet<string>): Promise<Loaded<S>> {
  const states = new Map<string, Known<S>>();
  const unreadable = new Map<string, unknown>();
  const missing: string[] = [];
  for (const key of keys) {
    const cached = spine.cache.get(key);
    if (cached) states.set(key, { ...cached, fresh: false });
    else missing.push(key);
  }
  if (missing.length === 0) return { states, unreadable };
  const stored = await spine.store.load(missing);
  for (const key of missing) {
    const history = stored.get(key);
    if (history?.unreadable !== undefined) {
      unreadable.set(key, history.unreadable);
      continue;
    }
    try {
      states.set(key, { version: history?.version ?? -1, state: fold(spine.decider, history?.snapshot ?? spine.decider.initial, history?.events ?? []), fresh: true });
    } catch (fault) {
      unreadable.set(key, fault);
    }
  }
  return { states, unreadable };
}

function decideAll<S, C, E, X>({ spine, items, outcomes }: Work<S, C, E, X>, open: readonly number[], states: ReadonlyMap<string, Known<S>>): Batch<S, E, X> {
  const at = spine.clock.now();
  const decisions: Decided<S, E, X>[] = [];
  const tentative = new Map<string, number[]>();
  for (const [key, indexes] of groupByKey(items, open)) {
    const { version, state: before, fresh } = states.get(key)!;
    const [events, effects, causes]: [E[], X[], string[]] = [[], [], []];
    const resting: number[] = [];
    let after = before;
    for (const index of indexes) {
      const { command, messageId } = items[index]!;
      try {
        const decision = spine.decider.decide(after, command, { now: at, idOf: (ordinal) => `${messageId}#${ordinal}` });
        if (decision.kind === 'accepted') {
          after = decision.after ?? fold(spine.decider, after, decision.events);
          events.push(...decision.events);
          effects.push(...decision.effects);
          causes.push(messageId);
          outcomes[index] = { kind: 'accepted', sequence: version + 1 };
        } else outcomes[index] = decision;
      } catch (fault) {
        outcomes[index] = { kind: 'setAside', fault };
      }
      if (!fresh || events.length > 0) resting.push(index);
    }
    tentative.set(key, resting);
    if (events.length > 0) decisions.push({ key, sequence: version + 1, events, effects, before, after, causes });
    else if (fresh) spine.cache.set(key, version, before);
    else spine.cache.drop(key);
  }
  return { at, decisions, tentative };
}

function groupByKey<C>(items: readonly Item<C>[], indexes: readonly number[]): ReadonlyMap<string, readonly number[]> {
  const groups = new Map<string, number[]>();
  for (const index of indexes) {
    const { key } = items[index]!;
    const group = groups.get(key);
    if (group) group.push(index);
    else groups.set(key, [index]);
  }
  return groups;
}

interface Committed {
  readonly won: ReadonlySet<string>;
  /** Keys whose decision the store refuses for what it is, with the fault. */
  readonly refused: ReadonlyMap<string, unknown>;
}

const NOTHING_COMMITTED: Committed = { won: new Set(), refused: new Map() };

async function commitBatch<S, C, E, X>(work: Work<S, C, E, X>, commit: Commit<S, E, X>): Promise<Committed> {
  const { spine } = work;
  let won: ReadonlySet<string>;
  try {
    won = await commitOrAsk(spine, commit);
  } catch (fault) {
    for (const { key } of commit.decisions) spine.cache.drop(key);
    if (!(fault instanceof Fault) || fault.retryable) throw fault;
    return commitEachAlone(work, commit, fault);
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
    work.published.push(handedOn);
  }
  return { won, refused: new Map() };
}

/** The store refuses something in the batch: each decision alone, so that only the culprit is kept from the others. */
async function commitEachAlone<S, C, E, X>(work: Work<S, C, E, X>, { at, decisions }: Commit<S, E, X>, fault: Fault): Promise<Committed> {
  if (decisions.length === 1) return { won: new Set(), refused: new Map([[decisions[0]!.key, fault]]) };
  const won = new Set<string>();
  const refused = new Map<string, unknown>();
  for (const decided of decisions) {
    const committed = await commitBatch(work, { id: work.spine.newCommitId(at), at, decisions: [decided] });
    for (const key of committed.won) won.add(key);
    for (const [key, reason] of committed.refused) refused.set(key, reason);
  }
  return { won, refused };
}

async function commitOrAsk<S, C, E, X>(spine: Spine<S, C, E, X>, commit: Commit<S, E, X>): Promise<ReadonlySet<string>> {
  try {
    return await spine.store.commit(commit);
  } catch (fault) {
    if (!(fault instanceof CommitUnknown)) throw fault;
    return (await spine.store.outcomeOf(fault.commitId)) ?? new Set();
  }
}
