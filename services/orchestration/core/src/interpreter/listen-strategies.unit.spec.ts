import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { decodeEvents, encodeEvents } from '../execution/event.codec.js';
import { SIGNALS_KEPT_MAX } from '../execution/execution.state.js';
import { waitsOf } from '../execution/effects-between.js';
import { running, type Running } from './running.testing.js';

const TEMPERATURE = { with: { type: 'temperature', data: '${ .value > 38 }' } };
const BEAT = { with: { type: 'beat' } };
const OUT = { with: { type: 'out' } };

const listen = (to: object, more: object = {}): object => ({ hear: { listen: { to }, ...more } });
const start = (to: object, more: object = {}, after: readonly object[] = []): Running => running({ do: [listen(to, more), ...after] }, {}).start();
const work = (name = 'work'): object => ({ [name]: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } });

let sent = 0;
const send = (run: Running, type: string, data: Json = null): string => run.signal({ id: `e${sent++}`, type, data }).kind;
const operate = (run: Running, operation: 'pause' | 'resume' | 'retry'): unknown =>
  run.accept({ type: 'OperateExecution', tenant: 'default', operation, id: `${operation}${sent++}`, by: 'user:eva', reason: '' });
const refolds = (run: Running): void => expect(run.refold((events) => decodeEvents(encodeEvents(events, run.executionId), run.executionId))).toEqual(run.state);

describe('listen to any', () => {
  it('ends with the first event that fits one of its filters, and waits for each in a row of its own', () => {
    const run = start({ any: [TEMPERATURE, BEAT] });
    expect([...waitsOf(run.state).values()].map(({ id, subject }) => [id, subject])).toEqual([
      ['/do/0/hear@1', 'temperature'],
      ['/do/0/hear@1/1', 'beat'],
    ]);
    send(run, 'temperature', { value: 37 });
    expect(run.state.status).toBe('running');
    send(run, 'beat', 61);
    expect(run.state).toMatchObject({ status: 'completed', output: [61], listens: {} });
    refolds(run);
  });

  it('of nothing is every event', () => {
    const run = start({ any: [] });
    send(run, 'whatever', 1);
    expect(run.state.output).toEqual([1]);
  });

  it('until a condition holds gathers events, and tests it after each one on what it has gathered', () => {
    const run = start({ any: [], until: '( . | length ) >= 3' });
    for (const data of [1, 2]) send(run, 'x', data);
    expect(run.state.status).toBe('running');
    send(run, 'y', 3);
    expect(run.state).toMatchObject({ status: 'completed', output: [1, 2, 3] });
    refolds(run);
  });

  it('fails the task when its condition cannot be evaluated', () => {
    const run = start({ any: [], until: 'error("no")' });
    send(run, 'x');
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'expression-failed', instance: '/do/0/hear' } });
  });

  it('until an event ends with it and leaves it out of the output, also where its own filters would take it', () => {
    const run = start({ any: [], until: { one: OUT } });
    send(run, 'x', 1);
    send(run, 'out', 'bye');
    expect(run.state).toMatchObject({ status: 'completed', output: [1] });
    const atOnce = start({ any: [BEAT], until: { one: OUT } });
    send(atOnce, 'out');
    expect(atOnce.state.output).toEqual([]);
  });

  it('until all of several events goes on until each of them has come', () => {
    const run = start({ any: [BEAT], until: { all: [OUT, { with: { type: 'paid' } }] } });
    for (const [type, data] of [
      ['out', 0],
      ['beat', 1],
      ['out', 0],
      ['beat', 2],
      ['paid', 0],
    ] as const)
      send(run, type, data);
    expect(run.state).toMatchObject({ status: 'completed', output: [1, 2] });
  });

  it('takes the events that were kept for it, the oldest first', () => {
    const run = running({ do: [work('first'), listen({ any: [BEAT], until: '(. | length) == 3' })] }, {}).start();
    for (const data of [1, 2]) send(run, 'beat', data);
    run.complete('/do/0/first', {});
    expect(run.state.status).toBe('running');
    send(run, 'beat', 3);
    expect(run.state.output).toEqual([1, 2, 3]);
  });
});

describe('listen to all', () => {
  it('takes one event for each filter in any order, and gives them in the order in which they came', () => {
    const run = start({ all: [BEAT, OUT] });
    send(run, 'out', 'first');
    expect([...waitsOf(run.state).values()].map(({ subject }) => subject)).toEqual(['beat']);
    send(run, 'out', 'kept');
    send(run, 'beat', 'second');
    expect(run.state).toMatchObject({ status: 'completed', output: ['first', 'second'] });
  });

  it('wants two events for two equal filters', () => {
    const run = start({ all: [BEAT, BEAT] });
    send(run, 'beat', 1);
    expect(run.state.status).toBe('running');
    send(run, 'beat', 2);
    expect(run.state.output).toEqual([1, 2]);
    refolds(run);
  });
});

describe('what a listen reads', () => {
  it('is the data as text when it is raw', () => {
    const run = start({ any: [], until: '(. | length) == 2' }, { listen: { to: { any: [], until: '(. | length) == 2' }, read: 'raw' } });
    send(run, 'x', { a: 1 });
    send(run, 'x', 'text');
    expect(run.state.output).toEqual(['{"a":1}', 'text']);
  });
});

describe('a correlation without an expectation', () => {
  const byOrder = (type: string): object => ({ with: { type }, correlate: { order: { from: '.data.order' } } });

  it('is bound by the first event, for all filters of the task', () => {
    const run = start({ all: [byOrder('paid'), byOrder('sent')] });
    send(run, 'paid', { order: 7 });
    send(run, 'sent', { order: 8 });
    expect(run.state.status).toBe('running');
    send(run, 'sent', { order: '7' });
    expect(run.state.output).toEqual([{ order: 7 }, { order: '7' }]);
    refolds(run);
  });

  it('binds anew each time the task is reached', () => {
    const to = { all: [byOrder('paid'), byOrder('sent')] };
    const run = running({ do: [{ each: { for: { in: '[1, 2]' }, do: [listen(to)] } }] }, {}).start();
    for (const order of [7, 8]) for (const type of ['paid', 'sent']) send(run, type, { order });
    expect(run.state).toMatchObject({ status: 'completed', output: [{ order: 8 }, { order: 8 }] });
  });
});

describe('foreach of a listen', () => {
  const foreach = (tasks: readonly object[], more: object = {}): object => ({ foreach: { item: 'event', at: 'i', do: tasks, ...more } });
  const until = { any: [BEAT], until: { one: OUT } };

  it('runs its tasks on one event at a time, each as an activation of its own, and gathers what comes of them', () => {
    const run = start(until, foreach([work(), { made: { set: { was: '${ $event }', at: '${ $i }', got: '${ .n }' } } }]));
    send(run, 'beat', 'a');
    send(run, 'beat', 'b');
    expect(run.jobs()).toEqual(['/do/0/hear/foreach/do/0/work#2[0]']);
    run.complete('/do/0/hear/foreach/do/0/work#2[0]', { n: 1 });
    expect(run.jobs()).toEqual(['/do/0/hear/foreach/do/0/work#2[1]']);
    send(run, 'out');
    expect(run.state.status).toBe('running');
    run.complete('/do/0/hear/foreach/do/0/work#2[1]', { n: 2 });
    expect(run.state).toMatchObject({
      status: 'completed',
      output: [
        { was: 'a', at: 0, got: 1 },
        { was: 'b', at: 1, got: 2 },
      ],
    });
    refolds(run);
  });

  it('hands the item to its first task, and applies output.as and export.as to what comes of it', () => {
    const more = { output: { as: '{ got: ., of: $event.n }' }, export: { as: '($context + { last: .got, at: $i })' } };
    const run = start({ any: [BEAT], until: '$context.last == 20' }, foreach([{ twice: { set: '${ .n * 2 }' } }], more));
    for (const n of [1, 10]) send(run, 'beat', { n });
    expect(run.state).toMatchObject({
      status: 'completed',
      exported: { last: 20, at: 1 },
      output: [
        { got: 2, of: 1 },
        { got: 20, of: 10 },
      ],
    });
  });

  it('without tasks shapes each event', () => {
    const run = start({ all: [BEAT, OUT] }, { foreach: { output: { as: '{ seen: ., n: $index }' } } });
    send(run, 'out', 'a');
    send(run, 'beat', 'b');
    expect(run.state.output).toEqual([
      { seen: 'a', n: 0 },
      { seen: 'b', n: 1 },
    ]);
  });

  it('gathers null where that is what comes of an event', () => {
    const run = start({ all: [BEAT, OUT] }, { foreach: { output: { as: 'null' } } });
    send(run, 'out', 'a');
    send(run, 'beat', 'b');
    expect(run.state.output).toEqual([null, null]);
    refolds(run);
  });

  it('is there for one event too', () => {
    const run = start({ one: BEAT }, foreach([work()]), [work('after')]);
    send(run, 'beat', 'a');
    run.complete('/do/0/hear/foreach/do/0/work#2[0]', 'done');
    expect(run.jobs()).toEqual(['/do/1/after']);
  });

  it('leaves the item by exit, and the workflow by end', () => {
    const choose = { choose: { switch: [{ stop: { when: '. == "stop"', then: 'end' } }, { other: { then: 'exit' } }] } };
    const run = start(until, foreach([choose, work()]));
    send(run, 'beat', 'go');
    send(run, 'beat', 'stop');
    expect(run.state).toMatchObject({ status: 'completed', output: 'stop' });
  });

  it('raises what its tasks raise to the try around the listen, which listens no more', () => {
    const caught = { caught: { try: [listen(until, foreach([work()]))], catch: { errors: {}, as: 'e', do: [{ told: { set: { was: '${ $e.title }' } } }] } } };
    const run = running({ do: [caught] }, {}).start();
    send(run, 'beat', 'a');
    run.fail('/do/0/caught/try/0/hear/foreach/do/0/work#3[0]', { code: 'unreachable', message: 'gone', retryable: false });
    expect(run.state).toMatchObject({ status: 'completed', output: { was: 'unreachable' }, listens: {} });
  });

  it('keeps events in order while it runs, correlated ones too, for no other listen', () => {
    const branches = [listen(until, foreach([work()])), { other: { do: [work('slow'), { late: { listen: { to: { one: BEAT } } } }] } }];
    const run = running({ do: [{ both: { fork: { branches } } }] }, {}).start();
    send(run, 'beat', 'a');
    expect(run.signal({ id: 'queued', type: 'beat', data: 'b' }, true).kind).toBe('accepted');
    run.complete('/do/0/both/fork/branches/1/other/do/0/slow', {});
    expect(Object.keys(run.state.signals)).toEqual(['/shop\nqueued']);
    run.complete('/do/0/both/fork/branches/0/hear/foreach/do/0/work#3[0]', 1);
    expect(run.state.signals).toEqual({});
    expect(run.jobs()).toEqual(['/do/0/both/fork/branches/0/hear/foreach/do/0/work#3[1]']);
  });

  it('goes on where it was when the execution was suspended meanwhile', () => {
    const run = start(until, foreach([work()]));
    operate(run, 'pause');
    for (const data of ['a', 'b']) send(run, 'beat', data);
    expect(run.jobs()).toEqual([]);
    operate(run, 'resume');
    expect(run.jobs()).toEqual(['/do/0/hear/foreach/do/0/work#2[0]']);
    operate(run, 'pause');
    run.complete('/do/0/hear/foreach/do/0/work#2[0]', 1);
    operate(run, 'resume');
    run.complete('/do/0/hear/foreach/do/0/work#2[1]', 2);
    send(run, 'out');
    expect(run.state).toMatchObject({ status: 'completed', output: [1, 2] });
    refolds(run);
  });

  it('is retried from the task that failed, with what was gathered', () => {
    const run = start(until, foreach([work()]));
    send(run, 'beat', 'a');
    run.complete('/do/0/hear/foreach/do/0/work#2[0]', 1);
    send(run, 'beat', 'b');
    run.fail('/do/0/hear/foreach/do/0/work#2[1]', { code: 'unreachable', message: 'gone', retryable: false });
    expect(run.state.status).toBe('faulted');
    operate(run, 'retry');
    run.complete('/do/0/hear/foreach/do/0/work#2[1]', 2);
    send(run, 'out');
    expect(run.state).toMatchObject({ status: 'completed', output: [1, 2] });
  });
});

describe('what a listen gathers', () => {
  it('has a bound, by its size', () => {
    const run = start({ any: [], until: 'false' });
    for (let n = 0; n < 5; n++) send(run, 'x', 'x'.repeat(1_000_000));
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'listen-too-large', detail: expect.stringContaining('end it sooner with `until`') as unknown } });
  });
});

describe('a listen that goes on, while its execution is suspended', () => {
  it('keeps as many events as one that is not reached, and has them at resume', () => {
    const run = start({ any: [BEAT], until: '. | length >= 100' });
    operate(run, 'pause');
    const kinds = Array.from({ length: SIGNALS_KEPT_MAX + 5 }, () => send(run, 'beat', 1));
    expect(kinds.filter((kind) => kind === 'accepted')).toHaveLength(SIGNALS_KEPT_MAX);
    operate(run, 'resume');
    expect(run.state).toMatchObject({ status: 'completed', output: Array.from({ length: 100 }, () => 1) });
    refolds(run);
  });
});

describe('what is gathered of an item', () => {
  it('is null where `output.as` makes it null', () => {
    const run = running({ do: [{ hear: { listen: { to: { one: BEAT } }, foreach: { item: 'it', output: { as: 'null' } } } }] }, {}).start();
    send(run, 'beat', 7);
    expect(run.state).toMatchObject({ status: 'completed', output: [null] });
  });
});
