import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { decodeEvents, encodeEvents } from '../execution/event.codec.js';
import { forkPointOf } from '../execution/fork-point.js';
import { inputOf } from '../execution/job-input.js';
import { TASKS_ENTERED_MAX } from '../execution/execution.state.js';
import { running, type Running } from './running.testing.js';

const HEAR = '/do/0/hear';
const ITEM = `${HEAR}/with/subscription/foreach/do/0`;

const hear = (subscription: object, more: object = {}): object => ({ hear: { call: 'asyncapi', with: { document: { endpoint: 'https://a.test/doc' }, operation: 'hear', subscription }, ...more } });
const start = (subscription: object, more: object = {}, after: readonly object[] = []): Running => running({ do: [hear(subscription, more), ...after] }, {}).start();
const work = (name = 'work'): object => ({ [name]: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } });

const message = (payload: Json): Json => ({ payload, headers: {} });
/** Answers the job like a worker that found messages from where the last one stopped. */
const batch = (run: Running, payloads: readonly Json[], position: string, key = HEAR): unknown => run.complete(key, { messages: payloads.map(message), position: { 0: position } });
const given = (run: Running, key = HEAR): Json => inputOf(run.state, run.state.jobs[run.jobId(key)]!);

let asked = 0;
const operate = (run: Running, operation: 'pause' | 'resume' | 'retry' | 'cancel'): unknown =>
  run.accept({ type: 'OperateExecution', tenant: 'default', operation, id: `${operation}${asked++}`, by: 'user:eva', reason: '' });
const refolds = (run: Running): void => expect(run.refold((events) => decodeEvents(encodeEvents(events, run.executionId), run.executionId))).toEqual(run.state);

const payloads = '[.[].payload]';
const twoAtLeast = { consume: { until: '${ (. | length) >= 2 }' } };

describe('a subscription that takes messages one by one', () => {
  it('is collected by one job after the other, each from where the last one stopped and under a key of its own', () => {
    const run = start(twoAtLeast);
    expect(given(run)).toMatchObject({ operation: 'hear', subscription: { consume: { amount: 100 }, batch: { position: null } } });
    batch(run, [], '7');
    expect(run.state.jobs[run.jobId(HEAR)]?.generation).toBe(1);
    expect(given(run)).toMatchObject({ subscription: { batch: { position: { 0: '7' } } } });
    batch(run, ['a'], '8');
    batch(run, ['b', 'never read'], '10');
    expect(run.state).toMatchObject({ status: 'completed', output: [message('a'), message('b')], jobs: {} });
    refolds(run);
  });

  it('takes no batch twice', () => {
    const run = start(twoAtLeast);
    batch(run, ['a'], '1');
    const again = run.command({ type: 'CompleteJob', job: run.jobId(HEAR), generation: 0, output: { messages: [message('a')], position: {} }, taint: [] });
    expect(again).toEqual({ kind: 'ignored', reason: 'stale' });
  });

  it('goes on while its condition holds, tested after each message on what it has gathered', () => {
    const run = start({ consume: { while: '${ .[-1].payload != "stop" }' } }, { output: { as: payloads } });
    batch(run, ['a', 'stop', 'b'], '3');
    expect(run.state).toMatchObject({ status: 'completed', output: ['a', 'stop'] });
  });

  it('ends with its time: what came in it is taken, and a job gets only what is left of it', () => {
    const run = start({ consume: { until: '${ false }', for: { seconds: 10 } } }, { output: { as: payloads } });
    run.passUntil(run.now + 4_000);
    batch(run, ['a'], '1');
    expect(given(run)).toMatchObject({ subscription: { consume: { for: { milliseconds: 6_000 } } } });
    run.passUntil(run.now + 6_000);
    batch(run, ['b'], '2');
    expect(run.state).toMatchObject({ status: 'completed', output: ['a', 'b'] });
    const nothing = start({ consume: { until: '${ false }', for: 'PT1S' } });
    nothing.passUntil(nothing.now + 1_000);
    batch(nothing, [], '1');
    expect(nothing.state.output).toEqual([]);
  });

  it('asks for no more than its amount, whatever it is, and for nothing when that is none', () => {
    const foreach = { output: { as: '.payload' } };
    const run = start({ consume: { amount: 102 }, foreach });
    batch(run, Array<Json>(100).fill('a'), '1');
    expect(given(run)).toMatchObject({ subscription: { consume: { amount: 2 } } });
    batch(run, ['b', 'c'], '3');
    expect((run.state.output as readonly Json[]).slice(-2)).toEqual(['b', 'c']);
    expect(start({ consume: { amount: 0 }, foreach }).state).toMatchObject({ status: 'completed', output: [] });
  });

  it('fails the task when its condition cannot be evaluated, or its time is none', () => {
    const run = start({ consume: { until: '${ error("no") }' } });
    batch(run, ['a'], '1');
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'expression-failed', instance: HEAR } });
    expect(start({ consume: { until: '${ false }', for: '${ "soon" }' } }).state).toMatchObject({ status: 'faulted', error: { detail: expect.stringContaining('`consume.for`') as unknown } });
  });

  it('gathers no more than fits', () => {
    const run = start({ consume: { while: '${ (. | length) < 99 }' } });
    for (let n = 0; n < 5 && run.state.status === 'running'; n++) batch(run, ['x'.repeat(1_000_000)], String(n));
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'subscription-too-large', detail: expect.stringContaining('`foreach.output.as`') as unknown } });
  });

  it('of an amount alone is one job, as it was', () => {
    const run = start({ consume: { amount: 2 } });
    expect(given(run)).toMatchObject({ subscription: { consume: { amount: 2 } } });
    expect(JSON.stringify(run.rows)).not.toContain('SubscriptionBegun');
    run.complete(HEAR, [message('a'), message('b')]);
    expect(run.state.output).toEqual([message('a'), message('b')]);
  });
});

describe('foreach of a subscription', () => {
  const until = { consume: { until: '${ $context.count == 2 }' } };
  const counting = { export: { as: '{ count: (($context.count // 0) + 1) }' } };
  const foreach = (tasks: readonly object[], more: object = {}): object => ({ ...until, foreach: { item: 'message', at: 'i', do: tasks, ...counting, ...more } });

  it('runs its tasks on one message at a time, and its condition reads what it exports', () => {
    const run = start(foreach([work(), { made: { set: { was: '${ $message.payload }', at: '${ $i }', got: '${ .n }' } } }]));
    batch(run, ['a', 'b', 'c'], '3');
    expect(run.jobs()).toEqual([`${ITEM}/work#2[0]`]);
    run.complete(`${ITEM}/work#2[0]`, { n: 1 });
    expect(run.jobs()).toEqual([`${ITEM}/work#2[1]`]);
    run.complete(`${ITEM}/work#2[1]`, { n: 2 });
    expect(run.state).toMatchObject({
      status: 'completed',
      output: [
        { was: 'a', at: 0, got: 1 },
        { was: 'b', at: 1, got: 2 },
      ],
    });
    refolds(run);
  });

  it('has no more collected before it is done with what is there', () => {
    const run = start(foreach([work()]));
    batch(run, ['a'], '1');
    expect(run.jobs()).toEqual([`${ITEM}/work#2[0]`]);
    run.complete(`${ITEM}/work#2[0]`, 1);
    expect(run.jobs()).toEqual([HEAR]);
    expect(given(run)).toMatchObject({ subscription: { batch: { position: { 0: '1' } } } });
  });

  it('goes on where it was when the execution was suspended, with a batch that came meanwhile', () => {
    const run = start(foreach([work()], { output: { as: '$message.payload' } }));
    operate(run, 'pause');
    batch(run, ['a', 'b'], '2');
    expect(run.jobs()).toEqual([]);
    operate(run, 'resume');
    for (const n of [0, 1]) run.complete(`${ITEM}/work#2[${n}]`, n);
    expect(run.state).toMatchObject({ status: 'completed', output: ['a', 'b'] });
    refolds(run);
  });

  it('is cancelled with all that it is about', () => {
    const run = start(foreach([work()]));
    batch(run, ['a'], '1');
    operate(run, 'cancel');
    expect(run.state).toMatchObject({ status: 'cancelled', jobs: {}, activations: {} });
  });

  it('ends with the time of its task, which a try around it catches', () => {
    const caught = { caught: { try: [hear(foreach([work()]), { timeout: { after: { seconds: 5 } } })], catch: { errors: {}, do: [{ told: { set: 'late' } }] } } };
    const run = running({ do: [caught] }, {}).start();
    batch(run, ['a'], '1', '/do/0/caught/try/0/hear');
    run.fireTimer('timeout');
    expect(run.state).toMatchObject({ status: 'completed', output: 'late', jobs: {} });
  });

  it('is retried from the task that failed, or from its position when nothing could be collected', () => {
    const run = start(foreach([work()], { output: { as: '$message.payload' } }));
    const gone = { code: 'unreachable', message: 'gone', retryable: false };
    batch(run, ['a'], '5');
    run.fail(`${ITEM}/work#2[0]`, gone);
    operate(run, 'retry');
    run.complete(`${ITEM}/work#2[0]`, 1);
    run.fail(HEAR, gone);
    expect(run.state.status).toBe('faulted');
    operate(run, 'retry');
    expect(given(run)).toMatchObject({ subscription: { batch: { position: { 0: '5' } } } });
    batch(run, ['b'], '6');
    run.complete(`${ITEM}/work#2[1]`, 1);
    expect(run.state).toMatchObject({ status: 'completed', output: ['a', 'b'] });
    refolds(run);
  });

  it('does again a message whose output could not be made, once a retry is asked for', () => {
    const run = start(foreach([{ made: { set: '${ $message.payload }' } }], { output: { as: 'if . == "b" then error("no") else . end' } }));
    batch(run, ['a', 'b'], '2');
    expect(run.state.status).toBe('faulted');
    operate(run, 'retry');
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'expression-failed' } });
    expect(JSON.stringify(run.rows.at(-1))).toContain('{"type":"MessageTaken"');
  });

  it('is carried into a fork with its position and what it has gathered', () => {
    const run = start(foreach([work()], { output: { as: '$message.payload' } }));
    batch(run, ['a', 'b'], '2');
    run.complete(`${ITEM}/work#2[0]`, 1);
    const rows = run.rows.map((events, sequence) => ({ sequence, events }));
    const reading = forkPointOf(rows, `${ITEM}/work#2[1]`);
    if (!reading.ok) throw new Error(reading.rejection.message);
    const id = '00000000-0000-7000-8000-000000000002';
    const fork = run.sibling(id);
    const events = rows.slice(0, reading.point.version + 1).flatMap((row) => row.events);
    fork.accept({ type: 'BeginFork', executionId: id, from: { execution: run.executionId, ...reading.point, operation: 'f', kind: 'fork', by: 'eva' }, reason: '', events });
    fork.complete(`${ITEM}/work#2[1]`, 2);
    expect(fork.state).toMatchObject({ status: 'completed', output: ['a', 'b'] });
  });

  it('lets the workflow end from within', () => {
    const choose = { choose: { switch: [{ stop: { when: '$message.payload == "stop"', then: 'end' } }, { other: { then: 'exit' } }] } };
    const run = start({ consume: { while: '${ true }' }, foreach: { item: 'message', do: [choose, work()] } });
    batch(run, ['go', 'stop', 'more'], '3');
    expect(run.state).toMatchObject({ status: 'completed', output: message('stop') });
  });
});

describe('a subscription that nothing ends', () => {
  const forever = { consume: { while: '${ true }' }, foreach: { item: 'message', do: [{ told: { emit: { event: { with: { source: 'https://a.test', type: 'told', data: '${ $message }' } } } } }] } };

  it('keeps nothing of what it has done with: its state does not grow', () => {
    const run = start(forever);
    const sizeAfter = (batches: number): number => {
      for (let n = 0; n < batches; n++) batch(run, Array<Json>(100).fill('some data'), '1');
      return JSON.stringify(run.state).length;
    };
    const before = sizeAfter(3);
    expect(sizeAfter(30) - before).toBeLessThan(100);
    expect(run.state.status).toBe('running');
    refolds(run);
  });

  it('waits as often as it must: a job that found nothing counts for nothing', () => {
    const run = start(forever);
    const { entered } = run.state;
    for (let n = 0; n < 50; n++) batch(run, [], '1');
    expect(run.state.entered).toBe(entered);
    expect(entered).toBeLessThan(TASKS_ENTERED_MAX);
    expect(run.jobs()).toEqual([HEAR]);
  });
});
