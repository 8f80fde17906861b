import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { Family, TOP } from '../child/family.testing.js';
import { decodeEvents, encodeEvents } from '../execution/event.codec.js';
import { foldExecution } from '../execution/execution.evolve.js';
import { initialExecution } from '../execution/execution.state.js';
import { running } from './running.testing.js';

const http = (name: string): object => ({ [name]: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } });
const map = (more: object = {}, task: object = {}): object => ({ each: { call: 'map', with: { in: '${ . }', workflow: { namespace: 'spec', name: 'one' }, ...more }, ...task } });
const double = [{ twice: { set: '${ . * 2 }' } }];
const picky = [
  { choose: { switch: [{ bad: { when: '. == 3', then: 'no' } }, { good: { then: 'yes' } }] } },
  { no: { raise: { error: { type: 'https://example.test/no', status: 400 } } } },
  { yes: { set: '${ . }' } },
];

describe('map', () => {
  it('runs a workflow for each item, and gives their outputs in the order of the items', () => {
    const family = new Family({ top: [map()], one: [http('work')] }).start(['a', 'b', 'c']).deliver();
    const [a, b, c] = family.children();
    expect([a, b, c].map((id) => family.state(id).input)).toEqual(['a', 'b', 'c']);
    for (const [child, output] of [
      [c, 'C'],
      [a, 'A'],
      [b, 'B'],
    ] as const) {
      family.complete(child!, '/do/0/work', output);
      family.deliver();
    }
    expect(family.state()).toMatchObject({ status: 'completed', output: ['A', 'B', 'C'] });
  });

  it('runs as many at the same time as it may', () => {
    const family = new Family({ top: [map({ concurrency: 2 })], one: [http('work')] }).start([0, 1, 2, 3, 4]).deliver();
    const running = (): readonly string[] => family.children().filter((id) => family.state(id).status === 'running');
    for (let left = 5; left > 0; left--) {
      expect(running()).toHaveLength(Math.min(2, left));
      family.complete(running()[0]!, '/do/0/work', left);
      family.deliver();
    }
    expect(family.state().output).toEqual([5, 4, 3, 2, 1]);
  });

  it.each([[[]], [null]])('of %j gives an empty list', (input) => {
    expect(new Family({ top: [map()], one: double }).start(input).state()).toMatchObject({ status: 'completed', output: [] });
  });

  it('fails with the first item that fails, and cancels the others', () => {
    const family = new Family({ top: [map({ concurrency: 4 })], one: [http('work')] }).start([1, 2, 3, 4]).deliver();
    family.fail(family.children()[1]!, '/do/0/work');
    family.deliver();
    expect(family.state()).toMatchObject({ status: 'faulted', error: { title: 'timeout', instance: '/do/0/each', causes: [{ instance: '/do/0/work' }] } });
    expect(family.children().map((id) => family.state(id).status)).toEqual(['cancelled', 'faulted', 'cancelled', 'cancelled']);
  });

  it('that collects says of each item what became of it', () => {
    const family = new Family({ top: [map({ onError: 'collect', concurrency: 1 })], one: picky }).start([2, 3, 4]).deliver();
    expect(family.state().output).toEqual([{ output: 2 }, { error: expect.objectContaining({ type: 'https://example.test/no', status: 400 }) as unknown }, { output: 4 }]);
  });

  it('that is retried runs only the items that have not completed', () => {
    const careful = { careful: { try: [map({ concurrency: 3 })], catch: { errors: {}, retry: { limit: { attempt: { count: 1 } } } } } };
    const family = new Family({ top: [careful], one: [http('work')] }).start([1, 2, 3]).deliver();
    const [one, two, three] = family.children();
    family.complete(one!, '/do/0/work', 'one');
    family.deliver();
    family.fail(two!, '/do/0/work');
    family.deliver();
    const again = family.children().slice(3);
    expect(again).toHaveLength(2);
    expect(family.state(three).status).toBe('cancelled');
    expect(Object.keys(family.state().children ?? {})).toEqual(expect.arrayContaining([one, ...again]));
  });

  it('goes on with the items that had not ended when its execution is retried', () => {
    const beside = [{ both: { fork: { branches: [map({ concurrency: 2 }), http('other')] } } }];
    const family = new Family({ top: beside, one: [http('work')] }).start([1, 2, 3]).deliver();
    family.complete(family.children()[0]!, '/do/0/work', 'first');
    family.deliver();
    family.fail(TOP, '/do/0/both/fork/branches/1/other');
    family.deliver();
    family.operate(TOP, 'retry');
    family.deliver();
    for (;;) {
      const open = family.children().find((id) => family.state(id).status === 'running');
      if (!open) break;
      family.complete(open, '/do/0/work', family.state(open).input);
      family.deliver();
    }
    family.complete(TOP, '/do/0/both/fork/branches/1/other', 'other');
    expect(family.state().output).toEqual([['first', 2, 3], 'other']);
  });

  it('holds what its items end with while its execution is suspended', () => {
    const family = new Family({ top: [map({ concurrency: 2 })], one: [http('work')] }).start([1, 2, 3]).deliver();
    family.operate(TOP, 'pause');
    for (const child of family.children()) family.complete(child, '/do/0/work', 'x');
    family.deliver();
    expect(family.children()).toHaveLength(2);
    family.operate(TOP, 'resume');
    family.deliver();
    expect(family.children()).toHaveLength(3);
    family.complete(family.children()[2]!, '/do/0/work', 'y');
    family.deliver();
    expect(family.state().output).toEqual(['x', 'x', 'y']);
  });

  it.each<[object, string]>([
    [{ in: '${ 7 }' }, '`in` to give a list'],
    [{ workflow: '${ {} }' }, '`workflow` to have'],
    [{ concurrency: '${ 0 }' }, '`concurrency` to be an integer from 1 to 1000'],
    [{ onError: '${ "ignore" }' }, '`onError` to be `fail` or `collect`'],
  ])('refuses what an expression gives for %j', (more, said) => {
    const { error } = running({ do: [map(more)] }, [1]).start().state;
    expect(error).toMatchObject({ title: 'input-invalid', instance: '/do/0/each', detail: expect.stringContaining(said) as unknown });
  });

  it('of ten thousand items keeps each event small and each decision cheap', () => {
    const items = Array.from({ length: 10_000 }, (_, n): Json => ({ n }));
    const family = new Family({ top: [map({ concurrency: 50 })] }).start(items);
    // A decision that copied what has come of all items before it would make this take minutes.
    for (let child = first(family); child; child = first(family)) {
      family.give(TOP, { type: 'EndChild', tenant: 'default', child: child.id, status: 'completed', output: items[child.item!]!, taint: [] });
    }
    const { rows, state } = family.members.get(TOP)!;
    expect(state).toMatchObject({ status: 'completed', output: items });
    const sizes = rows.slice(1, -1).map((events) => JSON.stringify(encodeEvents(events, TOP)).length);
    expect(Math.max(...sizes)).toBeLessThan(600);
    const refolded = rows.map((events) => decodeEvents(encodeEvents(events, TOP), TOP)).reduce(foldExecution, initialExecution);
    expect(refolded.output).toEqual(items);
  });
});

const first = (family: Family) => Object.values(family.state().children ?? {})[0];

describe('a map whose items end while its execution is suspended', () => {
  it.each([
    ['fails before', 0],
    ['fails after', 1],
  ])('fails where one of the last two %s the other completes', (_order, failing) => {
    const family = new Family({ top: [map()], one: [http('work')] }).start(['a', 'b']).deliver();
    family.operate(TOP, 'pause');
    family.children().forEach((id, index) => {
      if (index === failing) family.fail(id, '/do/0/work');
      else family.complete(id, '/do/0/work', index);
      family.deliver();
    });
    family.operate(TOP, 'resume');
    expect(family.state()).toMatchObject({ status: 'faulted', error: { instance: '/do/0/each' } });
  });

  it('completes once, also where an extension runs after it', () => {
    const after = [{ rest: { wait: 'PT1S' } }];
    const run = running({ use: { extensions: [{ rested: { extend: 'call', after } }] }, do: [map()] }, ['a', 'b']).start();
    const operate = (operation: 'pause' | 'resume') => run.accept({ type: 'OperateExecution', tenant: 'default', operation, id: operation, by: 'user:eva', reason: '' });
    operate('pause');
    for (const child of Object.keys(run.state.children!)) run.accept({ type: 'EndChild', tenant: 'default', child, status: 'completed', output: 1, taint: [] });
    operate('resume');
    expect(run.state.status).toBe('running');
    run.fireTimer();
    expect(run.state).toMatchObject({ status: 'completed', output: [1, 1] });
  });
});
