// What a crash leaves behind, taken up by the next process on the same store; and two processes on one store.
import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import type { Command, Job } from '@weft/contracts';
import { configureLog } from '@weft/nest-platform';
import { decodeEvents } from '@weft/orchestration/core';
import { eventually } from '@weft/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readCommand } from './consume/command.codec.js';
import { orchestrationMigrations } from './migrations/index.js';
import type { ReplicaPorts } from './orchestration.module.js';
import { calls, definitionText, newExecutionId, RESULTS, resultOf, startCommand, startOrchestration, type RunningOrchestration, type Work } from './orchestration.testing.js';

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
});
afterAll(async () => {
  await pool.end();
  await scratch.close();
});

async function begin(...given: readonly [work?: Work, more?: Parameters<typeof startOrchestration>[2]]): Promise<RunningOrchestration> {
  const running = await startOrchestration(scratch.address, ...given);
  open.push(running);
  return running;
}
const silent: Work = () => [];
const has = async (executionId: string, table: 'executions' | 'waits', where = 'true'): Promise<boolean> =>
  ((await pool.query(`select 1 from orchestration.${table} where ${table === 'executions' ? 'id' : 'execution_id'} = $1 and ${where}`, [executionId])).rowCount ?? 0) > 0;

/** An execution that one process brought to where nothing happens, before it ended. */
async function leftBehind(name: string, tasks: readonly object[], until: (executionId: string) => Promise<boolean>, work: Work = silent): Promise<string> {
  const first = await begin(work);
  const definition = await first.deploy(definitionText(name, tasks));
  const executionId = newExecutionId();
  await first.send(startCommand(executionId, definition));
  await eventually(() => until(executionId));
  await first.close();
  open.splice(open.indexOf(first), 1);
  return executionId;
}
const completedBy = (running: RunningOrchestration, executionId: string) => eventually(() => running.bus.on(RESULTS, executionId)[0], { timeoutMs: 10_000, what: `a result of ${executionId}` });

describe('a process that takes over', () => {
  it('dispatches the jobs again that the one before was not answered', async () => {
    const lost: Job[] = [];
    const executionId = await leftBehind(
      'lost-jobs',
      calls('a', 'b'),
      async () => lost.length > 0,
      (jobs) => {
        lost.push(...jobs);
        return [];
      },
    );
    const again: Job[] = [];
    const second = await begin((jobs) => {
      again.push(...jobs);
      return jobs.map((job) => resultOf(job, 1));
    });
    await completedBy(second, executionId);
    // The very same job, under the same key.
    expect(again.filter((job) => job.executionId === executionId)[0]).toEqual(lost[0]);
  });

  it('goes on sweeping for what another process dropped', async () => {
    const second = await begin(undefined, { settings: { WEFT_SWEEP_MS: 200, WEFT_SWEEP_SILENT_MS: 300 } });
    // The first sweep is over when the other process ends.
    const executionId = await leftBehind('dropped', calls('a'), (id) => has(id, 'executions'));
    await completedBy(second, executionId);
  });

  it('fires the timers of the one before', async () => {
    const executionId = await leftBehind('left-timer', [{ pause: { wait: { milliseconds: 1_200 } } }], (id) => has(id, 'waits'));
    const second = await begin();
    const { time } = await completedBy(second, executionId);
    expect(time).toBeGreaterThan(0);
    expect(await has(executionId, 'waits')).toBe(false);
  });

  it.each([
    ['infer', { prompt: 'x' }],
    ['embed', { text: 'x' }],
  ])('sends long jobs again at once when the bus went with the process, and not when it stayed: %s', async (call, given) => {
    const executionId = await leftBehind(`long-${call}`, [{ ask: { call, with: given } }], (id) => has(id, 'waits', `kind = 'job'`));
    const stays = await begin(silent, { busIsVolatile: false });
    const went = await begin(silent, { busIsVolatile: true });
    const [job] = await eventually(() => (went.bus.on('weft.jobs', executionId).length > 0 ? went.bus.on('weft.jobs', executionId) : undefined));
    expect(job).toMatchObject({ id: `${executionId}/do/0/ask/0/1`, body: { kind: call, executionId, models: [{ id: 'm' }] } });
    expect(stays.bus.on('weft.jobs', executionId)).toEqual([]);
  });

  it('tells what the one before decided and could not tell, under the same ids', async () => {
    const first = await begin();
    const definition = await first.deploy(definitionText('untold', [{ done: { set: { ok: true } } }]));
    const [told, untold] = [newExecutionId(), newExecutionId()];
    await first.send(startCommand(told, definition));
    const expected = (await completedBy(first, told)).id.replace(told, untold);
    first.bus.isAway = true;
    await first.send(startCommand(untold, definition));
    await eventually(() => has(untold, 'executions', `status = 'completed'`));
    expect(first.bus.on(RESULTS, untold)).toEqual([]);
    await first.close();
    open.splice(open.indexOf(first), 1);
    // A few seconds are left to whoever is telling right now.
    await pool.query(`update orchestration.commits set recorded_at = recorded_at - interval '1 minute' where not published`);
    const second = await begin();
    expect(await completedBy(second, untold)).toMatchObject({ id: expected, body: { executionId: untold, status: 'completed', output: { ok: true } } });
    await eventually(async () => (await pool.query('select 1 from orchestration.commits where not published')).rowCount === 0);
    expect(second.bus.on(RESULTS, told)).toEqual([]);
    expect(second.bus.on('weft.lifecycle', untold)).toHaveLength(2);
  });
});

describe('two processes on one store', () => {
  it('handle commands for the same executions, each result told to both, without loss and without doing anything twice', async () => {
    const [executions, jobs] = [50, 5];
    const both: RunningOrchestration[] = [];
    // Every result is told to the two at once, so that they race for each decision.
    const tell = (commands: readonly Command[]): void => {
      for (const one of both) {
        for (const wire of commands) {
          const reading = readCommand(wire);
          if (reading.ok) void one.engine.submit([{ key: wire.executionId, command: reading.command, messageId: wire.id }]);
        }
      }
    };
    const work: Work = (batch) => {
      tell(batch.map((job) => resultOf(job, { by: job.pointer })));
      return [];
    };
    both.push(await begin(work), await begin(work));
    const [left, right] = both as [RunningOrchestration, RunningOrchestration];
    const definition = await left.deploy(definitionText('raced', calls(...'abcde')));
    const ids = Array.from({ length: executions }, newExecutionId);
    await Promise.all(both.map((one) => one.send(...ids.map((id) => startCommand(id, definition)))));
    const results = () => [...left.bus.on(RESULTS), ...right.bus.on(RESULTS)].filter(({ key }) => ids.includes(key));
    await eventually(() => new Set(results().map(({ key }) => key)).size === executions, { timeoutMs: 20_000, what: 'fifty results' });
    const { rows } = await pool.query<{ execution_id: string; sequence: number; structure: string }>(
      'select execution_id, sequence, structure from orchestration.history where execution_id = any($1) order by execution_id, sequence',
      [ids],
    );
    for (const id of ids) {
      const history = rows.filter((row) => row.execution_id === id);
      expect(history.map(({ sequence }) => sequence)).toEqual(history.map((_row, index) => index));
      const events = history.flatMap(({ structure }) => decodeEvents({ structure, payload: null }, id));
      const done = events.flatMap((event) => (event.type === 'JobCompleted' ? [event.job] : []));
      expect(done).toEqual([...'abcde'].map((name, index) => `${id}/do/${index}/${name}`));
      expect(events.filter(({ type }) => type === 'ExecutionStarted' || type === 'ExecutionCompleted')).toHaveLength(2);
      expect(events.filter(({ type }) => type === 'JobScheduled')).toHaveLength(jobs);
    }
    // Only the winner of a decision tells of it.
    expect(
      results()
        .map(({ id }) => id)
        .sort(),
    ).toEqual([...new Set(results().map(({ id }) => id))].sort());
  });
});

describe('replicas on one store', () => {
  const replica = (name: string): { readonly replica: ReplicaPorts; readonly intake: string[] } => {
    const intake: string[] = [];
    const note = (what: string) => async (): Promise<void> => void intake.push(what);
    return { intake, replica: { name, ttlMs: 900, publishWaitMs: () => 0, intake: { suspend: note('suspend'), resume: note('resume') } } };
  };
  const settings = { WEFT_SWEEP_MS: 60_000, WEFT_SWEEP_SILENT_MS: 60_000 };

  it('take over at once what one of them had begun when it is gone without a word', async () => {
    const asked: string[] = [];
    const answering =
      (name: string): Work =>
      (jobs) => {
        asked.push(...jobs.map((job) => `${name} ${job.executionId}`));
        return jobs.map((job) => resultOf(job, 1));
      };
    const [b, c] = [await begin(answering('b'), { ...replica('b'), settings }), await begin(answering('c'), { ...replica('c'), settings })];
    const definition = await b.deploy(definitionText('begun-by-a', calls('a')));
    // A replica that was here, took commands and will not be heard again: what it had begun are these rows.
    await pool.query(`insert into orchestration.replicas (name, life, is_able, beat_at) values ('gone', gen_random_uuid(), true, now())`);
    const a = await startOrchestration(scratch.address, silent);
    const ids = Array.from({ length: 20 }, newExecutionId);
    await a.send(...ids.map((id) => startCommand(id, definition)));
    for (const id of ids) await eventually(() => has(id, 'executions'));
    await a.close();
    await eventually(() => [...b.bus.on(RESULTS), ...c.bus.on(RESULTS)].filter(({ key }) => ids.includes(key)).length === ids.length, { timeoutMs: 10_000, what: 'twenty results' });
    // Each looks after its share, so that no execution is taken over twice.
    expect(
      asked
        .filter((each) => ids.includes(each.slice(2)))
        .map((each) => each.slice(2))
        .sort(),
    ).toEqual([...ids].sort());
    expect(new Set(asked.filter((each) => ids.includes(each.slice(2))).map((each) => each.slice(0, 1)))).toEqual(new Set(['b', 'c']));
  });

  it('leave what the others work on alone when one of them starts', async () => {
    const asked: Job[] = [];
    const noting: Work = (jobs) => {
      asked.push(...jobs);
      return [];
    };
    const a = await begin(noting, { ...replica('a'), settings });
    const definition = await a.deploy(definitionText('worked-on', calls('a')));
    const executionId = newExecutionId();
    await a.send(startCommand(executionId, definition));
    await eventually(() => asked.length === 1);
    const b = await begin(noting, { ...replica('b'), settings });
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(asked.filter((job) => job.executionId === executionId)).toHaveLength(1);
    expect(b.bus.sent).toEqual([]);
  });

  it('tell of themselves by the clock of the store, and no longer when they have stopped', async () => {
    const { replica: ports } = replica('told');
    const one = await begin(undefined, { replica: ports, settings });
    const rows = async () => (await pool.query(`select is_able, beat_at > now() - interval '1 second' as fresh from orchestration.replicas where name = 'told'`)).rows;
    expect(await rows()).toEqual([{ is_able: true, fresh: true }]);
    await one.close();
    open.splice(open.indexOf(one), 1);
    expect(await rows()).toEqual([]);
  });
});
