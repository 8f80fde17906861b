// What every HistoryStore does.
import type { Commit, Decided, HistoryStore } from '@weft/pipeline';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeAgainst, type ServerUnderTest } from './server-under-test.js';

export interface HistoryStoreBinding<S, E, X> {
  readonly name: string;
  /** The server the adapter needs; none for one that lives in the process or starts its own. */
  readonly server?: ServerUnderTest;
  readonly create: () => Promise<HistoryStore<S, E, X>>;
  readonly initial: S;
  readonly evolve: (state: S, event: E) => S;
  /** Events of a key's history row, valid after the rows before it. Rows 0 to 2 are asked for; `mark` tells rivals apart. */
  readonly eventsOf: (key: string, sequence: number, mark: string) => readonly E[];
  /** Called once after all tests. */
  readonly destroy?: () => Promise<void>;
}

/** Describes the contract of the HistoryStore port for one adapter. */
export function describeHistoryStore<S, E, X>({ name, server, create, initial, evolve, eventsOf, destroy }: HistoryStoreBinding<S, E, X>): void {
  describeAgainst(server, `HistoryStore: ${name}`, () => {
    let store: HistoryStore<S, E, X>;
    beforeAll(async () => {
      store = await create();
    });
    afterAll(async () => destroy?.());

    const rowsBefore = (key: string, sequence: number): readonly E[] => Array.from({ length: sequence }, (_, each) => eventsOf(key, each, 'a')).flat();

    function decided(key: string, sequence: number, mark = 'a'): Decided<S, E, X> {
      const before = rowsBefore(key, sequence).reduce(evolve, initial);
      const events = eventsOf(key, sequence, mark);
      return { key, sequence, events, effects: [], before, after: events.reduce(evolve, before), causes: [`${key}/${sequence}`] };
    }

    const commitOf = (...decisions: readonly Decided<S, E, X>[]): Commit<S, E, X> => ({ id: randomUUID(), at: Date.now(), decisions });
    const keys = (count: number): readonly string[] => Array.from({ length: count }, () => randomUUID());

    it('has nothing of a key that nobody wrote', async () => {
      expect((await store.load(keys(1))).size).toBe(0);
    });

    it('gives back the histories of all keys, in order, with their versions', async () => {
      const [first = '', second = ''] = keys(2);
      expect(await store.commit(commitOf(decided(first, 0), decided(second, 0)))).toEqual(new Set([first, second]));
      await store.commit(commitOf(decided(second, 1)));
      await store.commit(commitOf(decided(second, 2)));
      const loaded = await store.load([first, second, ...keys(1)]);
      expect([...loaded.keys()].sort()).toEqual([first, second].sort());
      expect(loaded.get(first)).toEqual({ version: 0, events: rowsBefore(first, 1) });
      expect(loaded.get(second)).toEqual({ version: 2, events: rowsBefore(second, 3) });
    });

    it('lets the second writer of a version lose and write nothing, while the rest of its batch wins', async () => {
      const [taken = '', free = ''] = keys(2);
      await store.commit(commitOf(decided(taken, 0)));
      expect(await store.commit(commitOf(decided(taken, 0, 'b'), decided(free, 0, 'b')))).toEqual(new Set([free]));
      const loaded = await store.load([taken, free]);
      expect(loaded.get(taken)?.events).toEqual(eventsOf(taken, 0, 'a'));
      expect(loaded.get(free)?.events).toEqual(eventsOf(free, 0, 'b'));
    });

    it('lets exactly one of two rivals win each key', async () => {
      const contested = keys(20);
      const [left, right] = [commitOf(...contested.map((key) => decided(key, 0, 'a'))), commitOf(...contested.toReversed().map((key) => decided(key, 0, 'b')))];
      const [leftWon, rightWon] = await Promise.all([store.commit(left), store.commit(right)]);
      expect([...leftWon, ...rightWon].sort()).toEqual([...contested].sort());
      const loaded = await store.load(contested);
      for (const key of contested) expect(loaded.get(key)?.events).toEqual(eventsOf(key, 0, leftWon.has(key) ? 'a' : 'b'));
    });

    it('tells later what a commit won, and knows no commit that won nothing or never ran', async () => {
      const [first = '', second = ''] = keys(2);
      const won = commitOf(decided(first, 0));
      await store.commit(won);
      expect(await store.outcomeOf(won.id)).toEqual(new Set([first]));
      const partly = commitOf(decided(first, 0, 'b'), decided(second, 0));
      await store.commit(partly);
      expect(await store.outcomeOf(partly.id)).toEqual(new Set([second]));
      const lost = commitOf(decided(first, 0, 'b'));
      expect(await store.commit(lost)).toEqual(new Set());
      expect(await store.outcomeOf(lost.id)).toBeUndefined();
      expect(await store.outcomeOf(randomUUID())).toBeUndefined();
    });
  });
}
