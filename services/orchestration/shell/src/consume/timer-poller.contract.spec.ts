import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import type { ExecutionCommand } from '@weft/orchestration/core';
import type { Item, Outcome } from '@weft/pipeline';
import { eventually } from '@weft/testkit';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExecutionEngine } from '../handle/execution-engine.js';
import { orchestrationMigrations } from '../migrations/index.js';
import { TimerPoller } from './timer-poller.js';

let scratch: ScratchStore;
let pool: Pool;
beforeAll(async () => {
  scratch = await openScratchStore([orchestrationMigrations]);
  pool = openPool(scratch.address, { role: engineRole('orchestration'), applicationName: 'spec' });
});
afterAll(async () => {
  await pool.end();
  await scratch.close();
});

async function wait(kind: string, due: number): Promise<string> {
  const executionId = randomUUID();
  await pool.query(`insert into orchestration.waits (tenant, execution_id, id, bucket, kind, subject, due_at) values ('default', $1, 'w', 0, $2, 's', $3)`, [executionId, kind, new Date(due)]);
  return executionId;
}

/** A poller whose clock goes after or before the store's, and what it fired: the time by that clock, by execution. */
function pollerWith(skewMs: number) {
  const clock = { now: () => Date.now() + skewMs };
  const [fired, redispatched] = [new Map<string, number>(), new Set<string>()];
  const submit = async (items: readonly Item<ExecutionCommand>[]): Promise<readonly Outcome[]> => {
    for (const { key } of items) fired.set(key, clock.now());
    return [];
  };
  const poller = new TimerPoller(
    pool,
    { submit } as unknown as ExecutionEngine,
    clock,
    async (executions) => executions.forEach((execution) => redispatched.add(execution)),
    (fault) => {
      throw fault;
    },
  );
  return { poller, clock, fired, redispatched };
}

describe('the timer poller', () => {
  it.each([
    ['goes after', -400],
    ['goes before', 400],
  ])('fires what is due, and nothing before its time, when its clock %s that of the store', async (_how, skewMs) => {
    const { poller, clock, fired } = pollerWith(skewMs);
    const dues = new Map<string, number>();
    for (const inMs of [-10_000, 200, 600]) {
      const due = clock.now() + inMs;
      dues.set(await wait('timer', due), due);
    }
    poller.start();
    await eventually(() => [...dues.keys()].every((execution) => fired.has(execution)));
    await poller.stop();
    for (const [execution, due] of dues) expect(fired.get(execution)! - due).toBeGreaterThanOrEqual(0);
  });

  it('dispatches long jobs again that nothing was heard of, and not before', async () => {
    const { poller, clock, fired, redispatched } = pollerWith(0);
    const [lost, young] = [await wait('job', clock.now() - 1), await wait('job', clock.now() + 60_000)];
    poller.start();
    await eventually(() => redispatched.has(lost));
    await poller.stop();
    expect([redispatched.has(young), fired.has(lost)]).toEqual([false, false]);
  });
});
