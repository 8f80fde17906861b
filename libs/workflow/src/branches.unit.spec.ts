// Loops, forks and listens as publish checks them.
import { describe, expect, it } from 'vitest';
import { messagesOf, read, withTasks } from './documents.testing.js';
import { indexTasks } from './task-index.js';

const one = (task: object): readonly string[] => messagesOf(withTasks([{ a: task as never }, { z: { set: { y: 1 } } }]));
const body = [{ b: { set: { c: 1 } } }];
const listen = (to: object, more: object = {}): object => ({ listen: { to, ...more } });

describe('a `for`', () => {
  it('needs its list and its body', () => {
    expect(one({ for: {}, do: body })).toEqual(['Expected `in` in /do/0/a/for but it is missing']);
    expect(one({ for: { in: '.x' } })).toEqual(['Expected `do` in the `for` task /do/0/a but it is missing']);
  });

  it('shows item and index to its body and to `while`, and nowhere else', () => {
    expect(one({ for: { each: 'pet', in: '$pet' }, do: body })).toEqual([expect.stringContaining('/do/0/a/for/in')]);
    expect(one({ for: { each: 'pet', in: '.x' }, while: '$pet and $index', do: [{ b: { set: { c: '${ $item }' } } }] })).toEqual([expect.stringContaining('/do/0/a/do/0/b/set/c')]);
    expect(one({ for: { in: '.x' }, do: body, output: { as: '$item' } })).toEqual([expect.stringContaining('/do/0/a/output/as')]);
  });

  it('has two variables that are nobody else', () => {
    expect(one({ for: { in: '.x', each: 'context' }, do: body })).toEqual([expect.stringContaining('at /do/0/a/for/each but found `context`')]);
    expect(one({ for: { in: '.x', each: 'n', at: 'n' }, do: body })).toEqual(['Expected names that differ for the item and its index at /do/0/a/for but both are `n`']);
    expect(one({ for: { in: '.x', at: 'a b' }, do: body })).toEqual(['Expected the name of a variable: letters, digits and underscores at /do/0/a/for/at but found "a b"']);
  });

  it('jumps within its own list only', () => {
    expect(one({ for: { in: '.x' }, do: [{ b: { set: { c: 1 }, then: 'z' } }] })).toEqual([expect.stringContaining('a task of the same list (`b`) at /do/0/a/do/0/b/then')]);
  });
});

describe('a `fork`', () => {
  it('has at least one branch, each a task', () => {
    expect(one({ fork: { branches: [] } })).toEqual(['Expected a list of at least one task at /do/0/a/fork/branches but found an empty list']);
    expect(one({ fork: { branches: [{ b: { runn: {} } }] } })).toEqual([expect.stringContaining('/do/0/a/fork/branches/0/b has only `runn`')]);
    expect(one({ fork: { branches: body, compete: 'yes' } })).toEqual(['Expected true or false at /do/0/a/fork/compete but found "yes"']);
  });

  it('does not jump from one branch to another, nor out of the fork', () => {
    for (const then of ['c', 'z']) {
      const branches = [{ b: { set: { x: 1 }, then } }, { c: { set: { x: 1 } } }];
      expect(one({ fork: { branches } })).toEqual([`Expected \`continue\`, \`exit\`, \`end\` at /do/0/a/fork/branches/0/b/then, as the branches of a fork run at the same time, but found "${then}"`]);
    }
    expect(one({ fork: { branches: [{ b: { switch: [{ x: { then: 'c' } }] } }, { c: { set: { x: 1 } } }] } })).toHaveLength(1);
  });
});

describe('a `listen`', () => {
  it('listens by one strategy, and `until` ends only one that takes any', () => {
    expect(one(listen({}))).toEqual(['Expected exactly one of `all`, `any`, `one` in /do/0/a/listen/to but found none of them']);
    expect(one(listen({ one: { with: { type: 'x' } }, all: [] }))[0]).toBe('Expected exactly one of `all`, `any`, `one` in /do/0/a/listen/to but found several');
    expect(one(listen({ one: { with: { type: 'x' } }, until: '.x' }))).toEqual(['Expected `any` in /do/0/a/listen/to beside `until` but it is missing']);
    expect(one(listen({ one: { with: { type: 'x' } } }, { read: 'all' }))).toEqual(['Expected `data`, `envelope` or `raw` at /do/0/a/listen/read but found "all"']);
  });

  it('says what the event must have', () => {
    expect(one(listen({ one: {} }))).toEqual(['Expected `with` in /do/0/a/listen/to/one but it is missing']);
    expect(one(listen({ one: { with: {} } }))).toEqual(['Expected the attributes that an event must have at /do/0/a/listen/to/one/with but found an empty object']);
    expect(one(listen({ one: { with: { type: 'x', data: '${ .a | }' } } }))).toEqual([expect.stringContaining('/do/0/a/listen/to/one/with/data')]);
  });

  it('correlates by an expression on the event, with a text or an expression as what it expects', () => {
    const correlate = (correlation: object): readonly string[] => one(listen({ one: { with: { type: 'x' }, correlate: { order: correlation } } }));
    expect(correlate({ expect: 'x' })).toEqual(['Expected `from` in /do/0/a/listen/to/one/correlate/order but it is missing']);
    expect(correlate({ from: '.a |' })).toEqual([expect.stringContaining('/do/0/a/listen/to/one/correlate/order/from')]);
    expect(correlate({ from: '.a', expect: '${ $nobody }' })).toEqual([expect.stringContaining('/do/0/a/listen/to/one/correlate/order/expect')]);
    expect(correlate({ from: '.a', expect: 7 })).toEqual([expect.stringContaining('a text, or an expression')]);
  });
});

describe('the index of tasks', () => {
  it('has branches and bodies under the pointers of the conformance suite, with the variables they see', () => {
    const reading = read(withTasks([{ a: { for: { in: '.x', each: 'pet' }, do: [{ b: { fork: { branches: [{ c: { set: { d: 1 } } }] } } }] } }]));
    const index = indexTasks(reading.ok ? reading.workflow : expect.fail('the document is valid'));
    expect([...index.keys()]).toEqual(['/do/0/a', '/do/0/a/do/0/b', '/do/0/a/do/0/b/fork/branches/0/c']);
    expect(index.get('/do/0/a/do/0/b/fork/branches/0/c')).toMatchObject({ kind: 'set', isBranch: true, variables: ['pet', 'index'], parent: '/do/0/a/do/0/b' });
    expect(index.get('/do/0/a')).toMatchObject({ kind: 'for', isBranch: false, variables: [] });
  });
});
