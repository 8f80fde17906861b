import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { foldExecution, initialExecution, type ExecutionEvent, type ExecutionState } from '@weft/orchestration/core';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orchestrationMigrations } from '../migrations/index.js';
import { executionStore, LOAD_SQL, type ExecutionStore } from './execution-store.js';
import { PublishedCommits } from './published-commits.js';
import { SnapshotStore, STATE_FORM } from './snapshot-store.js';

const AT = Date.UTC(2026, 0, 1);
const KEY = '/do/0/a';
const started = (executionId: string): ExecutionEvent => ({
  type: 'ExecutionStarted',
  executionId,
  at: AT,
  definition: { namespace: 'spec', name: 'flow', version: '1.0.0', digest: 'd' },
  request: { source: '/spec', id: 'r', type: 't' },
  context: { tenant: 'default', actor: 'a', purpose: 'p', traceparent: '', tracestate: '', deadlineMs: 0 },
  taint: ['web'],
  models: [],
  input: { text: 'ünï' },
});
const rowsOf = (key: string): readonly (readonly ExecutionEvent[])[] => [
  [started(key), { type: 'TaskEntered', key: KEY, pointer: KEY, iteration: '', parent: '', at: AT }],
  [{ type: 'TimerSet', key: KEY, timer: 't1', purpose: 'wait', due: AT + 1 }],
  [{ type: 'TimerSet', key: KEY, timer: 't2', purpose: 'wait', due: AT + 2 }],
  [{ type: 'TimerFired', key: KEY, timer: 't1' }],
];

let scratch: ScratchStore;
let pool: Pool;
let store: ExecutionStore;
let snapshots: SnapshotStore;
beforeAll(async () => {
  scratch = await openScratchStore([orchestrationMigrations]);
  pool = openPool(scratch.address, { role: engineRole('orchestration'), applicationName: 'spec' });
  store = executionStore(pool, new PublishedCommits());
  snapshots = new SnapshotStore(pool);
});
afterAll(async () => {
  await pool.end();
  await scratch.close();
});

/** States after each row; the rows are stored. */
async function recorded(key: string): Promise<readonly ExecutionState[]> {
  const states: ExecutionState[] = [];
  for (const [sequence, events] of rowsOf(key).entries()) {
    const before = states.at(-1) ?? initialExecution;
    const after = foldExecution(before, events);
    await store.commit({ id: randomUUID(), at: AT, decisions: [{ key, sequence, events, effects: [], before, after, causes: [] }] });
    states.push(after);
  }
  return states;
}

async function loaded(key: string): Promise<{ readonly version: number; readonly events: number; readonly state: ExecutionState }> {
  const history = (await store.load([key])).get(key)!;
  return { version: history.version, events: history.events.length, state: foldExecution(history.snapshot ?? initialExecution, history.events) };
}

describe('a snapshot', () => {
  it.each([0, 1, 2, 3])('of version %i stands in for the rows up to it and gives the same state', async (version) => {
    const key = randomUUID();
    const states = await recorded(key);
    await snapshots.keep([{ executionId: key, version, state: states[version]! }]);
    const { state, ...rest } = await loaded(key);
    expect(state).toEqual(states[3]);
    expect(rest).toEqual({
      version: 3,
      events: rowsOf(key)
        .slice(version + 1)
        .flat().length,
    });
  });

  it('never replaces a newer one, and is gone once the execution has ended', async () => {
    const key = randomUUID();
    const states = await recorded(key);
    await snapshots.keep([{ executionId: key, version: 3, state: states[3]! }]);
    await snapshots.keep([{ executionId: key, version: 1, state: states[1]! }]);
    expect(await loaded(key)).toMatchObject({ version: 3, events: 0 });
    await snapshots.drop([key]);
    expect(await loaded(key)).toMatchObject({ version: 3, events: rowsOf(key).flat().length });
  });

  it('of another form is passed by', async () => {
    const key = randomUUID();
    const states = await recorded(key);
    await snapshots.keep([{ executionId: key, version: 2, state: states[2]! }]);
    await pool.query('update orchestration.snapshots set form = $2 where execution_id = $1', [key, STATE_FORM + 1]);
    const { state, events } = await loaded(key);
    expect(state).toEqual(states[3]);
    expect(events).toBe(rowsOf(key).flat().length);
  });

  it('spares reading the rows that it stands in for, whatever the server knows of the table', async () => {
    const key = randomUUID();
    const states = await recorded(key);
    const admin = openPool(scratch.address, { applicationName: 'spec', max: 1 });
    const engine = openPool(scratch.address, { role: engineRole('orchestration'), applicationName: 'spec', max: 1, onePlan: true });
    try {
      await pool.query(
        `insert into orchestration.history select execution_id, sequence + 4 * n, tenant, bucket, commit_id, recorded_at, structure, repeat('x', 1000), null, payload_salt, payload_digest
        from orchestration.history, generate_series(1, 500) n where execution_id = $1`,
        [key],
      );
      await snapshots.keep([{ executionId: key, version: 2_000, state: states[3]! }]);
      await admin.query('analyze orchestration.history; analyze orchestration.snapshots');
      await engine.query(`prepare load(uuid[], int) as ${LOAD_SQL}`);
      const { rows } = await engine.query<{ 'QUERY PLAN': string }>(`explain (analyze, costs off, timing off, buffers off) execute load('{${key}}', ${STATE_FORM})`);
      // How many rows each part of the plan met, times how often.
      const met = rows.flatMap(({ 'QUERY PLAN': line }) =>
        [...line.matchAll(/rows=([\d.]+) loops=(\d+)|Rows Removed by .*: (\d+)/g)].map(([, each = 0, loops = 1, removed = 0]) => Number(each) * Number(loops) + Number(removed)),
      );
      expect(met.length).toBeGreaterThan(3);
      expect(Math.max(...met)).toBeLessThan(10);
    } finally {
      await Promise.all([admin.end(), engine.end()]);
    }
  });
});
