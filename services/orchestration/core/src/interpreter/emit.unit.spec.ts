import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { releaseWith } from '../upgrade/engine-flags.js';
import { HOPS_MAX } from './emit.js';
import { decidedBy, running, type Running } from './running.testing.js';

const ID = '00000000-0000-7000-8000-000000000001';
const emit = (event: object, more: object = {}): object => ({ tell: { emit: { event: { with: event } }, ...more } });
const start = (event: object, input: Json = {}): Running => running({ do: [emit(event)] }, input).start();
const told = (run: Running) => run.announcements().flatMap((announcement) => (announcement.to === 'lifecycle' && announcement.emitted ? [announcement] : []));

describe('emit', () => {
  it('gives the whole event as it is published, with what its author left out', () => {
    const run = start({ type: 'order.placed', data: { n: '${ .n }' } }, { n: 3 });
    const whole = { specversion: '1.0', id: `${ID}/do/0/tell`, source: '/workflows/test/flow', time: '1970-01-01T00:16:40.000Z', type: 'order.placed', data: { n: 3 } };
    expect(run.state.output).toEqual(whole);
    expect(told(run)).toEqual([{ to: 'lifecycle', id: whole.id, type: 'order.placed', data: { n: 3 }, emitted: { event: whole, hops: 1 } }]);
  });

  it('takes every attribute from an expression, extensions among them, and leaves out what is null', () => {
    const event = { id: '${ .id }', source: '${ .from }', type: '${ "a." + .id }', subject: '${ .none }', time: '2026-01-02T03:04:05Z', priority: '${ 7 }', data: '${ .none }' };
    expect(start(event, { id: 'e1', from: 'https://s.test' }).state.output).toEqual({
      specversion: '1.0',
      id: 'e1',
      source: 'https://s.test',
      type: 'a.e1',
      time: '2026-01-02T03:04:05Z',
      priority: 7,
      data: null,
    });
  });

  it('raises a validation error for what is no attribute of an event', () => {
    const problem = (event: object): unknown => (start(event).state.error as { readonly detail?: string }).detail;
    expect(start({ type: '${ 7 }' }).state).toMatchObject({ status: 'faulted', error: { title: 'input-invalid', instance: '/do/0/tell' } });
    expect(problem({ type: '${ 7 }' })).toBe('Expected the type of an emitted event to be a text but found 7.');
    expect(problem({ type: 'x', region: '${ [1] }' })).toContain('Expected the attribute region of an emitted event to be a text, a number or a boolean but found [1]');
  });

  it('is the same event when a retried try emits it again', () => {
    const call = { after: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } };
    const again = { guard: { try: [emit({ type: 'x' }), call], catch: { errors: {}, retry: { limit: { attempt: { count: 1 } } } } } };
    const run = running({ do: [again] }, {}).start();
    run.fail('/do/0/guard/try/1/after', { code: 'unreachable', message: 'gone', retryable: false });
    expect(told(run).map(({ id }) => id)).toEqual([`${ID}/do/0/guard/try/0/tell`, `${ID}/do/0/guard/try/0/tell`]);
  });

  it('of an execution that began before whole events is what its author gave, and reaches nobody by itself', () => {
    const run = decidedBy(releaseWith([]), () => start({ type: 'x', data: 1 }));
    expect(run.state.output).toEqual({ type: 'x', data: 1 });
    expect(told(run)).toEqual([]);
  });
});

describe('events that follow from events', () => {
  const heard = (hops: number): Running => {
    const run = running({ do: [{ hear: { listen: { to: { one: { with: { type: 'ping' } } } } } }, emit({ type: 'pong' })] }, {}).start();
    run.accept({ type: 'ReceiveSignal', tenant: 'default', source: '/a', id: 'e', eventType: 'ping', event: { type: 'ping' }, taint: [], isCorrelated: true, hops });
    return run;
  };

  it('count how many executions followed each other', () => {
    expect(told(heard(4)).map(({ emitted }) => emitted!.hops)).toEqual([5]);
  });

  it('end with an error before they go on for ever', () => {
    expect(heard(HOPS_MAX - 1).state.status).toBe('completed');
    const last = heard(HOPS_MAX);
    expect(last.state).toMatchObject({ status: 'faulted', error: { title: 'too-many-hops', instance: '/do/1/tell' } });
    expect(told(last)).toEqual([]);
  });
});
