import { engineRole, execute, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { ONE_CALL, NOTHING, type Budget, type Charge, type Spending } from '@weft/tools/core';
import { eventually } from '@weft/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toolsMigrations } from '../migrations/index.js';
import { BudgetDirectory } from './budget.directory.js';
import { BudgetLedger, type Hold, type Reserving } from './budget.ledger.js';
import { ReservationStore } from './reservation.store.js';

const NOW = Date.parse('2026-03-15T10:30:00Z');
const EXECUTION = '01890000-0000-7000-8000-000000000001';
const LEASE_MS = 600;

let store: ScratchStore;
const pools: Pool[] = [];
const ledgers: BudgetLedger[] = [];
let nth = 0;
let tool = '';

beforeAll(async () => {
  store = await openScratchStore([toolsMigrations]);
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await store.close();
});
beforeEach(() => {
  tool = `tool-${++nth}`;
});
afterEach(async () => {
  await Promise.all(ledgers.splice(0).map((ledger) => ledger.stop()));
});

/** A replica: its own connections, its own memory. */
function replica(calls: number, { leaseMs = LEASE_MS, now = () => NOW } = {}): { readonly ledger: BudgetLedger; readonly directory: BudgetDirectory; readonly pool: Pool } {
  const pool = openPool(store.address, { role: engineRole('tools'), applicationName: 'budget spec' });
  pools.push(pool);
  const declared: readonly Budget[] = [
    { tenant: '*', scope: 'tool', name: tool, per: 'total', caps: { calls } },
    { tenant: '*', scope: 'tenant', name: '', per: 'day', caps: { calls: 1_000_000 } },
  ];
  const directory = new BudgetDirectory(declared, pool);
  const ledger = new BudgetLedger({ directory, store: new ReservationStore(pool), now, leaseMs, onFault: () => undefined });
  ledgers.push(ledger);
  return { ledger, directory, pool };
}

const spending = (): Spending => ({ tenant: 'default', executionId: EXECUTION, workflow: 'acme/x:1', agent: '', tool, model: '', estimate: ONE_CALL });
const charges = (ledger: BudgetLedger): readonly Charge[] => ledger.chargesOf(spending());
const reserve = (ledger: BudgetLedger, key: string, hold = ''): Promise<Reserving> => ledger.reserve({ tenant: 'default', key: `default/${tool}/${key}`, hold }, charges(ledger), ONE_CALL, 0);
const heldBy = (reserving: Reserving): Hold => (reserving.ok ? reserving.hold! : expect.fail('over budget'));

async function counter(): Promise<{ readonly spent: number; readonly reserved: number }> {
  const [row] = await execute<{ spent: number; reserved: number }>(pools[0]!, {
    name: 'spec-counter',
    text: `select spent_calls::float8 as spent, reserved_calls::float8 as reserved from tools.budget_counters where counter = $1`,
    values: [`tool/total/${tool}`],
  });
  return row ?? { spent: 0, reserved: 0 };
}

describe('budgets', () => {
  it('let exactly the cap pass of a thousand that ask three replicas at once', async () => {
    const replicas = [replica(100), replica(100), replica(100)];
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, n) => reserve(replicas[n % 3]!.ledger, `k${n}`)));
    const granted = answers.filter(({ ok }) => ok);
    expect(granted).toHaveLength(100);
    expect(await counter()).toEqual({ spent: 0, reserved: 100 });
    expect(answers.find(({ ok }) => !ok)).toMatchObject({ failure: { code: 'budget-exceeded', details: { scope: 'tool', name: tool, resource: 'calls', cap: 100 } } });
    await Promise.all(granted.map((one, n) => replicas[n % 3]!.ledger.settle(heldBy(one), n % 2 === 0 ? { state: 'spent', amount: ONE_CALL } : { state: 'freed' })));
    expect(await counter()).toEqual({ spent: 50, reserved: 0 });
    const second = await Promise.all(Array.from({ length: 200 }, (_, n) => reserve(replicas[n % 3]!.ledger, `again${n}`)));
    expect(second.filter(({ ok }) => ok)).toHaveLength(50);
  });

  it('count a write once, however often its key comes, in whatever replica', async () => {
    const [one, other] = [replica(1), replica(1)];
    const answers = await Promise.all([reserve(one.ledger, 'k'), reserve(other.ledger, 'k'), reserve(one.ledger, 'k')]);
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(await counter()).toEqual({ spent: 0, reserved: 1 });
    await one.ledger.settle(heldBy(answers[0]!), { state: 'spent', amount: ONE_CALL });
    await other.ledger.settle(heldBy(answers[1]!), { state: 'spent', amount: ONE_CALL });
    expect(await reserve(other.ledger, 'k')).toEqual({ ok: true });
    expect(await reserve(other.ledger, 'k2')).toMatchObject({ ok: false });
    expect(await counter()).toEqual({ spent: 1, reserved: 0 });
  });

  it('take a freed key again', async () => {
    const { ledger } = replica(1);
    await ledger.settle(heldBy(await reserve(ledger, 'k')), { state: 'freed' });
    expect(heldBy(await reserve(ledger, 'k')).amount).toEqual(ONE_CALL);
    expect(await reserve(ledger, 'k2')).toMatchObject({ ok: false });
  });

  it('count what a settlement tells rather than what was reserved', async () => {
    const { ledger } = replica(10);
    await ledger.settle(heldBy(await reserve(ledger, 'k')), { state: 'spent', amount: { ...NOTHING, calls: 4, tokens: 9 } });
    expect(await counter()).toEqual({ spent: 4, reserved: 0 });
  });
});

describe('a reservation whose process is gone', () => {
  const silent = (ledger: BudgetLedger): Promise<void> => ledger.stop();

  it('is freed within its lease when it was a write that nobody sent', async () => {
    const [gone, here] = [replica(1), replica(1)];
    await gone.ledger.start();
    await reserve(gone.ledger, 'k');
    await silent(gone.ledger);
    await here.ledger.start();
    expect(await reserve(here.ledger, 'other')).toMatchObject({ ok: false });
    await eventually(async () => expect(await counter()).toEqual({ spent: 0, reserved: 0 }));
    expect(await reserve(here.ledger, 'other')).toMatchObject({ ok: true });
  });

  it('counts as spent when it may have been done', async () => {
    const [gone, here] = [replica(2), replica(2)];
    await reserve(gone.ledger, 'read', 'a hold of its own');
    await reserve(gone.ledger, 'write');
    await execute(pools[0]!, {
      name: 'spec-effect',
      text: `insert into tools.effects (tenant, key, sequence, execution_id, bucket, pointer, iteration, generation, tool, effect, state, attempts, dispatched_at, timeout_ms, structure, commit_id, recorded_at)
        values ('default', $1, 0, $2, 0, '', '', 0, '', 'idempotent-write', 'dispatched', 1, now(), 1, '', $2, now())`,
      values: [`default/${tool}/write`, EXECUTION],
    });
    await silent(gone.ledger);
    await here.ledger.start();
    await eventually(async () => expect(await counter()).toEqual({ spent: 2, reserved: 0 }));
  });

  it('is taken over by who carries out the key next, who keeps it for as long as it lives', async () => {
    const [gone, here] = [replica(1), replica(1)];
    await reserve(gone.ledger, 'k');
    await silent(gone.ledger);
    await here.ledger.start();
    const hold = heldBy(await reserve(here.ledger, 'k'));
    const first = hold.untilMs;
    await eventually(() => expect(hold.untilMs).toBeGreaterThan(first + LEASE_MS));
    expect(await counter()).toEqual({ spent: 0, reserved: 1 });
  });

  it('holds no more for a process that comes too late, which then sends nothing', async () => {
    const late = replica(1, { leaseMs: 500 });
    const hold = heldBy(await reserve(late.ledger, 'k'));
    const here = replica(1);
    await here.ledger.start();
    await eventually(async () => expect(await counter()).toEqual({ spent: 0, reserved: 0 }));
    expect(performance.now()).toBeGreaterThan(hold.untilMs);
    await late.ledger.start();
    await eventually(() => expect(hold.untilMs).toBe(0));
  });
});

describe('the budgets that people set', () => {
  const own = (calls: number): Budget => ({ tenant: 'default', scope: 'agent', name: tool, per: 'day', caps: { calls } });

  it('hold in every replica, and are in the log', async () => {
    const [one, other] = [replica(1), replica(1)];
    await Promise.all([one.ledger.start(), other.ledger.start()]);
    await one.directory.change({ budget: own(3), isRemoved: false, by: 'key:k1' }, NOW);
    expect(one.directory.budgetsOf('default')).toContainEqual({ ...own(3), source: 'set' });
    await eventually(() => expect(other.directory.budgetsOf('default')).toContainEqual({ ...own(3), source: 'set' }));
    expect(other.directory.budgetsOf('another').map(({ scope }) => scope)).not.toContain('agent');
    await other.directory.change({ budget: own(4), isRemoved: false, by: 'key:k2' }, NOW);
    await one.directory.change({ budget: own(4), isRemoved: true, by: 'key:k1' }, NOW);
    expect(one.directory.budgetsOf('default').map(({ scope }) => scope)).not.toContain('agent');
    const commits = await execute<{ members: string }>(pools[0]!, { name: 'spec-commits', text: `select members from tools.commits where members like $1 order by members`, values: [`%${tool}%`] });
    expect(commits.map(({ members }) => JSON.parse(members) as unknown)).toEqual([0, 1, 2].map((version) => [[`budget/default/agent/day/${tool}`, version]]));
  });

  it('are changed by each of those who change them at once', async () => {
    const replicas = [replica(1), replica(1), replica(1)];
    await Promise.all(replicas.map(({ directory }, n) => directory.change({ budget: own(n + 1), isRemoved: false, by: 'key:k1' }, NOW)));
    const [row] = await execute<{ version: number }>(pools[0]!, { name: 'spec-version', text: `select version from tools.budgets where name = $1`, values: [tool] });
    expect(row).toEqual({ version: 2 });
  });
});

describe('what is forgotten', () => {
  it('are counters of days and executions that are long over, never what counts for ever', async () => {
    const { pool } = replica(1);
    const names = [`tool/total/${tool}`, `tool/day/${tool}`, `execution/total/${EXECUTION}`];
    await execute(pool, {
      name: 'spec-old-counters',
      text: `insert into tools.budget_counters (tenant, counter, start_at, spent_calls, changed_at)
        select 'forgotten', c, s, 1, now() - interval '500 days' from unnest($1::text[], $2::timestamptz[]) as o(c, s)`,
      values: [names, [new Date(0), new Date(NOW), new Date(0)]],
    });
    await new ReservationStore(pool).forget();
    const left = await execute<{ counter: string }>(pool, { name: 'spec-left-counters', text: `select counter from tools.budget_counters where tenant = 'forgotten'`, values: [] });
    expect(left).toEqual([{ counter: `tool/total/${tool}` }]);
  });
});
