import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import type { Operation } from '../execution/operation.js';
import { idempotencyKeyOf } from '../execution/idempotency-key.js';
import { programOf, running, type Running } from '../interpreter/running.testing.js';
import { upgradeProblems } from './upgrade-check.js';
import type { PointerMap } from './pointer-map.js';

type Documented = { readonly do: readonly object[]; readonly use?: object };

const job = (name: string, more: object = {}): object => ({ [name]: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' }, ...more } });
const wait = (name: string): object => ({ [name]: { wait: { seconds: 5 } } });
const fork = (...branches: readonly object[]): object => ({ both: { fork: { branches } } });
const AWAY = { code: 'http-status', message: 'It is away.', retryable: true };

function parked(document: Documented, input: Json = {}, ...done: readonly string[]): Running {
  const run = running(document, input).start();
  for (const key of done) run.complete(key, key);
  return run;
}

const reasons = (run: Running, next: Documented, map: PointerMap = {}): readonly string[] =>
  upgradeProblems(run.state, run.program, programOf(next, '2.0.0'), map).map(({ reason, pointer }) => `${reason} ${pointer}`);

const operate = (run: Running, operation: Operation, id: string = operation): unknown => run.accept({ type: 'OperateExecution', tenant: 'default', operation, id, by: 'key:k1', reason: '' });
const keyOf = (run: Running, key: string): string =>
  idempotencyKeyOf(
    run.state,
    Object.values(run.state.jobs).find((each) => each.key === key)!,
  );

/** Completes the job of an activation, whatever it is called by now. */
function complete(run: Running, key: string): void {
  const { id, generation } = Object.values(run.state.jobs).find((each) => each.key === key)!;
  run.accept({ type: 'CompleteJob', job: id, generation, output: key, taint: [] });
}

describe('a task that could not be entered', () => {
  const broken = job('b', { input: { schema: { document: { type: 'number' } } } });

  it('is where a retry goes on after the migration, not what stands in its place', () => {
    const run = parked({ do: [job('a'), broken, job('c')] }, {}, '/do/0/a');
    expect(run.state.status).toBe('faulted');
    run.migrate({ do: [job('new'), job('a'), job('b'), job('c')] }, { '/do/0/a': '/do/1/a', '/do/1/b': '/do/2/b' });
    operate(run, 'retry');
    expect(run.jobs()).toEqual(['/do/2/b']);
  });

  it('has to be there still', () => {
    const run = parked({ do: [job('a'), broken, job('c')] }, {}, '/do/0/a');
    expect(reasons(run, { do: [job('a'), job('c')] })).toEqual(['task-missing /do/1/b']);
    expect(reasons(run, { do: [job('new'), job('a'), job('b')] })).toEqual(['task-moved /do/1/b']);
    expect(reasons(run, { do: [job('a'), job('b')] })).toEqual([]);
  });
});

describe('data of an execution', () => {
  it('stays as it is, also where it looks like what names a task', () => {
    const input = { x: { key: '/do/0/a' } };
    const run = parked({ do: [job('a', { output: { as: '$workflow.input' } })] }, input);
    run.migrate({ do: [job('new'), job('a', { output: { as: '$workflow.input' } })] }, { '/do/0/a': '/do/1/a' });
    expect(run.state.input).toEqual(input);
  });
});

describe('a map', () => {
  it('may not take a task into another list of the same task', () => {
    const guarded = (tried: readonly object[], rescue: readonly object[]): Documented => ({ do: [{ guard: { try: tried, catch: { do: rescue } } }] });
    const run = parked(guarded([job('x')], [job('y')]));
    expect(reasons(run, guarded([job('z')], [job('x')]), { '/do/0/guard/try/0/x': '/do/0/guard/catch/do/0/x' })).toEqual(['task-moved /do/0/guard/try/0/x']);
  });

  it('may not lead to where another task that the execution is in stays', () => {
    const at = (index: number, name: string): string => `/do/0/both/fork/branches/${index}/${name}`;
    const run = parked({ do: [fork(job('x'), job('y'))] });
    expect(reasons(run, { do: [fork(job('z'), job('y'))] }, { [at(0, 'x')]: at(1, 'y') })).toEqual([`map-invalid ${at(1, 'y')}`]);
  });
});

describe('what was done', () => {
  const guarded = (...tasks: readonly object[]): Documented => ({ do: [{ guard: { try: tasks, catch: { retry: { delay: { seconds: 1 }, limit: { attempt: { count: 3 } } } } } }] });

  it('keeps its key where its task is found by name, though no map had to name it', () => {
    const run = parked(guarded(job('pay'), job('send')));
    const paid = keyOf(run, '/do/0/guard/try/0/pay');
    run.complete('/do/0/guard/try/0/pay', 1);
    run.fail('/do/0/guard/try/1/send', AWAY);
    run.migrate(guarded(job('check'), job('pay'), job('send')));
    run.fireTimer('retry');
    expect(run.jobs()).toEqual(['/do/0/guard/try/0/check']);
    complete(run, '/do/0/guard/try/0/check');
    expect(keyOf(run, '/do/0/guard/try/1/pay')).toBe(paid);
  });
});

describe('a held result', () => {
  it('leads to a task by its name, wherever that is', () => {
    const chosen = (...tasks: readonly object[]): Documented => ({ do: [job('a', { then: 'c' }), ...tasks] });
    const run = parked(chosen(job('b'), job('c')));
    operate(run, 'pause');
    run.complete('/do/0/a', 'done');
    const next = chosen(job('b'), job('new'), job('c'));
    expect(reasons(run, next)).toEqual([]);
    run.migrate(next);
    operate(run, 'resume');
    expect(run.jobs()).toEqual(['/do/3/c']);
  });
});

describe('branches that a fork gains', () => {
  it('begin at the resume where the execution is suspended', () => {
    const run = parked({ do: [fork(job('x'))] });
    operate(run, 'pause');
    run.migrate({ do: [fork(job('x'), job('y'))] });
    expect(run.jobs()).toEqual(['/do/0/both/fork/branches/0/x']);
    operate(run, 'resume');
    expect(run.jobs()).toEqual(['/do/0/both/fork/branches/0/x', '/do/0/both/fork/branches/1/y']);
  });
});

describe('extensions around a task that an execution is in', () => {
  const extension = (name: string): object => ({ [name]: { extend: 'call', before: [{ mark: { set: 1 } }], after: [job(`${name}Told`)] } });
  const extended = (...names: readonly string[]): Documented => ({ use: { extensions: names.map(extension) }, do: [job('a')] });

  it('have to be there in their order still', () => {
    const run = parked(extended('one', 'two'));
    expect(run.jobs()).toEqual(['/do/0/a']);
    expect(reasons(run, extended('one', 'two', 'three'))).toEqual([]);
    expect(reasons(run, extended('two', 'one'))).toEqual(['extensions-changed /do/0/a']);
  });

  it('are left out where they are gone', () => {
    for (const names of [[], ['one']]) {
      const run = parked(extended('one', 'two'));
      const next = extended(...names);
      expect(reasons(run, next)).toEqual([]);
      run.migrate(next);
      run.complete('/do/0/a', 1);
      if (names.length > 0) complete(run, '/do/0/a/after/one/0/oneTold');
      expect(run.state.status).toBe('completed');
    }
  });
});

describe('a listen under way', () => {
  const hear = (to: object, more: object = {}): Documented => ({ do: [{ hear: { listen: { to, ...more } } }, job('z')] });
  const paid = { with: { type: 'com.example.paid.v1' } };

  it('goes on where only what is made of its events has changed', () => {
    const run = parked(hear({ any: [paid], until: 'length > 5' }));
    const next = hear({ any: [paid], until: 'length > 1' }, { read: 'envelope' });
    run.signal({ id: 'e1' });
    expect(reasons(run, next)).toEqual([]);
    run.migrate(next);
    run.signal({ id: 'e2' });
    expect(run.jobs()).toEqual(['/do/1/z']);
    expect(reasons(parked(hear({ one: paid })), hear({ any: [paid], until: 'false' }))).toEqual(['events-changed /do/0/hear']);
  });
});

describe('events that come before their listen', () => {
  const order = { with: { type: 'com.example.paid.v1' }, correlate: { order: { from: '.data.order', expect: '$workflow.input.order' } } };

  it('find an execution that was migrated to a version that listens for them', () => {
    const run = parked({ do: [wait('rest')] }, { order: '7' });
    expect(run.state.subscriptions).toBeUndefined();
    run.migrate({ do: [wait('rest'), { hear: { listen: { to: { one: order } } } }] });
    expect(run.state.subscriptions).toHaveLength(1);
  });
});
