import { engineRole, openPool, openScratchStore, tenantRole, inTenant, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { evolveExecution, initialExecution, type ExecutionEvent, type ExecutionState } from '@weft/orchestration/core';
import type { Decided } from '@weft/pipeline';
import { describeHistoryStore } from '@weft/port-specs';
import { memberDigest } from '@weft/proof';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orchestrationMigrations } from '../migrations/index.js';
import { executionStore, type ExecutionStore } from './execution-store.js';
import { PublishedCommits } from './published-commits.js';

const AT = Date.UTC(2026, 0, 1);
const started = (key: string, request = 'r', tenant = 'default'): ExecutionEvent => ({
  type: 'ExecutionStarted',
  executionId: key,
  at: AT,
  definition: { namespace: 'spec', name: 'flow', version: '1.0.0', digest: 'd' },
  request: { source: '/spec', id: request, type: 't' },
  context: { tenant, actor: 'a', purpose: 'p', traceparent: '', tracestate: '', deadlineMs: 0 },
  taint: [],
  models: [],
  input: { text: 'ünï 🧵', list: [1, null, true] },
});
const ended: ExecutionEvent = { type: 'ExecutionCompleted', at: AT, output: { done: true } };
const entered: ExecutionEvent = { type: 'TaskEntered', key: '/do/0/a', pointer: '/do/0/a', iteration: '', parent: '', at: AT };
const timerSet: ExecutionEvent = { type: 'TimerSet', key: '/do/0/a', timer: 't1', purpose: 'wait', due: AT + 60_000 };
const reviewRequested: ExecutionEvent = { type: 'ReviewRequested', key: '/do/0/a', review: 'set below', kind: 'approval', at: AT, title: 'Send it?', subject: { amount: 5 } };

let scratch: ScratchStore;
let pool: Pool;
let store: ExecutionStore;
beforeAll(async () => {
  scratch = await openScratchStore([orchestrationMigrations]);
  pool = openPool(scratch.address, { role: engineRole('orchestration'), applicationName: 'spec' });
  store = executionStore(pool, new PublishedCommits());
});
afterAll(async () => {
  await pool.end();
  await scratch.close();
});

describeHistoryStore<ExecutionState, ExecutionEvent, never>({
  name: 'executions in PostgreSQL',
  create: async () => store,
  initial: initialExecution,
  evolve: evolveExecution,
  eventsOf: (key, sequence, mark) => (sequence === 0 ? [started(key, mark), entered] : sequence === 1 ? [timerSet] : [{ type: 'TimerFired', key: '/do/0/a', timer: 't1' }, ended]),
});

function decided(key: string, sequence: number, past: readonly ExecutionEvent[], ...events: readonly ExecutionEvent[]): Decided<ExecutionState, ExecutionEvent, never> {
  const before = past.reduce(evolveExecution, initialExecution);
  return { key, sequence, events, effects: [], before, after: events.reduce(evolveExecution, before), causes: [] };
}
const commit = (...decisions: readonly Decided<ExecutionState, ExecutionEvent, never>[]) => store.commit({ id: randomUUID(), at: AT, decisions });
const rows = async (table: string, column: string, key: string): Promise<Record<string, unknown>[]> =>
  (await pool.query<Record<string, unknown>>(`select * from orchestration.${table} where ${column} = $1`, [key])).rows;
const everything = async (key: string) => ({
  executions: await rows('executions', 'id', key),
  waits: await rows('waits', 'execution_id', key),
  reviews: await rows('reviews', 'execution_id', key),
  history: await rows('history', 'execution_id', key),
});

describe('one statement', () => {
  it('writes history, execution, waits, review and commit row together', async () => {
    const key = randomUUID();
    const id = randomUUID();
    const won = await store.commit({ id, at: AT, decisions: [decided(key, 0, [], started(key), entered, timerSet, { ...reviewRequested, review: `${key}.1` } as ExecutionEvent)] });
    expect(won).toEqual(new Set([key]));
    const { executions, waits, reviews, history } = await everything(key);
    expect(executions).toMatchObject([
      { tenant: 'default', status: 'running', definition: 'spec/flow:1.0.0', digest: 'd', request_source: '/spec', request_id: 'r', ended_at: null, ended_sequence: null },
    ]);
    expect(waits.map(({ id: wait, kind, due_at, subject }) => [wait, kind, (due_at as Date | null)?.getTime(), subject]).sort()).toEqual(
      [
        [`${key}.1`, 'review', undefined, 'approval'],
        ['t1', 'timer', AT + 60_000, 'wait'],
      ].sort(),
    );
    expect(reviews).toMatchObject([{ status: 'open', kind: 'approval', title: '"Send it?"', subject: '{"amount":5}', closed_at: null }]);
    expect(history).toMatchObject([{ sequence: 0, tenant: 'default', commit_id: id }]);
    expect(new Set([...executions, ...waits, ...reviews, ...history].map(({ bucket }) => bucket)).size).toBe(1);
    const [row] = (await pool.query('select * from orchestration.commits where id = $1', [id])).rows;
    expect(row).toMatchObject({ members: `[["${key}",0]]`, tenants: ['default'], published: false, sequenced: null });
    expect(row.digests).toHaveLength(32);
  });

  it('writes nothing of a decision that loses, beside one that wins', async () => {
    const [loser, winner] = [randomUUID(), randomUUID()];
    await commit(decided(loser, 0, [], started(loser), entered));
    const id = randomUUID();
    const past = [started(loser), entered];
    const lost = decided(loser, 0, [], started(loser, 'rival'), entered, timerSet, { ...reviewRequested, review: `${loser}.1` } as ExecutionEvent);
    expect(await store.commit({ id, at: AT, decisions: [lost, decided(winner, 0, [], started(winner), entered, timerSet)] })).toEqual(new Set([winner]));
    expect(await everything(loser)).toMatchObject({ executions: [{ request_id: 'r' }], waits: [], reviews: [], history: [{ sequence: 0 }] });
    expect((await pool.query('select members from orchestration.commits where id = $1', [id])).rows).toEqual([{ members: `[["${winner}",0]]` }]);
    // An ending that loses ends nothing.
    await commit(decided(loser, 1, past, timerSet));
    expect(await commit(decided(loser, 1, past, ended))).toEqual(new Set());
    expect(await everything(loser)).toMatchObject({ executions: [{ status: 'running' }], waits: [{ id: 't1' }] });
  });

  it('leaves no trace of a lone decision that loses', async () => {
    const key = randomUUID();
    await commit(decided(key, 0, [], started(key), entered));
    const before = await everything(key);
    const id = randomUUID();
    const rival = decided(key, 0, [], started(key, 'rival'), entered, timerSet, { ...reviewRequested, review: `${key}.1` } as ExecutionEvent);
    expect(await store.commit({ id, at: AT, decisions: [rival] })).toEqual(new Set());
    expect(await everything(key)).toEqual(before);
    expect(await store.outcomeOf(id)).toBeUndefined();
  });

  it('names the winners of a batch and holds their digests in the same order, whoever loses between them', async () => {
    const keys = [randomUUID(), randomUUID(), randomUUID(), randomUUID()].sort();
    await commit(decided(keys[1]!, 0, [], started(keys[1]!)));
    const id = randomUUID();
    await store.commit({ id, at: AT, decisions: [...keys].reverse().map((key, at) => decided(key, 0, [], started(key, 'r', at % 2 === 0 ? 'acme' : 'default'), entered)) });
    const winners = [keys[0]!, keys[2]!, keys[3]!];
    const [row] = (await pool.query<{ members: string; digests: Buffer; tenants: string[] }>('select members, digests, tenants from orchestration.commits where id = $1', [id])).rows;
    expect(JSON.parse(row!.members)).toEqual(winners.map((key) => [key, 0]));
    const expected: Buffer[] = [];
    for (const key of winners) {
      const [of] = (
        await pool.query<{ tenant: string; structure: string; payload_digest: Buffer }>('select tenant, structure, payload_digest from orchestration.history where execution_id = $1', [key])
      ).rows;
      expected.push(memberDigest({ subject: key, sequence: 0, tenant: of!.tenant, at: AT, structure: of!.structure, payloadDigest: of!.payload_digest }));
    }
    expect(row!.digests.toString('hex')).toBe(Buffer.concat(expected).toString('hex'));
    expect(row!.tenants).toEqual(['acme', 'default']);
    expect(await store.outcomeOf(id)).toEqual(new Set(winners));
  });

  it('takes an execution that ends in its first decision', async () => {
    const key = randomUUID();
    await commit(decided(key, 0, [], started(key), ended));
    expect(await everything(key)).toMatchObject({ executions: [{ status: 'completed', ended_sequence: 0, ended_at: new Date(AT) }], waits: [], history: [{ sequence: 0 }] });
  });

  it('removes what is waited for no longer, and closes what was asked', async () => {
    const key = randomUUID();
    const review = `${key}.1`;
    const past = [started(key), entered, timerSet, { ...reviewRequested, review } as ExecutionEvent];
    await commit(decided(key, 0, [], ...past));
    const decision: ExecutionEvent = { type: 'ReviewDecided', key: '/do/0/a', review, outcome: 'approved', decidedBy: 'user:eva', answer: { comment: 'fine', form: null } };
    await commit(decided(key, 1, past, decision, { type: 'TimerFired', key: '/do/0/a', timer: 't1' }));
    expect(await everything(key)).toMatchObject({ waits: [], reviews: [{ status: 'approved', decided_by: 'user:eva', comment: 'fine', closed_at: new Date(AT) }] });
  });

  it('withdraws the questions of an execution that ends, and moves a wait that is set anew', async () => {
    const key = randomUUID();
    const past = [started(key), entered, timerSet, { ...reviewRequested, review: `${key}.1` } as ExecutionEvent];
    await commit(decided(key, 0, [], ...past));
    const later: ExecutionEvent = { ...timerSet, due: AT + 90_000 } as ExecutionEvent;
    await commit(decided(key, 1, past, later));
    expect((await everything(key)).waits.find(({ id }) => id === 't1')).toMatchObject({ due_at: new Date(AT + 90_000) });
    await commit(decided(key, 2, [...past, later], ended));
    expect(await everything(key)).toMatchObject({ executions: [{ status: 'completed', ended_sequence: 2 }], waits: [], reviews: [{ status: 'withdrawn', decided_by: null }] });
  });

  it('marks earlier commits whose announcements are out', async () => {
    const published = new PublishedCommits();
    const own = executionStore(pool, published);
    const [first, second] = [randomUUID(), randomUUID()];
    await own.commit({ id: first, at: AT, decisions: [decided(randomUUID(), 0, [], started(randomUUID()), ended)] });
    await published.track(first, Promise.resolve({ messages: 3 }));
    const key = randomUUID();
    await own.commit({ id: second, at: AT, decisions: [decided(key, 0, [], started(key), ended)] });
    expect((await pool.query('select id from orchestration.commits where published and id = any($1)', [[first, second]])).rows).toEqual([{ id: first }]);
  });

  it('refuses for good, and writes nothing of, what a column cannot hold', async () => {
    const [bad, good] = [randomUUID(), randomUUID()];
    await expect(commit(decided(bad, 0, [], started(bad, 'nul\u0000')), decided(good, 0, [], started(good)))).rejects.toMatchObject({ name: 'Fault', retryable: false });
    expect((await store.load([bad, good])).size).toBe(0);
  });
});

describe('load', () => {
  it('folds to the state that was decided on', async () => {
    const key = randomUUID();
    const first = decided(key, 0, [], started(key), entered, {
      type: 'JobScheduled',
      key: '/do/0/a',
      job: `${key}/do/0/a`,
      kind: 'http',
      generation: 0,
      attempt: 1,
      at: AT,
      input: { nul: '\u0000', half: '\ud800', big: 1e300 },
    });
    await commit(first);
    expect((await store.load([key])).get(key)?.events.reduce(evolveExecution, initialExecution)).toEqual(first.after);
  });

  it('tells which history it cannot read and gives the others', async () => {
    const [odd, fine] = [randomUUID(), randomUUID()];
    await commit(decided(odd, 0, [], started(odd)), decided(fine, 0, [], started(fine)));
    await pool.query(`update orchestration.history set structure = '[{"type":"OfNextYear"}]' where execution_id = $1`, [odd]);
    const loaded = await store.load([odd, fine]);
    expect(loaded.get(odd)).toMatchObject({ version: 0, unreadable: { name: 'Defect', message: expect.stringContaining('OfNextYear') } });
    expect(loaded.get(fine)).toEqual({ version: 0, events: [started(fine)] });
  });

  it('folds the structure of an erased history', async () => {
    const key = randomUUID();
    await commit(decided(key, 0, [], started(key), entered, timerSet));
    await pool.query('update orchestration.history set payload = null where execution_id = $1', [key]);
    const state = (await store.load([key])).get(key)!.events.reduce(evolveExecution, initialExecution);
    expect(state).toMatchObject({ status: 'running', input: { 'weft:erased': true }, timers: { t1: { due: AT + 60_000 } } });
  });
});

describe('row-level security', () => {
  it('hides every row of one tenant from another, and from nobody in particular', async () => {
    const key = randomUUID();
    await commit(decided(key, 0, [], started(key, 'r', 'acme'), entered, timerSet, { ...reviewRequested, review: `${key}.1` } as ExecutionEvent));
    const tenantPool = openPool(scratch.address, { role: tenantRole('orchestration'), applicationName: 'spec' });
    try {
      const seen = async (tenant: string): Promise<readonly number[]> =>
        inTenant(tenantPool, tenant, async (query) => {
          const counts: number[] = [];
          for (const [table, column] of [
            ['executions', 'id'],
            ['history', 'execution_id'],
            ['waits', 'execution_id'],
            ['reviews', 'execution_id'],
          ]) {
            counts.push((await query<{ n: number }>(`select count(*)::int as n from orchestration.${table} where ${column} = $1`, [key]))[0]!.n);
          }
          return counts;
        });
      expect(await seen('acme')).toEqual([1, 1, 2, 1]);
      expect(await seen('default')).toEqual([0, 0, 0, 0]);
      expect((await tenantPool.query('select 1 from orchestration.executions')).rows).toEqual([]);
      await expect(tenantPool.query('select 1 from orchestration.commits')).rejects.toThrow('permission denied');
    } finally {
      await tenantPool.end();
    }
  });
});
