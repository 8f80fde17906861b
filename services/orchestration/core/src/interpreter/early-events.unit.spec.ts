import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { subscriptionsBetween } from '../execution/effects-between.js';
import { initialExecution, SIGNALS_KEPT_MAX } from '../execution/execution.state.js';
import { RECEIVED_PART, RECEIVED_PARTS_MAX } from '../signal/received.js';
import { running, type Running } from './running.testing.js';

const http = (name: string): object => ({ [name]: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } });
const listen = (name: string, filter: object): object => ({ [name]: { listen: { to: { one: filter } } } });
const byOrder = (expect: string | undefined = '${ $workflow.input.order }', type = 'paid'): object => ({
  with: { type },
  correlate: { order: { from: '.data.order', ...(expect === undefined ? {} : { expect }) } },
});
const start = (filter: object, input: Json = { order: 7 }, after: readonly object[] = []): Running => running({ do: [http('first'), listen('paid', filter), ...after] }, input).start();
const found = (run: Running, id: string, order: Json, type = 'paid'): string => run.signal({ id, type, data: { order, id } }, true).kind;
const taken = (run: Running): unknown => (run.complete('/do/0/first', {}), run.state.output);

describe('an event that comes before its listen is reached', () => {
  it('is kept by the execution that its value is for, and by no other', () => {
    const run = start(byOrder());
    expect([found(run, 'e1', 8), found(run, 'e2', '7'), found(run, 'e2', '7')]).toEqual(['ignored', 'accepted', 'ignored']);
    expect(taken(run)).toEqual([{ order: '7', id: 'e2' }]);
  });

  it('is found by its type alone where the value is not known at the start, and judged when it is', () => {
    const run = start(byOrder('${ .got }'));
    for (const order of [1, 2, 3]) found(run, `e${order}`, order);
    expect(found(run, 'x', 2, 'other')).toBe('ignored');
    run.complete('/do/0/first', { got: 2 });
    expect(run.state.output).toEqual([{ order: 2, id: 'e2' }]);
  });

  it('of the right type alone is kept until a listen for that type is reached, and makes no room', () => {
    const run = start(byOrder('${ .got }'), {}, [http('after')]);
    const many = Array.from({ length: SIGNALS_KEPT_MAX + 1 }, (_, n) => found(run, `e${n}`, n));
    expect(many.lastIndexOf('accepted')).toBe(SIGNALS_KEPT_MAX - 1);
    run.complete('/do/0/first', { got: 'other' });
    expect(run.state.subscriptions).toEqual([]);
    expect(found(run, 'late', 1)).toBe('ignored');
  });

  it('is kept between two listens as well', () => {
    const run = start(byOrder(), { order: 7 }, [http('between'), listen('again', byOrder())]);
    run.complete('/do/0/first', {});
    found(run, 'e1', 7);
    expect(found(run, 'e2', 7)).toBe('accepted');
    run.complete('/do/2/between', {});
    expect(run.state).toMatchObject({ status: 'completed', output: [{ order: 7, id: 'e2' }] });
  });

  it("is nobody's where nothing is correlated: every execution would keep it", () => {
    const run = start({ with: { type: 'paid' } });
    expect(run.state.subscriptions).toBeUndefined();
    expect(found(run, 'e1', 7)).toBe('ignored');
  });

  it('makes room for newer ones, and takes none from events that were sent to the execution', () => {
    const run = start(byOrder());
    for (let n = 0; n <= SIGNALS_KEPT_MAX; n++) found(run, `e${n}`, 7);
    expect(Object.keys(run.state.signals)).toHaveLength(SIGNALS_KEPT_MAX);
    expect(run.signal({ id: 'sent', type: 'else' }).kind).toBe('accepted');
    expect(found(run, 'e0', 7)).toBe('ignored');
    expect(taken(run)).toEqual([{ order: 7, id: 'e1' }]);
  });

  it('is bounded by its size too', () => {
    const run = start(byOrder());
    const send = (id: string, size: number, isCorrelated: boolean): string => run.signal({ id, type: 'paid', data: { order: 7, much: 'x'.repeat(size) } }, isCorrelated).kind;
    expect([send('a', 3_000_000, true), send('b', 3_000_000, true), send('c', 5_000_000, true)]).toEqual(['accepted', 'accepted', 'rejected']);
    expect(Object.values(run.state.signals).map(({ id }) => id)).toEqual(['b']);
    expect([send('d', 3_000_000, false), send('e', 3_000_000, false)]).toEqual(['accepted', 'rejected']);
  });
});

describe('the subscriptions of an execution', () => {
  it('are there until it ends, and again when it is retried', () => {
    const run = start(byOrder());
    const begun = run.state;
    expect(subscriptionsBetween(initialExecution, begun)).toEqual({ subscribe: begun.subscriptions, unsubscribe: [] });
    run.fail('/do/0/first', { code: 'unreachable', message: 'gone', retryable: false });
    const faulted = run.state;
    expect(subscriptionsBetween(begun, faulted)).toEqual({ subscribe: [], unsubscribe: begun.subscriptions });
    run.accept({ type: 'OperateExecution', tenant: 'default', operation: 'retry', id: 'r1', by: 'user:eva', reason: '' });
    expect(subscriptionsBetween(faulted, run.state)).toEqual({ subscribe: begun.subscriptions, unsubscribe: [] });
  });

  it('leave out what cannot be evaluated from the input', () => {
    expect(start(byOrder('${ $workflow.input.a.b }'), 'text').state.subscriptions).toBeUndefined();
  });
});

describe('the events that an execution has had', () => {
  it('are remembered in parts, so that a long loop copies little; about five thousand of them', () => {
    const run = running({ do: [{ hear: { listen: { to: { any: [{ with: { type: 'x' } }], until: 'false' } } } }] }, {}).start();
    const send = (n: number): string => run.signal({ id: `e${n}`, type: 'x' }).kind;
    const total = RECEIVED_PART * (RECEIVED_PARTS_MAX + 2);
    for (let n = 0; n < total; n++) send(n);
    expect(Object.keys(run.state.received).length).toBeLessThanOrEqual(RECEIVED_PART);
    expect(run.state.receivedBefore).toHaveLength(RECEIVED_PARTS_MAX);
    expect([send(total - 1), send(total - RECEIVED_PART * RECEIVED_PARTS_MAX)]).toEqual(['ignored', 'ignored']);
    expect(send(0)).toBe('accepted');
  });
});
