import { describe, expect, it } from 'vitest';
import type { Operation } from '../execution/operation.js';
import { running, type Running } from './running.testing.js';

const http = { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } };
const log = (what: string): object => ({ [what]: http });
const LOST = { code: 'http-status', message: 'It is away.', retryable: true, details: { status: 503 } };

function extended(extensions: readonly object[], tasks: readonly object[], input: unknown = {}): Running {
  return running({ use: { extensions }, do: tasks }, input as never).start();
}

/** Answers each job with its own key, and lists them in their order. */
function carriedOut(run: Running): readonly string[] {
  const done: string[] = [];
  for (let [key] = run.jobs(); key !== undefined; [key] = run.jobs()) {
    done.push(key);
    run.complete(key, key);
  }
  return done;
}

function operate(run: Running, operation: Operation): void {
  run.accept({ type: 'OperateExecution', tenant: 'default', operation, id: operation, by: 'key:k1', reason: '' });
}

describe('an extension', () => {
  it('runs before and after each task of its type, in the order of the list, and changes neither its input nor its output', () => {
    const run = extended(
      [{ one: { extend: 'set', before: [log('a')], after: [log('b')] } }, { two: { extend: 'all', before: [log('c')], after: [log('d')] } }, { three: { extend: 'call', before: [log('e')] } }],
      [{ work: { set: { n: '${ .n + 1 }' } } }],
      { n: 1 },
    );
    expect(carriedOut(run)).toEqual(['/do/0/work/before/one/0/a', '/do/0/work/before/two/0/c', '/do/0/work/after/one/0/b', '/do/0/work/after/two/0/d']);
    expect(run.state.output).toEqual({ n: 2 });
  });

  it('reaches tasks at every depth, also those of functions, but not its own', () => {
    const use = { extensions: [{ logging: { extend: 'set', before: [log('a')] } }], functions: { f: { do: [{ inner: { set: 1 } }] } } };
    const run = running({ use, do: [{ outer: { do: [{ x: { set: 1 } }] } }, { call: { call: 'f' } }] }, {}).start();
    expect(carriedOut(run)).toEqual(['/do/0/outer/do/0/x/before/logging/0/a', '/do/1/call/call/f/do/0/inner/before/logging/0/a']);
    const own = extended([{ own: { extend: 'set', before: [{ mark: { set: 1 } }] } }], [{ work: { set: 2 } }]);
    expect(own.state.output).toBe(2);
  });

  it('applies where `when` holds, which sees the task that it extends', () => {
    const when = '$task.call == "http" and ($task.with.endpoint | startswith("https://mocked"))';
    const intercept = [{ answer: { set: { statusCode: 200 }, then: 'exit' } }];
    const to = (endpoint: string): object => ({ load: { call: 'http', with: { method: 'get', endpoint }, output: { as: '{ got: . }' } } });
    expect(extended([{ mock: { extend: 'call', when, before: intercept } }], [to('https://mocked.test')]).state.output).toEqual({ got: { statusCode: 200 } });
    expect(extended([{ mock: { extend: 'call', when, before: intercept } }], [to('https://example.test')]).jobs()).toEqual(['/do/0/load']);
  });

  it('skips the task by `exit` in `before`, and what would still come before or after it', () => {
    const mock = { mock: { extend: 'call', before: [{ answer: { set: { mocked: true }, then: 'exit' } }], after: [log('a')] } };
    const run = extended([mock, { other: { extend: 'call', before: [log('b')], after: [log('c')] } }], [{ load: { ...http, export: { as: '.' } } }, { next: { set: '${ [., $context] }' } }]);
    expect(run.state.output).toEqual([{ mocked: true }, { mocked: true }]);
  });

  it('gives its tasks the extended task as `$task`, its input before it and its result after it', () => {
    const seen = (name: string): object => ({
      [name]: { set: '${ { task: $task.name, reference: $task.reference, of: $task.input, data: . } }', export: { as: '$context + { NAME: . }'.replace('NAME', name) } },
    });
    const run = extended([{ look: { extend: 'call', before: [seen('first')], after: [seen('last')] } }], [{ load: { ...http, input: { from: '{ n: .n }' } } }, { all: { set: '${ $context }' } }], {
      n: 1,
      more: 2,
    });
    run.complete('/do/0/load', 'loaded');
    const about = { task: 'load', reference: '/do/0/load', of: { n: 1 } };
    expect(run.state.output).toEqual({ first: { ...about, data: { n: 1 } }, last: { ...about, data: 'loaded' } });
  });

  it('fails the task with what fails in it: caught around the task, never by a `try` that it extends', () => {
    const guarded = { inner: { try: [{ x: { set: 1 } }], catch: { do: [{ no: { set: 'inner' } }] } } };
    const run = extended([{ e: { extend: 'try', when: '$task.name == "inner"', before: [log('a')] } }], [{ outer: { try: [guarded], catch: { do: [{ yes: { set: 'outer' } }] } } }]);
    run.fail('/do/0/outer/try/0/inner/before/e/0/a', LOST);
    expect(run.state.output).toBe('outer');
  });

  it('leaves the case of a `switch`, the passes of a `for` and the branches of a `fork` as they are', () => {
    const around = [{ e: { extend: 'all', when: '$task.name | test("choose|each|both")', before: [{ b: { set: 'b' } }], after: [{ a: { set: 'a' } }] } }];
    const tasks = [
      { choose: { switch: [{ yes: { then: 'each' } }] } },
      { never: { set: 'never' } },
      { each: { for: { in: '[1, 2]' }, do: [{ add: { set: '${ . + $item }' } }] } },
      { both: { fork: { branches: [{ x: { set: '${ . }' } }, { y: { set: '${ . * 2 }' } }] } } },
    ];
    expect(extended(around, tasks, 0).state.output).toEqual([3, 6]);
  });

  it('goes on where it was when the execution is suspended, and begins anew when its task is retried', () => {
    const run = extended([{ e: { extend: 'call', before: [log('a')], after: [log('b')] } }], [{ load: http }]);
    operate(run, 'pause');
    run.complete('/do/0/load/before/e/0/a', 1);
    operate(run, 'resume');
    run.complete('/do/0/load', 'loaded');
    run.fail('/do/0/load/after/e/0/b', LOST, 'failed');
    expect(run.state.status).toBe('faulted');
    operate(run, 'retry');
    expect(run.jobs()).toEqual(['/do/0/load/after/e/0/b']);
    run.complete('/do/0/load/after/e/0/b', 2);
    expect(run.state.output).toBe('loaded');
  });

  it('is no cost to a document that has none', () => {
    const run = running({ do: [{ a: { set: 1 } }] }, {}).start();
    expect(run.rows[0]!.map(({ type }) => type)).toEqual(['ExecutionStarted', 'TaskEntered', 'TaskCompleted', 'ExecutionCompleted']);
  });
});
