import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { decodeEvents, encodeEvents } from '../execution/event.codec.js';
import { effectsBetween, waitsOf } from '../execution/effects-between.js';
import { initialExecution, SIGNALS_KEPT_MAX } from '../execution/execution.state.js';
import { EVENT_VALUES_MAX, listenKeysOf } from '../signal/listen-key.js';
import { running, type Running } from './running.testing.js';

const http = (name: string): object => ({ [name]: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } });
const PAID = 'com.example.paid.v1';
const listen = (filter: object = { with: { type: PAID } }, more: object = {}): object => ({ paid: { listen: { to: { one: filter }, ...more } } });
const start = (tasks: readonly object[], input: Json = {}): Running => running({ do: tasks }, input).start();

describe('listen', () => {
  it('waits for its event in a row that falls due for nobody, and gives a list of it', () => {
    const run = start([listen(), { after: { set: { got: '${ . }' } } }]);
    expect([...waitsOf(run.state).values()]).toEqual([{ id: '/do/0/paid@1', kind: 'signal', due: undefined, subject: PAID, correlation: expect.stringMatching(/^[0-9a-f]{16}$/) as unknown }]);
    const before = run.state;
    expect(run.signal({ id: 'e1', data: { amount: 5 } }).kind).toBe('accepted');
    expect(run.state).toMatchObject({ status: 'completed', output: { got: [{ amount: 5 }] } });
    expect(effectsBetween(before, run.state).unpark).toEqual(['/do/0/paid@1']);
    expect(
      run.rows
        .at(-1)!
        .map(({ type }) => type)
        .slice(0, 3),
    ).toEqual(['SignalReceived', 'SignalTaken', 'TaskCompleted']);
  });

  it('stores an event once', () => {
    const run = start([listen(), http('after')]);
    run.signal({ id: 'e1', data: 'marked' });
    expect(JSON.stringify(run.rows).match(/marked/g)).toHaveLength(1);
  });

  it('reads the envelope when told to', () => {
    const run = start([listen(undefined, { read: 'envelope' })]);
    run.signal({ id: 'e1', data: 1, subject: 's' });
    expect(run.state.output).toEqual([{ specversion: '1.0', id: 'e1', data: 1, subject: 's', source: '/shop', type: PAID }]);
  });

  it('takes an event once, by its source and id, also after the end', () => {
    const run = start([listen(), { again: { listen: { to: { one: { with: { type: PAID } } } } } }]);
    run.signal({ id: 'e1' });
    expect(run.signal({ id: 'e1' })).toEqual({ kind: 'ignored', reason: 'duplicate' });
    expect(run.signal({ id: 'e1', source: '/other' }).kind).toBe('accepted');
    expect(run.state.status).toBe('completed');
    expect(run.signal({ id: 'e1' })).toEqual({ kind: 'ignored', reason: 'duplicate' });
    expect(run.signal({ id: 'e2' })).toMatchObject({ kind: 'rejected', rejection: { code: 'execution-ended', message: expect.stringContaining('it is completed') as unknown } });
  });

  it('is unknown to other tenants, and before it began', () => {
    const run = start([listen()]);
    const command = { type: 'ReceiveSignal', tenant: 'acme', source: '/x', id: 'e', eventType: PAID, event: {}, taint: [], isCorrelated: false } as const;
    expect(run.command(command)).toMatchObject({ kind: 'rejected', rejection: { code: 'unknown-execution' } });
    expect(running({ do: [http('a')] }, {}).command({ ...command, tenant: 'default' })).toMatchObject({ kind: 'rejected', rejection: { code: 'unknown-execution' } });
  });

  it('taints the execution with what the event carries', () => {
    const run = start([listen(), http('after')]);
    run.accept({ type: 'ReceiveSignal', tenant: 'default', source: '/x', id: 'e', eventType: PAID, event: { type: PAID }, taint: ['web'], isCorrelated: false });
    expect(run.state.taint).toEqual(['web']);
  });

  it('carries a bounded number of labels, of which none is forgotten', () => {
    const run = start([http('wait'), http('after')]);
    const signal = (n: number, taint: readonly string[]): void =>
      void run.accept({ type: 'ReceiveSignal', tenant: 'default', source: '/x', id: `e${n}`, eventType: PAID, event: { type: PAID }, taint, isCorrelated: false });
    signal(
      0,
      Array.from({ length: 300 }, (_, n) => `event:/${n}`),
    );
    signal(1, ['private:crm', 'event:/1']);
    expect(run.state.taint).toHaveLength(258);
    expect(run.state.taint.slice(-2)).toEqual(['other', 'private:other']);
  });

  it('folds to the same state, through what is stored', () => {
    const run = start([http('first'), listen({ with: { type: PAID }, correlate: { o: { from: '.data.o', expect: '${ .order }' } } })]);
    run.signal({ id: 'e0', data: { o: 'other' } });
    run.complete('/do/0/first', { order: 'o1' });
    const refolded = run.refold((events) => decodeEvents(encodeEvents(events, run.executionId), run.executionId));
    expect(refolded).toEqual(run.state);
  });
});

describe('the filter of a listen', () => {
  const takes = (filter: object, event: { readonly [attribute: string]: Json }, input: Json = {}): boolean => {
    const run = start([listen(filter), http('after')], input);
    run.signal({ id: 'e', ...event });
    return run.jobs().length === 1;
  };

  it('compares attributes, with expressions evaluated when the task is reached', () => {
    expect(takes({ with: { type: PAID, subject: 's' } }, { subject: 's' })).toBe(true);
    expect(takes({ with: { type: PAID, subject: 's' } }, { subject: 't' })).toBe(false);
    expect(takes({ with: { type: PAID, subject: 's' } }, {})).toBe(false);
    expect(takes({ with: { type: 'other' } }, {})).toBe(false);
    expect(takes({ with: { region: '${ .where }' } }, { region: 'eu' }, { where: 'eu' })).toBe(true);
    expect(takes({ with: { priority: 7 } }, { priority: '7' })).toBe(true);
  });

  it('takes an expression on `data` for a condition, and any other `data` for what it must equal', () => {
    expect(takes({ with: { data: '${ .amount > 10 }' } }, { data: { amount: 11 } })).toBe(true);
    expect(takes({ with: { data: '${ .amount > 10 }' } }, { data: { amount: 9 } })).toBe(false);
    expect(takes({ with: { data: '${ .amount }' } }, { data: { amount: 9 } })).toBe(false);
    expect(takes({ with: { data: { a: [1], b: '${ .n }' } } }, { data: { b: 2, a: [1] } }, { n: 2 })).toBe(true);
    expect(takes({ with: { data: { a: 1 } } }, { data: { a: 1, b: 2 } })).toBe(false);
  });

  it('correlates with what it expects, as text; without an expectation any value will do', () => {
    const correlate = (expect?: string): object => ({ with: { type: PAID }, correlate: { order: { from: '.data.order', ...(expect === undefined ? {} : { expect }) } } });
    expect(takes(correlate('${ .id }'), { data: { order: 7 } }, { id: 7 })).toBe(true);
    expect(takes(correlate('7'), { data: { order: 7 } })).toBe(true);
    expect(takes(correlate('${ .id }'), { data: { order: 8 } }, { id: 7 })).toBe(false);
    expect(takes(correlate('${ .id }'), {}, { id: 7 })).toBe(false);
    expect(takes(correlate(), { data: { order: 'x' } })).toBe(true);
    expect(takes(correlate(), {})).toBe(false);
  });

  it('does not fit what an expression fails on: a stranger cannot fail the workflow', () => {
    expect(takes({ with: { data: '${ error("no") }' } }, { data: {} })).toBe(false);
    expect(takes({ with: { type: PAID }, correlate: { a: { from: '.data | error("no")' } } }, { data: {} })).toBe(false);
  });

  it('fails the task when it cannot be evaluated itself', () => {
    expect(start([listen({ with: { subject: '${ error("no") }' } })]).state).toMatchObject({ status: 'faulted', error: { title: 'expression-failed', instance: '/do/0/paid' } });
  });
});

describe('an event before its listen', () => {
  it('is kept, and taken when the listen is reached, the oldest first', () => {
    const run = start([http('first'), listen(), { second: { listen: { to: { one: { with: { type: PAID } } } } } }]);
    run.signal({ id: 'e1', data: 1 });
    run.signal({ id: 'e2', type: 'com.example.other.v1', data: 2 });
    run.signal({ id: 'e3', data: 3 });
    run.complete('/do/0/first', {});
    expect(run.state).toMatchObject({ status: 'completed', output: [3] });
    expect(run.state.signals).toEqual({});
  });

  it('that no listen wants yet does not wake the one that waits', () => {
    const run = start([listen(), http('after')]);
    run.signal({ id: 'e1', type: 'com.example.other.v1' });
    expect(run.state).toMatchObject({ signals: { '/shop\ne1': { id: 'e1' } } });
    expect(run.jobs()).toEqual([]);
    run.signal({ id: 'e2' });
    expect(run.jobs()).toEqual(['/do/1/after']);
  });

  it(`is refused when ${SIGNALS_KEPT_MAX} are kept`, () => {
    const run = start([http('first'), listen()]);
    for (let n = 0; n < SIGNALS_KEPT_MAX; n++) run.signal({ id: `e${n}` });
    expect(run.signal({ id: 'more' })).toMatchObject({ kind: 'rejected', rejection: { code: 'too-many-signals', retryable: true } });
    expect(run.signal({ id: 'e0' })).toEqual({ kind: 'ignored', reason: 'duplicate' });
  });

  it('that was found by what it carries is not kept', () => {
    const run = start([listen({ with: { type: PAID, subject: 's' } })]);
    expect(run.signal({ id: 'e1' }, true)).toEqual({ kind: 'ignored', reason: 'stale' });
    expect(run.signal({ id: 'e1', subject: 's' }, true).kind).toBe('accepted');
  });
});

describe('an event and operations', () => {
  const operate = (run: Running, operation: 'pause' | 'resume' | 'retry' | 'cancel'): unknown =>
    run.accept({ type: 'OperateExecution', tenant: 'default', operation, id: operation, by: 'user:eva', reason: '' });

  it('that comes while the execution is suspended is taken, and goes on when it is resumed', () => {
    const run = start([listen(), http('after')]);
    operate(run, 'pause');
    run.signal({ id: 'e1', data: 1 });
    expect(run.jobs()).toEqual([]);
    expect(run.state.listens).toEqual({});
    operate(run, 'resume');
    expect(run.jobs()).toEqual(['/do/1/after']);
    expect(run.state.activations['']?.value).toEqual([1]);
  });

  it('that was kept when the execution faulted is there when it is retried', () => {
    const run = start([http('first'), listen()]);
    run.signal({ id: 'e1', data: 'kept' });
    run.fail('/do/0/first', { code: 'timeout', message: 'late', retryable: false });
    expect(run.state.status).toBe('faulted');
    operate(run, 'retry');
    run.complete('/do/0/first', {});
    expect(run.state).toMatchObject({ status: 'completed', output: ['kept'] });
  });

  it('is refused once a cancel has ended the execution', () => {
    const run = start([listen()]);
    operate(run, 'cancel');
    expect(run.signal({ id: 'e1' })).toMatchObject({ kind: 'rejected', rejection: { code: 'execution-ended', message: expect.stringContaining('it is cancelled') as unknown } });
  });
});

describe('listens at the same time', () => {
  const branch = (name: string, expect?: string): object => ({
    [name]: { listen: { to: { one: { with: { type: PAID }, ...(expect ? { correlate: { who: { from: '.data.who', expect } } } : {}) } } } },
  });

  it('each takes the event that is meant for it', () => {
    const run = start([{ all: { fork: { branches: [branch('a', 'ada'), branch('b', 'bob')] } } }]);
    run.signal({ id: 'e1', data: { who: 'bob' } });
    run.signal({ id: 'e2', data: { who: 'ada' } });
    expect(run.state.output).toEqual([[{ who: 'ada' }], [{ who: 'bob' }]]);
  });

  it('one event is taken by one of them, the one that was opened first', () => {
    const run = start([{ all: { fork: { branches: [branch('a'), branch('b')] } } }]);
    run.signal({ id: 'e1', data: 1 });
    expect(Object.values(run.state.listens).map(({ key }) => key)).toEqual(['/do/0/all/fork/branches/1/b']);
    run.signal({ id: 'e2', data: 2 });
    expect(run.state.output).toEqual([[1], [2]]);
  });

  it('a listen in a loop binds its correlation anew in each pass', () => {
    const body = [{ one: { listen: { to: { one: { with: { type: PAID }, correlate: { who: { from: '.data.who', expect: '${ $item }' } } } } }, output: { as: '.[0].who' } } }];
    const run = start([{ each: { for: { in: '["ada", "bob"]' }, do: body } }]);
    run.signal({ id: 'e1', data: { who: 'bob' } });
    expect(run.state.status).toBe('running');
    run.signal({ id: 'e2', data: { who: 'ada' } });
    expect(run.state).toMatchObject({ status: 'completed', output: 'bob' });
  });
});

describe('the key of a listen', () => {
  const keyOf = (filter: object, input: Json = {}): string => {
    const [wait] = effectsBetween(initialExecution, start([listen(filter)], input).state).park;
    return wait!.correlation!;
  };
  const event: Json = { type: PAID, subject: 's', data: { order: { id: 7 }, big: [{ no: 'lists' }] } };
  const finds = (filter: object, input: Json = {}): boolean => listenKeysOf(PAID, event)!.includes(keyOf(filter, input));

  it('is found by an event that has the type and the value it expects, and by no other', () => {
    const correlate = (from: string, expect: string): object => ({ with: { type: PAID }, correlate: { x: { from, expect } } });
    expect(finds(correlate('.data.order.id', '${ .id }'), { id: '7' })).toBe(true);
    expect(finds(correlate('${ .data.order.id }', '8'))).toBe(false);
    expect(finds(correlate('.subject', 's'))).toBe(true);
    expect(finds({ ...correlate('.subject', 's'), with: { type: 'other' } })).toBe(false);
  });

  it('is that of the type alone where no plain path correlates, and of everything without a type', () => {
    expect(finds({ with: { type: PAID } })).toBe(true);
    expect(finds({ with: { type: PAID }, correlate: { x: { from: '.data.order | .id', expect: '99' } } })).toBe(true);
    expect(finds({ with: { subject: 'other' } })).toBe(true);
    expect(finds({ with: { type: 'other' } })).toBe(false);
  });

  it('is not looked for in an event with too many values', () => {
    expect(listenKeysOf(PAID, { data: Object.fromEntries(Array.from({ length: EVENT_VALUES_MAX }, (_, n) => [`f${n}`, n])) })).toBeUndefined();
  });
});
