import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { effectsBetween } from '../execution/effects-between.js';
import { ROOT } from '../execution/execution.state.js';
import { timelineOf } from '../timeline/timeline.js';
import { running, type Running } from './running.testing.js';

const http = (name: string, more: object = {}): object => ({ [name]: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' }, ...more } });
const fork = (branches: readonly object[], more: object = {}, common: object = {}): object => ({ all: { fork: { branches, ...more }, ...common } });
const at = (branch: number, name: string): string => `/do/0/all/fork/branches/${branch}/${name}`;
const FAILURE = { code: 'http-status', message: 'Expected status 2xx but got 503.', retryable: true };
const start = (tasks: readonly object[], input: Json = {}, more: object = {}): Running => running({ do: tasks, ...more }, input).start();
const kinds = (run: Running): readonly string[] => run.rows.at(-1)!.map(({ type }) => type);

describe('fork', () => {
  it('schedules the jobs of all branches in one decision, and dispatches them together', () => {
    const run = start([fork(Array.from({ length: 20 }, (_, branch) => http(`b${branch}`)))]);
    expect(run.decisions).toBe(1);
    expect(run.jobs()).toHaveLength(20);
    expect(effectsBetween(running({ do: [http('x')] }, {}).state, run.state).dispatch).toHaveLength(20);
    expect(new Set(Object.keys(run.state.jobs)).size).toBe(20);
  });

  it('gives a list in declared order, whatever the order in which the branches end', () => {
    const run = start([fork([http('a'), http('b'), http('c')]), { after: { set: { got: '${ . }' } } }]);
    run.complete(at(2, 'c'), 'third');
    run.complete(at(0, 'a'), 'first');
    expect(run.state.status).toBe('running');
    run.complete(at(1, 'b'), 'second');
    expect(run.state).toMatchObject({ status: 'completed', output: { got: ['first', 'second', 'third'] }, branches: {} });
    expect(kinds(run)).toEqual(['JobCompleted', 'TaskCompleted', 'BranchesJoined', 'TaskCompleted', 'TaskEntered', 'TaskCompleted', 'ExecutionCompleted']);
  });

  it('stores what a branch gave once: the join repeats nothing', () => {
    const run = start([fork([http('a'), http('b')]), http('after')]);
    run.complete(at(0, 'a'), 'marked');
    run.complete(at(1, 'b'), 'other');
    expect(JSON.stringify(run.rows).match(/marked/g)).toHaveLength(1);
    expect(run.state.activations[ROOT]?.value).toEqual(['marked', 'other']);
  });

  it('hands its transformed input to each branch, and takes output.as, export.as and then like any task', () => {
    const run = start(
      [
        fork(
          [{ a: { set: { n: '${ .n + 1 }' } } }, { b: { set: '${ $input }' } }],
          {},
          { input: { from: '{ n: .x }' }, output: { as: 'map(.n)' }, export: { as: '{ sum: ($output | add) }' }, then: 'last' },
        ),
        http('skipped'),
        { last: { set: '${ $context }' } },
      ],
      { x: 4 },
    );
    expect(run.state.output).toEqual({ sum: 9 });
  });

  it('ends at once when no branch waits', () => {
    const run = start([fork([{ a: { set: { n: 1 } } }, { b: { do: [{ c: { set: { n: 2 } } }] } }])]);
    expect(run.state).toMatchObject({ status: 'completed', output: [{ n: 1 }, { n: 2 }] });
    expect(run.decisions).toBe(1);
  });

  it('takes the input of a skipped branch for its output', () => {
    const run = start([fork([{ a: { if: 'false', set: { n: 1 } } }, { b: { set: { n: 2 } } }])], { raw: true });
    expect(run.state.output).toEqual([{ raw: true }, { n: 2 }]);
  });

  it('goes on in a branch while others wait, also inside another fork', () => {
    const inner = { fork: { branches: [http('x'), http('y')] } };
    const run = start([fork([{ a: { do: [http('one'), http('two')] } }, { b: inner }])]);
    run.complete(`${at(0, 'a')}/do/0/one`, 1);
    run.complete(`${at(1, 'b')}/fork/branches/1/y`, 'y');
    run.complete(`${at(1, 'b')}/fork/branches/0/x`, 'x');
    expect(run.jobs()).toEqual([`${at(0, 'a')}/do/1/two`]);
    run.complete(`${at(0, 'a')}/do/1/two`, 2);
    expect(run.state.output).toEqual([2, ['x', 'y']]);
  });

  it('folds to the same state, event by event and without payloads', () => {
    const run = start([fork([http('a', { export: { as: '{ a: . }' } }), http('b')])]);
    run.complete(at(0, 'a'), 1);
    expect(run.refold((events) => events)).toEqual(run.state);
    expect(Object.keys(run.state.jobs)).toHaveLength(1);
  });
});

describe('an error in a branch', () => {
  it('ends the fork: siblings are cancelled with what they waited for, and their late results are duplicates', () => {
    const run = start([
      fork([http('a'), { b: { wait: 'PT1H' } }, { c: { call: 'review', with: { title: 'x', subject: {} } } }, { d: { listen: { to: { one: { with: { type: 'x' } } } } } }, http('e')]),
    ]);
    const before = run.state;
    run.fail(at(0, 'a'), FAILURE);
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'http-status', instance: at(0, 'a') }, jobs: {}, timers: {}, reviews: {}, listens: {} });
    const { unpark, closeReviews } = effectsBetween(before, run.state);
    expect(unpark).toHaveLength(5);
    expect(closeReviews).toEqual(Object.keys(before.reviews));
    expect(run.command({ type: 'CompleteJob', job: run.jobId(at(4, 'e')), generation: 0, output: 1, taint: [] })).toEqual({ kind: 'ignored', reason: 'duplicate' });
  });

  it('raised while other branches are still to be entered enters none of them', () => {
    const raise = { a: { raise: { error: { type: 'https://example.test/errors/boom', status: 418 } } } };
    const run = start([{ guarded: { try: [fork([raise, http('b')])], catch: { do: [http('rescue')] } } }]);
    expect(run.jobs()).toEqual(['/do/0/guarded/catch/do/0/rescue']);
  });

  it('is caught around the fork, which drops every descendant', () => {
    const run = start([
      {
        guarded: {
          try: [fork([http('a'), { b: { do: [{ deep: { fork: { branches: [http('c'), { d: { wait: 'PT1H' } }] } } }] } }])],
          catch: { do: [{ rescue: { set: { by: '${ $error.instance }' } } }] },
        },
      },
    ]);
    run.fail('/do/0/guarded/try/0/all/fork/branches/0/a', FAILURE);
    expect(run.state).toMatchObject({ status: 'completed', output: { by: '/do/0/guarded/try/0/all/fork/branches/0/a' } });
  });

  it('lets a retry around the fork run all branches again, under the same keys', () => {
    const clause = { retry: { delay: { seconds: 1 }, limit: { attempt: { count: 1 } } } };
    const run = start([{ guarded: { try: [fork([http('a'), http('b')])], catch: clause } }]);
    const [a, b] = ['a', 'b'].map((name, branch) => `/do/0/guarded/try/0/all/fork/branches/${branch}/${name}`) as [string, string];
    run.complete(b, 'done');
    run.fail(a, FAILURE);
    expect(run.state).toMatchObject({ branches: {}, jobs: {} });
    run.fireTimer();
    expect(run.jobs()).toEqual([a, b]);
    run.complete(a, 1);
    run.complete(b, 2);
    expect(run.state.output).toEqual([1, 2]);
  });

  it('is retried at once without entering a branch twice', () => {
    const flaky = {
      a: {
        try: [{ x: { raise: { error: { type: 'https://example.test/errors/boom', status: 418 } } } }],
        catch: { retry: { limit: { attempt: { count: 2 } } }, do: [{ y: { set: { rescued: true } } }] },
      },
    };
    const run = start([fork([flaky, http('b')])]);
    expect(run.jobs()).toEqual([at(1, 'b')]);
    const whole = start([
      {
        guarded: {
          try: [fork([{ a: { raise: { error: { type: 'https://example.test/errors/boom', status: 418 } } } }, http('b')])],
          catch: { retry: { limit: { attempt: { count: 2 } } }, do: [http('c')] },
        },
      },
    ]);
    expect(whole.jobs()).toEqual(['/do/0/guarded/catch/do/0/c']);
  });

  it('caught inside its branch is no business of the others', () => {
    const run = start([fork([{ a: { try: [http('x')], catch: { do: [{ y: { set: { rescued: true } } }] } } }, http('b')])]);
    run.fail(`${at(0, 'a')}/try/0/x`, FAILURE);
    run.complete(at(1, 'b'), 2);
    expect(run.state.output).toEqual([{ rescued: true }, 2]);
  });

  it('of an expression names the branch', () => {
    const run = start([fork([http('a'), { b: { input: { from: '.x | error("no")' }, set: { n: 1 } } }])]);
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'expression-failed', instance: at(1, 'b') } });
  });
});

describe('competing branches', () => {
  const compete = { compete: true };

  it('the first success is the output, and cancels the rest', () => {
    const run = start([fork([http('a'), http('b'), { c: { wait: 'PT1H' } }], compete), http('after')]);
    run.fail(at(0, 'a'), FAILURE);
    expect(run.state.status).toBe('running');
    run.complete(at(1, 'b'), { won: true });
    expect(run.state).toMatchObject({ timers: {}, branches: {} });
    expect(run.state.activations[ROOT]?.value).toEqual({ won: true });
    expect(run.jobs()).toEqual(['/do/1/after']);
  });

  it('a late result of one that lost is a duplicate', () => {
    const run = start([fork([http('a'), http('b')], compete), http('after')]);
    run.complete(at(1, 'b'), 1);
    expect(run.command({ type: 'CompleteJob', job: run.jobId(at(0, 'a')), generation: 0, output: 1, taint: [] })).toEqual({ kind: 'ignored', reason: 'duplicate' });
  });

  it('that win at once leave the others unentered', () => {
    const run = start([fork([{ a: { set: { n: 1 } } }, http('b')], compete), { after: { set: '${ . }' } }]);
    expect(run.state.output).toEqual({ n: 1 });
    expect(JSON.stringify(run.rows)).not.toContain('/branches/1/b');
  });

  it('that all fail raise the last error, with the others as its causes', () => {
    const run = start([
      { guarded: { try: [fork([http('a'), http('b')], compete)], catch: { do: [{ told: { set: { last: '${ $error.instance }', causes: '${ $error.causes | map(.instance) }' } } }] } } },
    ]);
    const [a, b] = ['a', 'b'].map((name, branch) => `/do/0/guarded/try/0/all/fork/branches/${branch}/${name}`) as [string, string];
    run.fail(b, FAILURE);
    run.fail(a, FAILURE);
    expect(run.state.output).toEqual({ last: a, causes: [b] });
  });

  it('that are skipped do not compete; when all are the output is the input', () => {
    const skipped = (name: string): object => ({ [name]: { if: 'false', set: { n: 1 } } });
    const run = start([fork([skipped('a'), http('b')], compete)], { raw: true });
    run.complete(at(1, 'b'), 'b');
    expect(run.state.output).toBe('b');
    expect(start([fork([skipped('a'), skipped('b')], compete)], { raw: true }).state.output).toEqual({ raw: true });
  });

  it('fail as one when the catch around them cannot judge the error', () => {
    const run = start([{ guarded: { try: [fork([http('a'), http('b')], compete)], catch: { when: '$error | error("no")' } } }]);
    for (const [branch, name] of ['a', 'b'].entries()) run.fail(`/do/0/guarded/try/0/all/fork/branches/${branch}/${name}`, FAILURE);
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'expression-failed' } });
  });
});

describe('$context in a fork', () => {
  const set = (name: string, text: string): object => ({ [name]: { set: { x: 1 }, export: { as: text } } });

  it('is a copy for each branch: none sees what another exported', () => {
    const run = start([fork([http('a', { export: { as: '$context + { a: 1 }' } }), { b: { do: [http('c'), { d: { set: { seen: '${ $context }' } } }] } }])]);
    run.complete(at(0, 'a'), 1);
    run.complete(`${at(1, 'b')}/do/0/c`, 2);
    expect(run.state.output).toEqual([1, { seen: {} }]);
  });

  it('is seen inside the branch that exported it', () => {
    const run = start([fork([{ a: { do: [set('x', '{ a: 1 }'), { y: { set: { seen: '${ $context.a }' } } }] } }])]);
    expect(run.state.output).toEqual([{ seen: 1 }]);
  });

  it('takes what each branch changed, in declared order whatever the order in which they end', () => {
    const order = (first: number, second: number): Json => {
      const run = start([
        { before: { set: { x: 1 }, export: { as: '{ kept: 0, gone: 0 }' } } },
        { all: { fork: { branches: [http('a', { export: { as: '$context + { a: 1, both: "a" }' } }), http('b', { export: { as: '($context | del(.gone)) + { b: 2, both: "b" }' } })] } } },
        { seen: { set: '${ $context }' } },
      ]);
      for (const branch of [first, second]) run.complete(`/do/1/all/fork/branches/${branch}/${'ab'[branch]}`, 1);
      return run.state.output!;
    };
    expect(order(0, 1)).toEqual({ kept: 0, a: 1, b: 2, both: 'b' });
    expect(order(1, 0)).toEqual(order(0, 1));
  });

  it('takes only what the winner exported', () => {
    const run = start([fork([{ a: { do: [set('x', '{ a: 1 }'), http('slow')] } }, set('b', '{ b: 2 }')], { compete: true }), { seen: { set: '${ $context }' } }]);
    expect(run.state.output).toEqual({ b: 2 });
  });

  it('of a fork in a branch goes to that branch', () => {
    const inner = { deep: { fork: { branches: [set('c', '$context + { c: 1 }'), set('d', '$context + { d: 1 }')] } } };
    const run = start([
      fork([{ a: { do: [inner, { seen: { set: '${ $context }' } }] } }, { b: { set: { seen: '${ $context }' } } }]),
      { last: { set: { branches: '${ . }', context: '${ $context }' } } },
    ]);
    expect(run.state.output).toEqual({ branches: [{ c: 1, d: 1 }, { seen: {} }], context: { c: 1, d: 1 } });
  });
});

describe('`end` and `exit` in a branch', () => {
  it('end cancels the siblings and completes the workflow', () => {
    const run = start([fork([http('a'), http('b', { then: 'end' })]), http('after')]);
    run.complete(at(1, 'b'), 'done');
    expect(run.state).toMatchObject({ status: 'completed', output: 'done', jobs: {}, activations: {} });
  });

  it('exit ends the branch and nothing else', () => {
    const run = start([fork([{ a: { do: [http('x', { then: 'exit' }), http('y')] } }, http('b', { then: 'exit' })])]);
    run.complete(`${at(0, 'a')}/do/0/x`, 'x');
    expect(run.state.status).toBe('running');
    run.complete(at(1, 'b'), 'b');
    expect(run.state.output).toEqual(['x', 'b']);
  });
});

describe('a task that failed by its own expression', () => {
  const flow = (value: string) => ({ do: [fork([{ a: { set: { got: value } } }, http('b')])] });

  it('is run again in its branch by a retry, once the definition is right', () => {
    const run = running(flow('${ .n + 1 }'), { n: 'text' }).start();
    expect(run.state).toMatchObject({ status: 'faulted', error: { instance: at(0, 'a') } });
    expect(run.migrate(flow('${ .n }')).kind).toBe('accepted');
    run.accept({ type: 'OperateExecution', tenant: 'default', operation: 'retry', id: 'r', by: 'user:eva', reason: '' });
    run.complete(at(1, 'b'), 'b');
    expect(run.state).toMatchObject({ status: 'completed', output: [{ got: 'text' }, 'b'] });
  });

  it('keeps the name that its effects go by', () => {
    const flow = (body: string) => ({ do: [http('first', { with: { method: 'post', endpoint: 'https://example.test', body } })] });
    const run = running(flow('${ .n + 1 }'), { n: 'text' }).start();
    expect(run.state.status).toBe('faulted');
    expect(run.migrate(flow('${ .n }')).kind).toBe('accepted');
    run.accept({ type: 'OperateExecution', tenant: 'default', operation: 'retry', id: 'r', by: 'user:eva', reason: '' });
    expect(run.jobs()).toEqual(['/do/0/first']);
  });
});

describe('what waits in a fork', () => {
  it('has rows for quick jobs too while something else parks the execution, so that a crash forgets none', () => {
    const run = start([fork([http('a'), http('b'), { c: { wait: 'PT1H' } }])]);
    const parked = effectsBetween(running({ do: [http('x')] }, {}).state, run.state).park;
    expect(parked.map(({ kind }) => kind).sort()).toEqual(['job', 'job', 'timer']);
    const before = run.state;
    run.complete(at(0, 'a'), 1);
    expect(effectsBetween(before, run.state)).toMatchObject({ park: [], unpark: [run.jobId(at(0, 'a'))] });
  });

  it('has reviews of different names, also when an answer makes room', () => {
    const run = start([fork([http('a'), http('b')])]);
    const ask = (key: string): void => void run.accept({ type: 'FailJob', job: run.jobId(key), generation: 0, failure: FAILURE, outcome: 'unknown', needsPerson: true, platform: false });
    const seen = new Set<string>();
    const remember = (): void => Object.keys(run.state.reviews).forEach((id) => seen.add(id));
    ask(at(0, 'a'));
    remember();
    run.accept({ type: 'DecideReview', tenant: 'default', review: Object.keys(run.state.reviews)[0]!, outcome: 'happened', comment: '', form: null, decidedBy: 'user:eva' });
    ask(at(1, 'b'));
    remember();
    expect(seen.size).toBe(2);
  });
});

describe('the timeline of a fork', () => {
  it('says how it ended', () => {
    const run = start([fork([http('a'), http('b')], { compete: true })]);
    run.fail(at(0, 'a'), FAILURE);
    run.complete(at(1, 'b'), 1);
    const texts = timelineOf(run.rows.map((events, sequence) => ({ sequence, at: 0, events }))).map(({ text }) => text);
    expect(texts).toContain('branch 0 failed: https://serverlessworkflow.io/spec/1.0.0/errors/communication');
    expect(texts).toContain('branch 1 won, the others are cancelled');
  });
});
