// Schedules on a real store: their times, their events, two replicas, and what people do to them.
import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { ExecutionQuery, type Execution, type Schedule } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { configureLog } from '@weft/nest-platform';
import { eventually } from '@weft/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { orchestrationMigrations } from './migrations/index.js';
import { calls, context, newExecutionId, startCommand, startOrchestration, type RunningOrchestration } from './orchestration.testing.js';

let scratch: ScratchStore;
let pool: Pool;
const open: RunningOrchestration[] = [];

beforeAll(async () => {
  configureLog({ write: () => undefined });
  scratch = await openScratchStore([orchestrationMigrations]);
  pool = openPool(scratch.address, { role: engineRole('orchestration'), applicationName: 'spec' });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
  await pool.query('delete from orchestration.schedules');
});
afterAll(async () => {
  await pool.end();
  await scratch.close();
});

async function begin(...more: readonly [Parameters<typeof startOrchestration>[2]?]): Promise<RunningOrchestration> {
  const running = await startOrchestration(scratch.address, undefined, ...more);
  open.push(running);
  return running;
}

const text = (name: string, schedule: object | undefined, version = '1.0.0', tasks: readonly object[] = [{ done: { set: { input: '${ . }' } } }]): string =>
  JSON.stringify({ document: { dsl: '1.0.3', namespace: 'spec', name, version }, ...(schedule ? { schedule } : {}), do: tasks });

const begun = async (running: RunningOrchestration, name: string): Promise<readonly Execution[]> =>
  (await running.controller.listExecutions({ status: '', query: ExecutionQuery.fromPartial({ workflow: `spec/${name}` }) }, context())).executions;

const scheduleOf = async (running: RunningOrchestration, name: string): Promise<Schedule | undefined> => (await running.controller.listSchedules({ namespace: 'spec', name }, context())).schedules[0];

/** Lets a schedule fall due, as if time had passed. */
const passTime = (name: string, interval: string): Promise<unknown> =>
  pool.query(`update orchestration.schedules set due_at = due_at - interval '${interval}', claimed_until = null where name = $1`, [name]);

const change = (running: RunningOrchestration, name: string, operation: string, more: { reason?: string; operationId?: string; inputJson?: string } = {}) =>
  running.controller.changeSchedule({ namespace: 'spec', name, operation, reason: '', operationId: '', inputJson: '', ...more }, context({ actor: 'user:eva' }));

describe('a schedule in time', () => {
  it('starts an execution once for each time, over all replicas', async () => {
    const [first] = await Promise.all([begin(), begin(), begin()]);
    await first.deploy(text('every', { every: { hours: 1 } }));
    for (let time = 1; time <= 3; time++) {
      // Another time each time.
      await passTime('every', `${60 + time} minutes`);
      await eventually(async () => (await begun(first, 'every')).length >= time, { timeoutMs: 10_000 });
    }
    // The last row of each is written after its start.
    await eventually(async () => (await scheduleOf(first, 'every'))!.dueAtMs > Date.now());
    const executions = await begun(first, 'every');
    expect(executions).toHaveLength(3);
    expect(new Set(executions.map(({ requestId }) => requestId)).size).toBe(3);
    const [one] = executions;
    expect(await first.controller.getExecution({ executionId: one!.executionId }, context())).toMatchObject({
      status: 'completed',
      requestSource: '/weft/schedules/spec/every',
      requestType: 'ai.weft.schedule.due.v1',
      inputJson: '{}',
    });
  });

  it('makes up once for all the times that went by', async () => {
    const running = await begin();
    await running.deploy(text('missed', { cron: '*/5 * * * *' }));
    await passTime('missed', '1 day');
    await eventually(async () => (await begun(running, 'missed')).length === 1);
    await eventually(async () => (await scheduleOf(running, 'missed'))!.dueAtMs > Date.now());
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await begun(running, 'missed')).toHaveLength(1);
  });

  it('leaves missed times alone where it is told to', async () => {
    const running = await begin({ settings: { WEFT_SCHEDULE_CATCH_UP: 'none' } });
    await running.deploy(text('left', { every: { minutes: 5 } }));
    await passTime('left', '1 day');
    await eventually(async () => (await scheduleOf(running, 'left'))!.dueAtMs > Date.now());
    expect(await begun(running, 'left')).toEqual([]);
  });

  it('that was started and not noted, as by a kill between the two, does not start again', async () => {
    const running = await begin();
    await running.deploy(text('killed', { every: { hours: 1 } }));
    const due = (await scheduleOf(running, 'killed'))!.dueAtMs;
    await passTime('killed', '1 hour');
    await eventually(async () => (await begun(running, 'killed')).length === 1);
    await eventually(async () => (await scheduleOf(running, 'killed'))!.dueAtMs > Date.now());
    await pool.query(`update orchestration.schedules set due_at = $1, claimed_until = null where name = 'killed'`, [new Date(due - 3_600_000)]);
    await eventually(async () => (await scheduleOf(running, 'killed'))!.dueAtMs > Date.now());
    expect(await begun(running, 'killed')).toHaveLength(1);
  });

  it('of `after` counts from the end of the execution before', async () => {
    const running = await begin();
    await running.deploy(text('after', { after: { seconds: 30 } }, '1.0.0', [{ pause: { wait: { milliseconds: 900 } } }]));
    await passTime('after', '30 seconds');
    await eventually(async () => (await begun(running, 'after')).length === 1);
    await eventually(async () => (await scheduleOf(running, 'after'))!.dueAtMs === 0);
    await eventually(async () => (await scheduleOf(running, 'after'))!.dueAtMs > 0, { timeoutMs: 10_000 });
    const [{ endedAtMs }] = (await begun(running, 'after')) as [Execution];
    expect((await scheduleOf(running, 'after'))!.dueAtMs - endedAtMs).toBeCloseTo(30_000, -1);
  });

  it('of `after` does not start a new version while an execution of the one before runs', async () => {
    const running = await begin();
    const held = [{ pause: { wait: { hours: 1 } } }];
    await running.deploy(text('overlap', { after: { seconds: 1 } }, '1.0.0', held));
    const first = await eventually(async () => (await begun(running, 'overlap'))[0]);
    await eventually(async () => (await scheduleOf(running, 'overlap'))!.dueAtMs === 0);
    await running.deploy(text('overlap', { after: { seconds: 2 } }, '2.0.0', held));
    expect(await scheduleOf(running, 'overlap')).toMatchObject({ dueAtMs: 0, definition: { version: '2.0.0' } });
    await running.controller.operate({ executionId: first.executionId, operation: 'terminate', operationId: 'end', reason: '', task: '' }, context());
    await eventually(async () => (await begun(running, 'overlap')).length === 2, { timeoutMs: 10_000 });
    expect((await begun(running, 'overlap'))[0]).toMatchObject({ definition: { version: '2.0.0' } });
  });

  it('of `after` goes on when the execution before is in the archive already', async () => {
    const running = await begin();
    await running.deploy(text('archived', { after: { hours: 1 } }));
    await pool.query(`update orchestration.schedules set due_at = null, started_execution = '01999999-9999-7999-8999-999999999990' where name = 'archived'`);
    await eventually(async () => (await scheduleOf(running, 'archived'))!.dueAtMs > Date.now());
  });

  it('starts beside others that cannot be read, and that are due before it', async () => {
    const running = await begin();
    await running.deploy(text('sound', { every: { hours: 1 } }));
    await pool.query(
      `insert into orchestration.schedules (tenant, namespace, name, kind, version, digest, given, due_at) select tenant, namespace, 'broken', kind, version, digest, '"never"', due_at - interval '1 day' from orchestration.schedules where name = 'sound'`,
    );
    await passTime('sound', '1 hour');
    await eventually(async () => (await begun(running, 'sound')).length === 1, { timeoutMs: 5_000 });
  });

  it('is that of the version that was deployed last, and ends with one that has none', async () => {
    const running = await begin();
    await running.deploy(text('versions', { every: { hours: 1 } }));
    await running.deploy(text('versions', { cron: '0 0 * * *' }, '2.0.0'));
    expect((await running.controller.listSchedules({ namespace: 'spec', name: 'versions' }, context())).schedules).toMatchObject([
      { kind: 'cron', givenJson: '"0 0 * * *"', definition: { version: '2.0.0' } },
    ]);
    await running.deploy(text('versions', undefined, '3.0.0'));
    expect(await scheduleOf(running, 'versions')).toBeUndefined();
  });

  it('is refused when it could never be', async () => {
    const running = await begin();
    await expect(running.deploy(text('never', { cron: '0 0 31 2 *' }))).rejects.toThrow('fits none');
    await expect(running.deploy(text('expression', { every: '${ "PT1H" }' }))).rejects.toThrow('/schedule/every');
  });
});

describe('a schedule and people', () => {
  it('starts nothing while it is paused, and goes on from its next time', async () => {
    const running = await begin();
    await running.deploy(text('paused', { every: { hours: 1 } }));
    expect((await change(running, 'paused', 'pause', { reason: 'moving' })).schedules).toMatchObject([{ isPaused: true, changedBy: 'user:eva', reason: 'moving' }]);
    await passTime('paused', '5 hours');
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect((await change(running, 'paused', 'resume')).schedules).toMatchObject([{ isPaused: false }]);
    expect((await scheduleOf(running, 'paused'))!.dueAtMs).toBeGreaterThan(Date.now());
    expect(await begun(running, 'paused')).toEqual([]);
  });

  it('stays paused when a new version starts by another kind of schedule', async () => {
    const running = await begin();
    await running.deploy(text('still', { every: { hours: 1 } }));
    await change(running, 'still', 'pause', { reason: 'moving' });
    await running.deploy(text('still', { cron: '* * * * *' }, '2.0.0'));
    expect(await scheduleOf(running, 'still')).toMatchObject({ kind: 'cron', isPaused: true, changedBy: 'user:eva', reason: 'moving' });
  });

  it('says in the audit log who paused it', async () => {
    const running = await begin();
    await running.deploy(text('audited', { every: { hours: 1 } }));
    await change(running, 'audited', 'pause');
    const { rows } = await pool.query<{ members: string; tenants: string[] }>(`select members, tenants from orchestration.commits where members like '%schedule:%audited%'`);
    expect(rows).toEqual([{ members: '[["schedule:default/spec/audited/every", 1]]', tenants: ['default'] }]);
    const [{ changes }] = (await pool.query<{ changes: string }>(`select changes from orchestration.schedules where name = 'audited'`)).rows as [{ changes: string }];
    expect(JSON.parse(changes)).toMatchObject([{ type: 'SchedulePaused', by: 'user:eva' }]);
  });

  it('starts when it is triggered, once by the id of the operation, on behalf of who asked', async () => {
    const running = await begin();
    await running.deploy(text('triggered', { every: { hours: 1 } }));
    const { executionId } = await change(running, 'triggered', 'trigger', { operationId: 'op-1', inputJson: '{"n":1}' });
    expect((await change(running, 'triggered', 'trigger', { operationId: 'op-1' })).executionId).toBe(executionId);
    // Ids say when: by them executions are listed, and their history is kept by months.
    expect(Math.abs(Number.parseInt(executionId.replaceAll('-', '').slice(0, 12), 16) - Date.now())).toBeLessThan(60_000);
    expect(await begun(running, 'triggered')).toMatchObject([{ executionId, requestType: 'ai.weft.schedule.triggered.v1' }]);
    expect(await running.controller.getExecution({ executionId }, context())).toMatchObject({ inputJson: '{"n":1}' });
    await expect(change(running, 'nothing', 'trigger')).rejects.toThrow('Expected a workflow with a schedule');
  });

  it('is none of the business of other tenants', async () => {
    const running = await begin();
    await running.deploy(text('theirs', { every: { hours: 1 } }), context({ tenant: 'acme' }));
    expect(await scheduleOf(running, 'theirs')).toBeUndefined();
    await expect(change(running, 'theirs', 'pause')).rejects.toThrow('Expected a workflow with a schedule');
  });
});

describe('a schedule of events', () => {
  const event = (id: string, type: string, data: Json = {}): string => JSON.stringify({ specversion: '1.0', id, source: '/shop', type, data });
  const publish = async (running: RunningOrchestration, ...events: readonly string[]): Promise<readonly string[]> =>
    (await running.controller.publishEvents({ eventJson: [...events] }, context())).receipts.flatMap(({ executionIds }) => executionIds);
  const inputOf = async (running: RunningOrchestration, executionId: string): Promise<Json> => JSON.parse((await running.controller.getExecution({ executionId }, context())).inputJson) as Json;

  it('starts an execution for each event that fits, with a list of it, once', async () => {
    const running = await begin();
    await running.deploy(text('one', { on: { one: { with: { type: 'com.example.low', data: '${ .rate < 40 }' } } } }));
    const started = await publish(running, event('e1', 'com.example.low', { rate: 30 }), event('e2', 'com.example.low', { rate: 90 }), event('e3', 'com.example.other'));
    expect(started).toHaveLength(1);
    expect(await inputOf(running, started[0]!)).toEqual([{ specversion: '1.0', id: 'e1', source: '/shop', type: 'com.example.low', data: { rate: 30 } }]);
    expect(await publish(running, event('e1', 'com.example.low', { rate: 30 }))).toEqual([]);
    expect(await begun(running, 'one')).toHaveLength(1);
  });

  it('is started by what another workflow emits, as far as one may follow the other, labelled as what made it', async () => {
    const running = await begin();
    const emit = { tell: { emit: { event: { with: { type: 'told', source: 'https://shop.test', data: '${ . }' } } } } };
    const on = { on: { one: { with: { type: 'told' } } } };
    await running.deploy(text('told', on));
    const executionId = newExecutionId();
    await running.send(startCommand(executionId, await running.deploy(text('teller', undefined, '1.0.0', [emit])), { n: 1 }, { taint: ['request:/crm'] }));
    const [told] = await eventually(async () => {
      const executions = await begun(running, 'told');
      return executions.some(({ status }) => status === 'completed') ? executions : undefined;
    });
    const { inputJson } = await running.controller.getExecution({ executionId: told!.executionId }, context());
    expect(JSON.parse(inputJson)).toMatchObject([{ id: `${executionId}/do/0/tell`, source: 'https://shop.test', type: 'told', data: { n: 1 } }]);
    expect(inputJson).not.toContain('weft:origin');
    const { rows } = await pool.query<{ structure: string }>('select structure from orchestration.history where execution_id = $1 and sequence = 0', [told!.executionId]);
    expect(JSON.parse(rows[0]!.structure)[0]).toMatchObject({ hops: 1, taint: ['request:/crm', 'event:https://shop.test'] });
  });

  it('of `any` starts for an event that fits one of its filters', async () => {
    const running = await begin();
    await running.deploy(text('any', { on: { any: [{ with: { type: 'a' } }, { with: { type: 'b' } }] } }));
    expect(await publish(running, event('e1', 'b'), event('e2', 'a'), event('e3', 'c'))).toHaveLength(2);
  });

  it('of `all` waits for one event for each filter, of the same correlation', async () => {
    const [first, second] = [await begin(), await begin()];
    const filter = (type: string): object => ({ with: { type }, correlate: { order: { from: '.data.order' } } });
    await first.deploy(text('all', { on: { all: [filter('paid'), filter('packed')] } }));
    expect(await publish(first, event('e1', 'paid', { order: 1 }), event('e2', 'packed', { order: 2 }))).toEqual([]);
    const started = await publish(second, event('e3', 'packed', { order: 1 }));
    expect(started).toHaveLength(1);
    expect(await inputOf(first, started[0]!)).toMatchObject([{ id: 'e1' }, { id: 'e3' }]);
    const rivals = await Promise.all([publish(first, event('e4', 'paid', { order: 3 })), publish(second, event('e5', 'packed', { order: 3 }))]);
    expect(rivals.flat()).toHaveLength(1);
  });

  it('starts what a process that was killed had taken events for', async () => {
    const running = await begin();
    await running.deploy(text('taken', { on: { one: { with: { type: 'com.example.taken' } } } }));
    const { definition } = (await scheduleOf(running, 'taken'))!;
    const executionId = '01999999-9999-7999-8999-999999999999';
    await pool.query(
      `insert into orchestration.schedule_events (tenant, namespace, name, filter, source, id, version, digest, correlation, event, received_at, started_execution) values ('default', 'spec', 'taken', 0, '/shop', 'k1', '1.0.0', $1, '{}', $2, now() - interval '1 minute', $3)`,
      [definition!.digest, event('k1', 'com.example.taken'), executionId],
    );
    const second = await begin();
    await eventually(async () => (await begun(second, 'taken')).length === 1, { timeoutMs: 15_000 });
    expect(await inputOf(second, executionId)).toMatchObject([{ id: 'k1' }]);
  });

  it('starts what a process that was killed had taken events for with all of them, also when they came far apart', async () => {
    const running = await begin();
    await running.deploy(text('apart', { on: { all: [{ with: { type: 'com.example.first' } }, { with: { type: 'com.example.last' } }] } }));
    const { definition } = (await scheduleOf(running, 'apart'))!;
    const executionId = '01999999-9999-7999-8999-99999999999a';
    for (const [filter, type, ago] of [
      [0, 'first', '1 hour'],
      [1, 'last', '3 seconds'],
    ] as const)
      await pool.query(
        `insert into orchestration.schedule_events (tenant, namespace, name, filter, source, id, version, digest, correlation, event, received_at, started_execution) values ('default', 'spec', 'apart', $1, '/shop', $2, '1.0.0', $3, '{}', $4, now() - $5::interval, $6)`,
        [filter, type, definition!.digest, event(type, `com.example.${type}`), ago, executionId],
      );
    const second = await begin();
    await eventually(async () => (await begun(second, 'apart')).length === 1, { timeoutMs: 25_000 });
    expect(await inputOf(second, executionId)).toMatchObject([{ id: 'first' }, { id: 'last' }]);
  });

  it('hears of events however many others a tenant has', async () => {
    const running = await begin();
    await running.deploy(text('zz-last', { on: { one: { with: { type: 'com.example.crowd' } } } }));
    await pool.query(
      `insert into orchestration.schedules (tenant, namespace, name, kind, version, digest, given) select tenant, namespace, 'crowd-' || n, kind, version, 'd' || n, '{"one":{"with":{"type":"com.example.none"}}}' from orchestration.schedules, generate_series(1, 1200) n where name = 'zz-last'`,
    );
    expect(await publish(running, event('c1', 'com.example.crowd'))).toHaveLength(1);
  });

  it('is not started by events of other tenants, nor while it is paused', async () => {
    const running = await begin();
    await running.deploy(text('mine', { on: { one: { with: { type: 'com.example.mine' } } } }, '1.0.0', calls('a')));
    await running.controller.publishEvents({ eventJson: [event('e1', 'com.example.mine')] }, context({ tenant: 'acme' }));
    await change(running, 'mine', 'pause');
    expect(await publish(running, event('e2', 'com.example.mine'))).toEqual([]);
    expect(await begun(running, 'mine')).toEqual([]);
  });
});
