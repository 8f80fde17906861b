import { accepted, invariant, rejection, type Decider } from '@weft/kernel';
import { MemoryHistoryStore, type CommitScript } from '@weft/port-specs';
import { describe, expect, it } from 'vitest';
import { CommitUnknown, Fault } from './fault.js';
import { handleBatch, type Item, type Outcome, type Spine } from './handle-batch.js';
import type { Commit } from './history-store.js';
import { StateCache } from './state-cache.js';

// A jar of marbles: each is put in once, the lid closes it, and `poison` breaks an invariant.
type Command = { readonly put: string } | { readonly close: true } | { readonly poison: true };
type Event = { readonly put: string; readonly id: string } | { readonly closed: true };
interface Jar {
  readonly marbles: readonly string[];
  readonly closed: boolean;
}

const jar: Decider<Jar, Command, Event, string> = {
  initial: { marbles: [], closed: false },
  decide(state, command, { idOf }) {
    if ('poison' in command) invariant(false, 'poison');
    if ('close' in command) return state.closed ? { kind: 'ignored', reason: 'duplicate' } : accepted<Event, string>([{ closed: true }], ['closed']);
    if (state.marbles.includes(command.put)) return { kind: 'ignored', reason: 'duplicate' };
    if (state.closed) return { kind: 'rejected', rejection: rejection('jar-closed', 'Expected an open jar but it is closed.') };
    return accepted<Event, string>([{ put: command.put, id: idOf(0) }], [`put ${command.put}`]);
  },
  evolve: (state, event) => ('closed' in event ? { ...state, closed: true } : { ...state, marbles: [...state.marbles, event.put] }),
};

interface Bench {
  readonly store: MemoryHistoryStore<Jar, Event, string>;
  readonly cache: StateCache<Jar>;
  readonly published: Commit<Jar, Event, string>[];
  readonly spine: Spine<Jar, Command, Event, string>;
  readonly handle: (...items: readonly Item<Command>[]) => Promise<readonly Outcome[]>;
  readonly marbles: (key: string) => readonly string[];
}

function bench(more: Partial<Spine<Jar, Command, Event, string>> = {}): Bench {
  const store = new MemoryHistoryStore<Jar, Event, string>();
  const cache = new StateCache<Jar>(100);
  const published: Commit<Jar, Event, string>[] = [];
  let commits = 0;
  const spine: Spine<Jar, Command, Event, string> = {
    decider: jar,
    store,
    cache,
    clock: { now: () => 1_000 },
    newCommitId: () => `commit-${++commits}`,
    publish: async (commit) => void published.push(commit),
    ...more,
  };
  const handle: Bench['handle'] = async (...items) => {
    const { outcomes, published: handedOn } = await handleBatch(spine, items);
    await handedOn;
    return outcomes;
  };
  return { store, cache, published, spine, handle, marbles: (key) => (store.rows.get(key) ?? []).flat().flatMap((event) => ('put' in event ? [event.put] : [])) };
}

let messages = 0;
const put = (key: string, marble: string): Item<Command> => ({ key, command: { put: marble }, messageId: `m-${++messages}` });
const close = (key: string): Item<Command> => ({ key, command: { close: true }, messageId: `m-${++messages}` });
const poison = (key: string): Item<Command> => ({ key, command: { poison: true }, messageId: `m-${++messages}` });
const kinds = (outcomes: readonly Outcome[]): readonly string[] => outcomes.map(({ kind }) => kind);

describe('handleBatch', () => {
  it('makes one commit of a batch and one history row of what a key was asked', async () => {
    const { handle, store, published } = bench();
    expect(await handle(put('a', 'red'), put('b', 'red'), put('a', 'blue'))).toEqual([
      { kind: 'accepted', sequence: 0 },
      { kind: 'accepted', sequence: 0 },
      { kind: 'accepted', sequence: 0 },
    ]);
    expect(store.commits.size).toBe(1);
    expect(store.rows.get('a')).toHaveLength(1);
    expect(published).toHaveLength(1);
    expect(published[0]?.decisions.find(({ key }) => key === 'a')).toMatchObject({ sequence: 0, effects: ['put red', 'put blue'], before: jar.initial, after: { marbles: ['red', 'blue'] } });
  });

  it('gives ids that derive from the message, so that deciding again is deciding the same', async () => {
    const { handle, store } = bench();
    await handle({ key: 'a', command: { put: 'red' }, messageId: 'm' });
    expect(store.rows.get('a')).toEqual([[{ put: 'red', id: 'm#0' }]]);
  });

  it('reads a history once and decides the next batch on what it remembers', async () => {
    const { handle, store } = bench();
    await handle(put('a', 'red'));
    expect(await handle(put('a', 'blue'))).toEqual([{ kind: 'accepted', sequence: 1 }]);
    expect(store.loads).toEqual([['a']]);
  });

  it('commits and publishes nothing when everything is refused or ignored', async () => {
    const { handle, store, published } = bench();
    store.append('a', { put: 'red', id: '' }, { closed: true });
    expect(await handle(put('a', 'red'), put('a', 'blue'))).toMatchObject([
      { kind: 'ignored', reason: 'duplicate' },
      { kind: 'rejected', rejection: { code: 'jar-closed' } },
    ]);
    expect([store.commits.size, published.length, store.loads.length]).toEqual([0, 0, 1]);
  });

  it('hands effects on only after the commit, and says so when that fails', async () => {
    const fault = new Error('the bus is away');
    const { spine, store } = bench({ publish: () => Promise.reject(fault) });
    const { outcomes, published } = await handleBatch(spine, [put('a', 'red')]);
    expect(kinds(outcomes)).toEqual(['accepted']);
    expect(store.rows.get('a')).toHaveLength(1);
    await expect(published).rejects.toBe(fault);
  });

  it('prepares what the batch needs, with the states it will be decided on', async () => {
    const seen: unknown[] = [];
    const { handle, store } = bench({ prepare: async (items, stateOf) => void seen.push(items.map(({ key }) => [key, stateOf(key).marbles])) });
    store.append('b', { put: 'red', id: '' });
    await handle(put('a', 'red'), put('b', 'blue'));
    expect(seen).toEqual([
      [
        ['a', []],
        ['b', ['red']],
      ],
    ]);
  });
});

describe('handleBatch against a rival', () => {
  it('loses on the version, reads again and decides again', async () => {
    const { handle, store, marbles } = bench();
    store.script.push((_commit, run) => {
      store.append('a', { put: 'blue', id: 'rival' });
      return run();
    });
    expect(await handle(put('a', 'red'), put('b', 'red'))).toEqual([
      { kind: 'accepted', sequence: 1 },
      { kind: 'accepted', sequence: 0 },
    ]);
    expect(marbles('a')).toEqual(['blue', 'red']);
    expect(store.loads).toEqual([['a', 'b'], ['a']]);
  });

  it('publishes what won at once, and what lost only when it wins', async () => {
    const { handle, store, published } = bench();
    store.script.push((_commit, run) => {
      store.append('a', { put: 'red', id: 'rival' });
      return run();
    });
    expect(await handle(put('a', 'red'), put('b', 'red'))).toMatchObject([{ kind: 'ignored', reason: 'duplicate' }, { kind: 'accepted' }]);
    expect(published.map(({ decisions }) => decisions.map(({ key }) => key))).toEqual([['b']]);
  });

  it('decides again what was refused because of events that then lost', async () => {
    const { handle, store, marbles } = bench();
    store.script.push((_commit, run) => {
      store.append('a', { put: 'green', id: 'rival' });
      return run();
    });
    const outcomes = await handle(put('a', 'red'), close('a'), put('a', 'blue'), put('a', 'green'));
    // `green` was refused by the closed jar of the first round; on what is stored it is a duplicate.
    expect(outcomes).toMatchObject([{ kind: 'accepted', sequence: 1 }, { kind: 'accepted', sequence: 1 }, { kind: 'rejected' }, { kind: 'ignored', reason: 'duplicate' }]);
    expect(marbles('a')).toEqual(['green', 'red']);
  });

  it('keeps the order of a key when it decides again', async () => {
    const { handle, store, marbles } = bench();
    await handle(put('a', 'red'));
    store.append('a', { closed: true });
    // On the cached state red is a duplicate (to be made sure of) and blue is accepted; then the version is lost.
    expect(await handle(put('a', 'red'), put('a', 'blue'))).toMatchObject([{ kind: 'ignored' }, { kind: 'rejected' }]);
    expect(marbles('a')).toEqual(['red']);
  });

  it('makes sure of a refusal that rests on a cached state', async () => {
    const { handle, store, cache } = bench();
    cache.set('a', 5, { marbles: ['red'], closed: true });
    expect(await handle(put('a', 'red'), put('a', 'blue'))).toMatchObject([
      { kind: 'accepted', sequence: 0 },
      { kind: 'accepted', sequence: 0 },
    ]);
    expect(store.loads).toEqual([['a']]);
  });

  it('believes a refusal on a cached state when another decision of the key wins on it', async () => {
    const { handle, store } = bench();
    await handle(put('a', 'red'));
    expect(await handle(put('a', 'red'), put('a', 'blue'))).toMatchObject([{ kind: 'ignored' }, { kind: 'accepted', sequence: 1 }]);
    expect(store.loads).toHaveLength(1);
  });

  it('gives up, to be handed in again, when it loses five times', async () => {
    const { handle, store, published } = bench();
    for (let n = 0; n < 5; n++) {
      store.script.push((_commit, run) => {
        store.append('a', { put: `rival-${n}`, id: '' });
        return run();
      });
    }
    await expect(handle(put('a', 'red'))).rejects.toMatchObject({ name: 'Fault', retryable: true });
    expect(published).toEqual([]);
    expect(kinds(await handle(put('a', 'red')))).toEqual(['accepted']);
  });
});

describe('handleBatch when the outcome of a commit is unknown', () => {
  const brokenConnection = (commit: Commit<Jar, Event, string>): CommitUnknown => new CommitUnknown(commit.id, new Error('connection reset'));

  it('goes on as if it had heard when the commit row says that it won', async () => {
    const { handle, store, published, marbles } = bench();
    store.script.push((commit, run) => {
      run();
      throw brokenConnection(commit);
    });
    expect(await handle(put('a', 'red'))).toEqual([{ kind: 'accepted', sequence: 0 }]);
    expect(marbles('a')).toEqual(['red']);
    expect(published).toHaveLength(1);
  });

  it('decides again when there is no commit row', async () => {
    const { handle, store, published, marbles } = bench();
    store.script.push((commit) => {
      throw brokenConnection(commit);
    });
    expect(await handle(put('a', 'red'))).toEqual([{ kind: 'accepted', sequence: 0 }]);
    expect(marbles('a')).toEqual(['red']);
    expect(published.map(({ id }) => id)).toEqual(['commit-2']);
  });

  it('forgets the states and lets the batch come again when nobody can tell', async () => {
    const { handle, store, cache } = bench();
    await handle(put('a', 'red'));
    store.script.push((commit) => {
      throw brokenConnection(commit);
    });
    const outcomeOf = store.outcomeOf.bind(store);
    store.outcomeOf = () => Promise.reject(new Fault('the store is away', true));
    await expect(handle(put('a', 'blue'))).rejects.toMatchObject({ retryable: true });
    expect(cache.get('a')).toBeUndefined();
    store.outcomeOf = outcomeOf;
    expect(kinds(await handle(put('a', 'blue')))).toEqual(['accepted']);
  });
});

describe('handleBatch and a bad item', () => {
  /** A store that refuses one marble for what it is. */
  const refusing = (bad: string): Bench => {
    const under = bench();
    const refuse: CommitScript<Jar, Event, string> = (commit, run) => {
      if (commit.decisions.some(({ events }) => events.some((event) => 'put' in event && event.put === bad))) throw new Fault(`cannot store ${bad}`, false);
      return run();
    };
    under.store.script.push(...Array.from({ length: 20 }, () => refuse));
    return under;
  };

  it('sets aside the one that breaks an invariant; its neighbours go on, also those of its key', async () => {
    const { handle, marbles } = bench();
    const outcomes = await handle(put('a', 'red'), poison('a'), put('a', 'blue'), put('b', 'red'));
    expect(outcomes).toMatchObject([{ kind: 'accepted' }, { kind: 'setAside', fault: { name: 'Defect', message: 'poison' } }, { kind: 'accepted' }, { kind: 'accepted' }]);
    expect([marbles('a'), marbles('b')]).toEqual([['red', 'blue'], ['red']]);
  });

  it('sets aside the one that the store refuses, and only that one of its key', async () => {
    const { handle, marbles, published } = refusing('bad');
    const outcomes = await handle(put('a', 'red'), put('b', 'red'), put('b', 'bad'), put('b', 'blue'), put('c', 'red'));
    expect(kinds(outcomes)).toEqual(['accepted', 'accepted', 'setAside', 'accepted', 'accepted']);
    expect(outcomes[2]).toMatchObject({ fault: { message: 'cannot store bad', retryable: false } });
    expect(['a', 'b', 'c'].map(marbles)).toEqual([['red'], ['red', 'blue'], ['red']]);
    expect(published.flatMap(({ decisions }) => decisions.map(({ key, sequence }) => `${key}${sequence}`))).toEqual(['a0', 'c0', 'b0', 'b1']);
  });

  it('decides anew what came to nothing because of one that is then set aside', async () => {
    const { handle, marbles } = refusing('bad');
    expect(kinds(await handle(put('a', 'bad'), put('a', 'bad')))).toEqual(['setAside', 'setAside']);
    expect(marbles('a')).toEqual([]);
    expect(kinds(await handle(put('a', 'good')))).toEqual(['accepted']);
  });

  it('sets aside what belongs to a history that cannot be read, and nothing else', async () => {
    const { handle, store, marbles } = bench();
    store.append('a', { put: 'red', id: '' });
    store.unreadable.set('a', new Error('an event of next year'));
    expect(await handle(put('a', 'blue'), put('b', 'blue'))).toMatchObject([{ kind: 'setAside', fault: { message: 'an event of next year' } }, { kind: 'accepted' }]);
    expect([marbles('a'), marbles('b')]).toEqual([['red'], ['blue']]);
  });

  it('sets aside what belongs to a history that does not fold, and nothing else', async () => {
    const evolve: typeof jar.evolve = (state, event) => {
      invariant(!('put' in event && event.put === 'odd'), 'odd');
      return jar.evolve(state, event);
    };
    const { handle, store } = bench({ decider: { ...jar, evolve } });
    store.append('a', { put: 'odd', id: '' });
    expect(kinds(await handle(put('a', 'blue'), put('b', 'blue')))).toEqual(['setAside', 'accepted']);
  });
});

describe('handleBatch when the store is away', () => {
  it('throws, forgets the states of the batch, and takes the same batch again', async () => {
    const { handle, store, cache, marbles } = bench();
    await handle(put('a', 'red'), put('b', 'red'));
    const batch = [put('a', 'blue'), put('b', 'blue')];
    store.script.push(() => {
      throw new Fault('the store is away', true);
    });
    await expect(handle(...batch)).rejects.toMatchObject({ message: 'the store is away' });
    expect(cache.size).toBe(0);
    expect(kinds(await handle(...batch))).toEqual(['accepted', 'accepted']);
    expect([marbles('a'), marbles('b')]).toEqual([
      ['red', 'blue'],
      ['red', 'blue'],
    ]);
  });

  it('lets a fault that is no fault of the store pass', async () => {
    const { handle, store } = bench();
    store.script.push(() => {
      throw new TypeError('a bug');
    });
    await expect(handle(put('a', 'red'))).rejects.toThrow(TypeError);
  });
});
