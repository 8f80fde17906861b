import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { Command, type DeadLetterBody, type Job, type ResultBody } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { configureLog } from '@weft/nest-platform';
import { eventually } from '@weft/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orchestrationMigrations } from './migrations/index.js';
import { calls, context, definitionText, newExecutionId, RESULTS, resultOf, startCommand, startOrchestration, type RunningOrchestration } from './orchestration.testing.js';

const PAID = 'com.example.paid.v1';
let scratch: ScratchStore;
let pool: Pool;
let running: RunningOrchestration;
const carriedOut: Job[] = [];

beforeAll(async () => {
  configureLog({ write: () => undefined });
  scratch = await openScratchStore([orchestrationMigrations]);
  pool = openPool(scratch.address, { role: engineRole('orchestration'), applicationName: 'spec' });
  running = await startOrchestration(scratch.address, (jobs) => {
    carriedOut.push(...jobs);
    return jobs.filter(({ pointer }) => !pointer.endsWith('/never')).map((job) => resultOf(job, { by: job.pointer }));
  });
});
afterAll(async () => {
  await running.close();
  await pool.end();
  await scratch.close();
});

const event = (id: string, data: Json = {}, more: object = {}): string => JSON.stringify({ specversion: '1.0', id, source: '/shop', type: PAID, data, ...more });
const listen = (filter: object = {}, name = 'paid'): object => ({ [name]: { listen: { to: { one: { with: { type: PAID }, ...filter } } } } });
const byOrder = { correlate: { order: { from: '.data.order', expect: '${ .order }' } } };

const ended = (executionId: string): Promise<ResultBody> =>
  eventually(() => running.bus.on(RESULTS, executionId)[0]?.body as ResultBody | undefined, { what: `the result of ${executionId}`, timeoutMs: 10_000 });
const waitsOf = async (executionId: string): Promise<readonly object[]> =>
  (await pool.query('select kind, subject, due_at, correlation is not null as is_found from orchestration.waits where execution_id = $1 order by kind', [executionId])).rows;
const listening = (executionId: string): Promise<unknown> => eventually(async () => ((await waitsOf(executionId)).length > 0 ? true : undefined), { what: 'a wait', timeoutMs: 10_000 });

async function start(name: string, tasks: readonly object[], input: Json = {}, more = {}): Promise<string> {
  const as = context(more);
  const definition = await running.deploy(definitionText(name, tasks), as);
  const executionId = newExecutionId();
  await running.send(startCommand(executionId, definition, input, more));
  return executionId;
}

const signal = async (executionId: string, ...events: readonly string[]) => (await running.controller.signal({ events: events.map((eventJson) => ({ executionId, eventJson })) }, context())).receipts;
const refusal = (code: string): unknown => expect.objectContaining({ refusal: expect.objectContaining({ code }) as unknown });

describe('an addressed event', () => {
  it('wakes a listen that waits in its row, and completes the execution', async () => {
    const executionId = await start('one', [listen(), { done: { set: { got: '${ . }' } } }]);
    await listening(executionId);
    expect(await waitsOf(executionId)).toEqual([{ kind: 'signal', subject: PAID, due_at: null, is_found: true }]);
    expect((await running.controller.getExecution({ executionId }, context())).status).toBe('waiting');
    expect(await signal(executionId, event('e1', { amount: 5 }))).toEqual([{ duplicate: false, refusal: undefined }]);
    expect(await ended(executionId)).toMatchObject({ status: 'completed', output: { got: [{ amount: 5 }] } });
    expect(await waitsOf(executionId)).toEqual([]);
  });

  it('labels what comes after it as made of what came from outside', async () => {
    const executionId = await start('labelled', [listen(), ...calls('after')], {}, { taint: ['request:/crm'] });
    await listening(executionId);
    await signal(executionId, event('e1'));
    await ended(executionId);
    const job = carriedOut.find((each) => each.executionId === executionId);
    expect(job?.context?.taint).toEqual(['request:/crm', 'event:/shop']);
  });

  it('counts once, before and after the end; another is refused then', async () => {
    const executionId = await start('twice', [listen(), listen({}, 'again')]);
    await listening(executionId);
    expect(await signal(executionId, event('e1', 1), event('e1', 1), event('e2', 2))).toEqual(
      [{ duplicate: false }, { duplicate: true }, { duplicate: false }].map((receipt) => ({ ...receipt, refusal: undefined })),
    );
    expect(await ended(executionId)).toMatchObject({ output: [2] });
    expect(await signal(executionId, event('e1', 1), event('e3'))).toEqual([{ duplicate: true, refusal: undefined }, refusal('execution-ended')]);
  });

  it('that comes before its listen is kept in the history', async () => {
    const executionId = await start('early', [...calls('never'), listen()]);
    await eventually(async () => ((await running.controller.getTimeline({ executionId, afterVersion: -1 }, context()).catch(() => undefined)) ? true : undefined));
    await signal(executionId, event('e1', 'kept'));
    const [job] = (await pool.query<{ structure: string }>('select structure from orchestration.history where execution_id = $1 order by sequence', [executionId])).rows;
    expect(job!.structure).toContain('JobScheduled');
    await running.send(Command.fromPartial({ id: 'done', executionId, context: context(), completeJob: { jobId: `${executionId}/do/0/never`, generation: 0, outputJson: '{}', taint: [] } }));
    expect(await ended(executionId)).toMatchObject({ output: ['kept'] });
  });

  it('is unknown to another tenant, and refused for what is no execution or no event', async () => {
    const executionId = await start('theirs', [listen()]);
    await listening(executionId);
    const { receipts } = await running.controller.signal({ events: [{ executionId, eventJson: event('e1') }] }, context({ tenant: 'acme' }));
    expect(receipts).toEqual([refusal('unknown-execution')]);
    expect(await signal(newExecutionId(), event('e1'))).toEqual([refusal('unknown-execution')]);
    expect(await signal('nonsense', event('e1'))).toEqual([refusal('unknown-execution')]);
    expect(await signal(executionId, 'no json', '{}', event('e2', { nul: '\u0000' }), event('e3'))).toEqual([
      refusal('request-invalid'),
      refusal('request-invalid'),
      refusal('request-invalid'),
      { duplicate: false, refusal: undefined },
    ]);
    await ended(executionId);
  });

  it('arrives as a command too; one without its marks is set aside', async () => {
    const executionId = await start('command', [listen()]);
    await running.send(Command.fromPartial({ id: 's1', executionId, context: context(), receiveSignal: { eventJson: event('e1', 'by bus') } }));
    expect(await ended(executionId)).toMatchObject({ output: ['by bus'] });
    await running.send(Command.fromPartial({ id: 's2', executionId, context: context(), receiveSignal: { eventJson: '{"id":"x"}' } }));
    const dead = await eventually(() => running.bus.on('weft.commands.dead').find(({ body }) => JSON.stringify(body).includes('request-invalid')));
    expect((dead.body as DeadLetterBody).reason).toMatchObject({ code: 'request-invalid' });
  });

  it('may have a type with what a column cannot hold: the row leaves it out', async () => {
    const executionId = await start('odd', [{ paid: { listen: { to: { one: { with: { type: '${ .type }' } } } } } }], { type: 'a\u0000b' });
    await listening(executionId);
    expect(await waitsOf(executionId)).toMatchObject([{ subject: 'ab' }]);
  });
});

describe('a correlated event', () => {
  const publish = async (...eventJson: readonly string[]) => (await running.controller.publishEvents({ eventJson: [...eventJson] }, context())).receipts;

  it('finds the executions that listen for what it carries, and no others', async () => {
    const [seven, eight, other] = [
      await start('orders', [listen(byOrder)], { order: 'c7' }),
      await start('orders', [listen(byOrder)], { order: 'c8' }),
      await start('orders', [listen(byOrder)], { order: 'c7' }, { tenant: 'acme' }),
    ];
    for (const execution of [seven, eight, other]) await listening(execution);
    const receipts = await publish(event('p1', { order: 'c8' }), event('p2', { order: 'c7' }), event('p3', { order: 'c9' }));
    expect(receipts.map(({ taken, executionIds }) => [taken, executionIds])).toEqual([
      [1, [eight]],
      [1, [seven]],
      [0, []],
    ]);
    expect(await ended(seven)).toMatchObject({ output: [{ order: 'c7' }] });
    expect(await waitsOf(other)).toHaveLength(1);
    expect(await publish(event('p1', { order: 'c8' }))).toEqual([{ taken: 0, executionIds: [], refusal: undefined }]);
  });

  it('is judged by each execution: a key only narrows', async () => {
    const condition = { with: { type: PAID, data: '${ .amount > 10 }' }, correlate: { order: { from: '.data.order | tostring', expect: 'd1' } } };
    const executionId = await start('judged', [listen(condition)]);
    await listening(executionId);
    expect((await publish(event('j1', { order: 'd1', amount: 9 }), event('j2', { order: 'd2', amount: 11 }), event('j3', { order: 'd1', amount: 11 }))).map(({ taken }) => taken)).toEqual([0, 0, 1]);
    await ended(executionId);
  });

  it('is taken once by an execution that listens for it in two branches', async () => {
    const executionId = await start('branches', [{ both: { fork: { branches: [listen(byOrder, 'a'), listen(byOrder, 'b')] } } }], { order: 'e1' });
    await listening(executionId);
    expect((await publish(event('b1', { order: 'e1', n: 1 }))).map(({ taken }) => taken)).toEqual([1]);
    expect((await publish(event('b2', { order: 'e1', n: 2 }))).map(({ taken }) => taken)).toEqual([1]);
    expect(await ended(executionId)).toMatchObject({ output: [[{ order: 'e1', n: 1 }], [{ order: 'e1', n: 2 }]] });
  });

  it('is looked for through an index, never by a scan', async () => {
    const client = await pool.connect();
    try {
      // So small a table is scanned for good reasons; whether the index can serve the query is the question.
      await client.query('begin; set local enable_seqscan = off');
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(
        `explain (costs off) select execution_id, id from orchestration.waits where tenant = 'default' and correlation = any('{a,b}'::text[])`,
      );
      expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/waits_correlation/);
    } finally {
      await client.query('rollback');
      client.release();
    }
  });

  it('with more values than are looked for must be addressed', async () => {
    const data = Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`f${n}`, n]));
    expect(await publish(event('big', data), event('bad', {}, { specversion: '2.0' }))).toEqual([refusal('request-invalid'), refusal('request-invalid')]);
  });
});

describe('an event that comes early', () => {
  const byInput = { correlate: { order: { from: '.data.order', expect: '${ $workflow.input.order }' } } };
  const publish = async (...eventJson: readonly string[]) => (await running.controller.publishEvents({ eventJson: [...eventJson] }, context())).receipts;
  const subscriptions = async (executionId: string): Promise<number> =>
    (await pool.query<{ n: number }>('select count(*)::int as n from orchestration.subscriptions where execution_id = $1', [executionId])).rows[0]!.n;

  it('is found by the execution that has subscribed to it at its start, which is parked by nothing for that', async () => {
    const executionId = await start('early-bird', [...calls('never'), listen(byInput)], { order: 'f1' });
    const theirs = await start('early-bird', [...calls('never'), listen(byInput)], { order: 'f1' }, { tenant: 'acme' });
    await eventually(async () => ((await subscriptions(executionId)) === 1 && (await subscriptions(theirs)) === 1 ? true : undefined));
    expect(await waitsOf(executionId)).toEqual([]);
    expect((await publish(event('f-1', { order: 'f2' }), event('f-2', { order: 'f1' }))).map(({ executionIds }) => executionIds)).toEqual([[], [executionId]]);
    await running.send(Command.fromPartial({ id: 'f-done', executionId, context: context(), completeJob: { jobId: `${executionId}/do/0/never`, generation: 0, outputJson: '{}', taint: [] } }));
    expect(await ended(executionId)).toMatchObject({ output: [{ order: 'f1' }] });
    expect(await subscriptions(executionId)).toBe(0);
  });
});

describe('an emitted event', () => {
  const emit = (type: string, data: Json): object => ({ tell: { emit: { event: { with: { type, source: 'https://shop.test', data } } } } });

  it('is heard by the executions of its tenant that listen for it, once, labelled as what made it', async () => {
    const listens = { heard: { listen: { to: { one: { with: { type: 'told' }, correlate: { order: { from: '.data.order', expect: '${ .order }' } } } } } } };
    const [hearing, deaf, other] = [
      await start('hearing-first', [listens, ...calls('after')], { order: 'h1' }),
      await start('hearing', [listens], { order: 'h2' }),
      await start('hearing', [listens], { order: 'h1' }, { tenant: 'acme' }),
    ];
    for (const execution of [hearing, deaf, other]) await listening(execution);
    const telling = await start('telling', [emit('told', { order: '${ .order }' })], { order: 'h1' }, { taint: ['request:/crm'] });
    await ended(hearing);
    expect(carriedOut.find((job) => job.executionId === hearing)?.context?.taint).toEqual(['request:/crm', 'event:https://shop.test']);
    expect([await waitsOf(deaf), await waitsOf(other)].map((waits) => waits.length)).toEqual([1, 1]);
    const { output } = await ended(telling);
    expect(output).toMatchObject({ specversion: '1.0', id: `${telling}/do/0/tell`, source: 'https://shop.test', type: 'told', data: { order: 'h1' } });
    const announced = running.bus.on('weft.lifecycle').filter(({ type }) => type === 'told');
    expect(announced.map(({ id, source, body }) => ({ id, source, event: (body as { readonly event?: Json }).event }))).toEqual([
      { id: `${telling}/do/0/tell`, source: 'https://shop.test', event: output },
    ]);
  });
});

describe('a fork with jobs of the workers', () => {
  it('is dispatched as one batch, and what comes back together is one decision', async () => {
    const names = Array.from({ length: 20 }, (_, branch) => `b${branch}`);
    const executionId = await start('fan-out', [{ all: { fork: { branches: calls(...names) } } }]);
    expect(await ended(executionId)).toMatchObject({ output: names.map((name, branch) => ({ by: `/do/0/all/fork/branches/${branch}/${name}` })) });
    const { rows } = await pool.query('select sequence from orchestration.history where execution_id = $1', [executionId]);
    expect(rows).toHaveLength(2);
  });

  it('keeps a row for a quick job beside a timer, so that a sweep need not find it', async () => {
    const executionId = await start('mixed', [{ all: { fork: { branches: [...calls('never'), { pause: { wait: 'PT1H' } }] } } }]);
    await listening(executionId);
    expect(await waitsOf(executionId)).toMatchObject([{ kind: 'job', subject: 'http' }, { kind: 'timer' }]);
  });
});

describe('lifecycle events of tasks', () => {
  it('are published where they are asked for', async () => {
    const telling = await startOrchestration(scratch.address, (jobs) => jobs.map((job) => resultOf(job, { by: job.pointer })), { settings: { WEFT_LIFECYCLE: 'tasks' } });
    const executionId = newExecutionId();
    await telling.send(startCommand(executionId, await telling.deploy(definitionText('told', calls('a')), context()), {}));
    await eventually(() => telling.bus.on(RESULTS, executionId)[0], { what: 'the result', timeoutMs: 10_000 });
    const told = telling.bus.on('weft.lifecycle', executionId).map(({ type, body }) => [type.replace('io.serverlessworkflow.', ''), body as object] as const);
    expect(told.map(([type]) => type)).toEqual(['workflow.started.v1', 'task.created.v1', 'task.started.v1', 'workflow.completed.v1', 'task.completed.v1']);
    expect(told.at(-1)![1]).toMatchObject({ executionId, workflow: `told-${executionId}.spec`, task: '/do/0/a', output: { by: '/do/0/a' }, completedAt: expect.stringMatching(/Z$/) as unknown });
    await telling.close();
  });
});
