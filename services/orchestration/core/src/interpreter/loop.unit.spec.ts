import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { TASKS_ENTERED_MAX } from '../execution/execution.state.js';
import { running, type Running } from './running.testing.js';

const http = (name: string, more: object = {}): object => ({ [name]: { call: 'http', with: { method: 'post', endpoint: 'https://example.test', body: '${ . }' }, ...more } });
const loop = (given: object, body: readonly object[], more: object = {}): object => ({ each: { for: given, do: body, ...more } });
const start = (tasks: readonly object[], input: Json = {}): Running => running({ do: tasks }, input).start();

describe('for', () => {
  it('threads the output of each pass to the next, with item and index bound', () => {
    const run = start([loop({ each: 'n', in: '.list', at: 'i' }, [{ add: { set: { sum: '${ (.sum // 0) + $n * ($i + 1) }' } } }])], { list: [5, 6, 7] });
    expect(run.state.output).toEqual({ sum: 5 + 12 + 21 });
    expect(run.decisions).toBe(1);
  });

  it('calls item and index `item` and `index` unless told otherwise', () => {
    expect(start([loop({ in: '["a"]' }, [{ x: { set: { got: '${ [$item, $index] }' } } }])]).state.output).toEqual({ got: ['a', 0] });
  });

  it('may call them what every object knows, and a catch its error', () => {
    const named = (each: string, at: string): unknown => start([loop({ each, in: '["a"]', at }, [{ x: { set: { got: `\${ [$${each}, $${at}] }` } } }])]).state.output;
    expect(named('constructor', 'toString')).toEqual({ got: ['a', 0] });
    expect(named('valueOf', '__proto__')).toEqual({ got: ['a', 0] });
    const failing = { fail: { raise: { error: { type: 'https://example.test/no', status: 500, title: 'no' } } } };
    expect(start([{ guard: { try: [failing], catch: { as: 'constructor', do: [{ x: { set: { got: '${ $constructor.title }' } } }] } } }]).state.output).toEqual({ got: 'no' });
  });

  it.each([
    ['an empty list', '[]'],
    ['null', '.missing'],
  ])('gives its input for %s', (_what, list) => {
    const run = start([loop({ in: list }, [http('never')]), { after: { set: '${ . }' } }], { raw: true });
    expect(run.state.output).toEqual({ raw: true });
  });

  it('raises a validation error for what is no list', () => {
    expect(start([loop({ in: '.raw' }, [http('never')])], { raw: 'text' }).state).toMatchObject({ status: 'faulted', error: { title: 'input-invalid', instance: '/do/0/each' } });
  });

  it('evaluates `in` once, and stores the list once', () => {
    const run = start([loop({ in: '.list' }, [{ x: { set: { list: ['changed'] } } }, http('call')])], { list: ['marked-1', 'marked-2'] });
    run.complete('/do/0/each/do/1/call#2[0]', { list: [] });
    expect(run.jobs()).toEqual(['/do/0/each/do/1/call#2[1]']);
    expect(JSON.stringify(run.rows).match(/marked-2/g)).toHaveLength(2);
    run.complete('/do/0/each/do/1/call#2[1]', 'end');
    expect(run.state.output).toBe('end');
  });

  it('tests `while` before each pass, with item and index of that pass; it alone ends the loop', () => {
    const run = start([loop({ in: '[1, 2, 3, 1]', at: 'i' }, [{ x: { set: { last: '${ [$item, $i] }' } } }], { while: '$item < 3 and $i < 9' })]);
    expect(run.state.output).toEqual({ last: [2, 1] });
    expect(start([loop({ in: '[3]' }, [http('never')], { while: '$item < 3' })], { raw: true }).state.output).toEqual({ raw: true });
  });

  it('gives each pass job ids, and so idempotency keys, of its own', () => {
    const run = start([loop({ in: '[1, 2]' }, [http('call')])]);
    expect(run.jobs()).toEqual(['/do/0/each/do/0/call#2[0]']);
    run.complete('/do/0/each/do/0/call#2[0]', 1);
    expect(run.jobs()).toEqual(['/do/0/each/do/0/call#2[1]']);
    expect(run.state.activations['/do/0/each/do/0/call#2[1]']).toMatchObject({ pointer: '/do/0/each/do/0/call', iteration: '2[1]' });
  });

  it('keeps apart passes of a loop in a loop, and jumps back inside a pass', () => {
    const again = { more: { switch: [{ yes: { when: '.n < 2', then: 'call' } }, { no: { then: 'continue' } }] } };
    const run = start([loop({ each: 'x', in: '[1, 2]' }, [{ inner: { for: { each: 'y', in: '[$x]' }, do: [http('call'), again] } }])]);
    const seen: string[] = [];
    for (let n = 1; run.state.status === 'running'; n = n === 1 ? 2 : 1) {
      const [key] = run.jobs();
      seen.push(key!.split('#')[1]!);
      run.complete(key!, { n });
    }
    expect(seen).toEqual(['2[0],3[0]', '2[0],3[0],3.call:1', '2[1],3[0]', '2[1],3[0],3.call:1']);
  });

  it('entered again by a jump back goes through its list anew, under other keys', () => {
    const run = start([loop({ in: '[1]' }, [http('call')]), { more: { switch: [{ yes: { when: '.n < 2', then: 'each' } }, { no: { then: 'end' } }] } }]);
    run.complete('/do/0/each/do/0/call#2[0]', { n: 1 });
    expect(run.jobs()).toEqual(['/do/0/each/do/0/call#1.each:1,2[0]']);
  });

  it('shows the variables of an outer loop inside an inner one, and the inner ones where names are the same', () => {
    const run = start([loop({ each: 'x', in: '[7]' }, [{ inner: { for: { in: '["a"]' }, do: [{ s: { set: { got: '${ [$x, $item, $index] }' } } }] } }])]);
    expect(run.state.output).toEqual({ got: [7, 'a', 0] });
    const same = start([loop({ in: '["outer"]' }, [{ inner: { for: { in: '["inner"]' }, do: [{ s: { if: '$item == "inner"', input: { from: '$item' }, set: '${ [., $item] }' } }] } }])]);
    expect(same.state.output).toEqual(['inner', 'inner']);
  });

  it('exit leaves the pass, end the workflow', () => {
    const body = (then: string): readonly object[] => [{ x: { set: { at: '${ $index }' }, then } }, http('never')];
    expect(start([loop({ in: '[1, 2]' }, body('exit')), { after: { set: { after: '${ .at }' } } }]).state.output).toEqual({ after: 1 });
    expect(start([loop({ in: '[1, 2]' }, body('end')), http('never')]).state.output).toEqual({ at: 0 });
  });

  it('lets an error go up, and a retry around it begins the list anew under the same keys', () => {
    const run = start([{ guarded: { try: [loop({ in: '[1, 2]' }, [http('call')])], catch: { retry: { limit: { attempt: { count: 1 } } } } } }]);
    const key = (pass: number): string => `/do/0/guarded/try/0/each/do/0/call#3[${pass}]`;
    run.complete(key(0), 1);
    run.fail(key(1), { code: 'timeout', message: 'late', retryable: true });
    expect(run.jobs()).toEqual([key(0)]);
  });

  it('runs the branches of a fork in each pass', () => {
    const run = start([loop({ in: '[1, 2]' }, [{ both: { fork: { branches: [http('a', { output: { as: '[$item, .]' } }), http('b')] } } }])]);
    for (const pass of [0, 1]) {
      for (const [branch, name] of ['a', 'b'].entries()) run.complete(`/do/0/each/do/0/both/fork/branches/${branch}/${name}#2[${pass}]`, name);
    }
    expect(run.state.output).toEqual([[2, 'a'], 'b']);
  });

  it('ends with an error when it goes round for ever, also when it enters no task', () => {
    const run = start(
      [loop({ in: '.' }, [{ no: { if: 'false', set: { a: 1 } } }])],
      Array.from({ length: TASKS_ENTERED_MAX + 2 }, () => 0),
    );
    run.goOn();
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'too-many-tasks' } });
  });

  it('folds to the same state', () => {
    const run = start([loop({ in: '[1, 2]' }, [http('call')])]);
    run.complete('/do/0/each/do/0/call#2[0]', 1);
    expect(run.refold((events) => events)).toEqual(run.state);
  });
});
