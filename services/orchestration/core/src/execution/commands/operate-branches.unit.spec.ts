// Operations on executions with several live branches, loops and listens.
import { describe, expect, it } from 'vitest';
import { running, type Running } from '../../interpreter/running.testing.js';
import { effectsBetween, waitsOf } from '../effects-between.js';
import type { CommandOf } from '../execution.commands.js';
import { forkPointOf } from '../fork-point.js';
import type { Operation } from '../operation.js';

const CANCELLED = 'https://serverlessworkflow.io/spec/1.0.0/errors/cancelled';
const NEW = '00000000-0000-7000-8000-000000000002';
const http = (name: string, more: object = {}): object => ({ [name]: { call: 'http', with: { method: 'post', endpoint: 'https://example.test' }, ...more } });
const guarded = (name: string, tasks: readonly object[], handler: readonly object[]): object => ({ [name]: { try: tasks, catch: { errors: { with: { type: CANCELLED } }, do: handler } } });
const fork = (name: string, branches: readonly object[], more: object = {}): object => ({ [name]: { fork: { branches, ...more } } });
const failed = { code: 'http-status', message: 'Expected 2xx but got 500.', retryable: false };

let operations = 0;
const operate = (operation: Operation, more: Partial<CommandOf<'OperateExecution'>> = {}): CommandOf<'OperateExecution'> => ({
  type: 'OperateExecution',
  tenant: 'default',
  operation,
  id: `op-${operations++}`,
  by: 'key:k1',
  reason: '',
  ...more,
});

/** The execution that a fork from a task begins. */
function forkedFrom(run: Running, task: string): Running {
  const rows = run.rows.map((events, sequence) => ({ sequence, events }));
  const reading = forkPointOf(rows, task);
  if (!reading.ok) throw new Error(reading.rejection.message);
  const { point } = reading;
  const begun = run.sibling(NEW);
  const from = { execution: run.state.executionId, ...point, operation: 'op', kind: 'fork', by: 'key:k1' } as const;
  begun.accept({ type: 'BeginFork', executionId: NEW, from, reason: '', events: rows.slice(0, point.version + 1).flatMap(({ events }) => events) });
  return begun;
}

describe('cancel of branches', () => {
  it('drops what waits in all of them, and runs the handler of each, the deepest first, then the outer one', () => {
    const run = running(
      {
        do: [
          guarded(
            'all',
            [fork('both', [guarded('a', [http('work')], [http('undoA')]), { b: { do: [guarded('inner', [{ rest: { wait: { hours: 1 } } }], [http('undoB')])] } }, http('c')])],
            [http('undoAll')],
          ),
        ],
      },
      {},
    ).start();
    const before = run.state;
    run.accept(operate('cancel'));
    const order: string[] = [];
    while (run.state.status === 'running') {
      const jobs = run.jobs();
      expect(jobs).toHaveLength(1);
      order.push(jobs[0]!.split('/').at(-1)!);
      run.complete(jobs[0]!, null);
    }
    expect(order).toEqual(['undoB', 'undoA', 'undoAll']);
    expect(run.state.status).toBe('cancelled');
    expect(effectsBetween(before, run.state).unpark).toEqual([...waitsOf(before).keys()]);
  });

  it('drops listens and keeps events that came early for a handler that listens', () => {
    const run = running(
      {
        do: [
          guarded(
            'guard',
            [{ paid: { listen: { to: { one: { with: { type: 'com.example.paid.v1' } } } } } }],
            [{ refunded: { listen: { to: { one: { with: { type: 'com.example.refunded.v1' } } } } } }],
          ),
        ],
      },
      {},
    ).start();
    run.signal({ id: 'e1', type: 'com.example.refunded.v1' });
    run.accept(operate('cancel'));
    expect(run.state.status).toBe('cancelled');
  });

  it('enters no branch of a handler that ended before it came to it', () => {
    const undo = fork('undo', [{ no: { raise: { error: { type: 'https://example.test/no', status: 500 } } } }, http('never')]);
    const run = running({ do: [guarded('guard', [http('work')], [undo])] }, {}).start();
    run.accept(operate('cancel'));
    expect(run.state.status).toBe('cancelled');
    expect(run.rows.flat().some((event) => event.type === 'JobScheduled' && event.key.endsWith('/never'))).toBe(false);
  });

  it('lets branches of a handler compete: one that fails ends only itself', () => {
    const run = running({ do: [guarded('guard', [http('work')], [fork('undo', [http('one'), http('other')], { compete: true })])] }, {}).start();
    run.accept(operate('cancel'));
    const [one, other] = run.jobs();
    run.fail(one!, failed);
    expect(run.jobs()).toEqual([other]);
    run.complete(other!, 1);
    expect(run.state.status).toBe('cancelled');
  });
});

describe('pause of branches', () => {
  it('holds the results of several, and takes them in the order they came', () => {
    const run = running({ do: [fork('both', [http('a'), http('b')]), http('after')] }, {}).start();
    run.accept(operate('pause'));
    run.complete('/do/0/both/fork/branches/1/b', 'b');
    run.complete('/do/0/both/fork/branches/0/a', 'a');
    expect(run.state.held).toHaveLength(2);
    run.accept(operate('resume'));
    expect(run.jobs()).toEqual(['/do/1/after']);
    expect(run.state.activations['']?.value).toEqual(['a', 'b']);
  });

  it('leaves out what a competing branch made void meanwhile', () => {
    const run = running({ do: [fork('race', [http('a'), http('b')], { compete: true })] }, {}).start();
    run.accept(operate('pause'));
    run.complete('/do/0/race/fork/branches/1/b', 'b');
    run.complete('/do/0/race/fork/branches/0/a', 'a');
    run.accept(operate('resume'));
    expect(run.state).toMatchObject({ status: 'completed', output: 'b' });
  });

  const tried = { do: [{ guard: { try: [fork('both', [http('a'), http('b')])], catch: { errors: {}, retry: { limit: { attempt: { count: 1 } } } } } }] };
  const branch = (name: 'a' | 'b'): string => `/do/0/guard/try/0/both/fork/branches/${name === 'a' ? 0 : 1}/${name}`;

  /** A retry without a delay, at resume, enters both branches anew while the result of one is still held. */
  function retriedAtResume(): Running {
    const run = running(tried, {}).start();
    run.accept(operate('pause'));
    run.fail(branch('a'), failed);
    run.complete(branch('b'), 'late');
    run.accept(operate('resume'));
    return run;
  }

  it('leaves out the result of a task that a retry has entered anew meanwhile', () => {
    const run = retriedAtResume();
    expect(run.jobs()).toEqual([branch('a'), branch('b')]);
    expect(Object.keys(run.state.activations)).toEqual(expect.arrayContaining([branch('a'), branch('b')]));
    run.complete(branch('b'), 'b');
    run.complete(branch('a'), 'a');
    expect(run.state).toMatchObject({ status: 'completed', output: ['a', 'b'] });
  });

  it('leaves it out of a fork from that task too', () => {
    for (const name of ['a', 'b'] as const) {
      const begun = forkedFrom(retriedAtResume(), name);
      expect(begun.jobs(), `from ${name}`).toEqual([branch('a'), branch('b')]);
      expect(begun.state.activations['/do/0/guard']).toMatchObject({ attempt: 2 });
      for (const key of [branch('a'), branch('b')]) begun.complete(key, key.at(-1)!);
      expect(begun.state).toMatchObject({ status: 'completed', output: ['a', 'b'] });
    }
  });

  it('leaves it out of a retry that runs the failed task from its start', () => {
    const run = running({ do: [{ guard: { try: [fork('both', [http('a'), http('b')])], catch: { errors: {}, when: '1 | error' } } }] }, {}).start();
    run.accept(operate('pause'));
    run.fail(branch('a'), failed);
    run.complete(branch('b'), 'late');
    run.accept(operate('resume'));
    expect(run.state.status).toBe('faulted');
    run.accept(operate('retry'));
    expect(run.jobs()).toEqual([branch('a'), branch('b')]);
    for (const key of run.jobs()) run.complete(key, key.at(-1)!);
    expect(run.state).toMatchObject({ status: 'completed', output: ['a', 'b'] });
  });

  it('takes a signal that comes meanwhile, once', () => {
    const run = running({ do: [{ paid: { listen: { to: { one: { with: { type: 'com.example.paid.v1' } } } } } }, http('after')] }, {}).start();
    run.accept(operate('pause'));
    expect(run.signal({ id: 'e1', data: 5 }).kind).toBe('accepted');
    expect(run.signal({ id: 'e1', data: 5 })).toEqual({ kind: 'ignored', reason: 'duplicate' });
    expect(run.jobs()).toEqual([]);
    run.accept(operate('resume'));
    expect(run.jobs()).toEqual(['/do/1/after']);
    expect(run.state.activations['/do/1/after']?.input).toEqual([5]);
  });
});

describe('retry in branches and loops', () => {
  it('goes on with the failed branch and with what ran beside it', () => {
    const run = running({ do: [fork('both', [http('a'), http('b'), { c: { wait: { hours: 1 } } }])] }, {}).start();
    run.complete('/do/0/both/fork/branches/0/a', 'a');
    run.fail('/do/0/both/fork/branches/1/b', failed);
    expect(run.state.status).toBe('faulted');
    run.accept(operate('retry'));
    expect(run.jobs()).toEqual(['/do/0/both/fork/branches/1/b']);
    run.complete('/do/0/both/fork/branches/1/b', 'b');
    run.fireTimer();
    expect(run.state).toMatchObject({ status: 'completed', output: ['a', 'b', {}] });
  });

  it('enters the branches that the decision which faulted did not come to', () => {
    const run = running({ do: [fork('both', [{ a: { input: { from: 'if $workflow.input.ok then . else error("no") end' }, set: { a: 1 } } }, http('b')])] }, { ok: false }).start();
    expect(run.state.status).toBe('faulted');
    expect(run.state.interrupted?.task).toEqual({ key: '/do/0/both', position: 0 });
    // As if what it read were another now: that a retry enters all of them is what counts.
    run.state = { ...run.state, input: { ok: true } };
    run.accept(operate('retry'));
    expect(run.jobs()).toEqual(['/do/0/both/fork/branches/1/b']);
    run.complete('/do/0/both/fork/branches/1/b', 'b');
    expect(run.state).toMatchObject({ status: 'completed', output: [{ a: 1 }, 'b'] });
  });

  it('runs all competing branches again when all have failed, under the keys they had', () => {
    const run = running({ do: [fork('race', [http('a'), http('b')], { compete: true })] }, {}).start();
    run.fail('/do/0/race/fork/branches/0/a', failed, 'failed');
    run.fail('/do/0/race/fork/branches/1/b', failed, 'unknown');
    expect(run.state.status).toBe('faulted');
    run.accept(operate('retry'));
    expect(Object.values(run.state.jobs).map(({ key, generation, attempt }) => [key.at(-1), generation, attempt])).toEqual([
      ['a', 1, 2],
      ['b', 0, 2],
    ]);
    run.complete('/do/0/race/fork/branches/1/b', 'b');
    expect(run.state).toMatchObject({ status: 'completed', output: 'b' });
  });

  it('stays in the pass of a loop', () => {
    const run = running({ do: [{ each: { for: { each: 'pet', in: '.pets' }, do: [http('call', { output: { as: '{ pets: [$pet] }' } })] } }] }, { pets: ['cat', 'dog'] }).start();
    run.complete('/do/0/each/do/0/call#2[0]', 1);
    run.fail('/do/0/each/do/0/call#2[1]', failed);
    run.accept(operate('retry'));
    expect(run.jobs()).toEqual(['/do/0/each/do/0/call#2[1]']);
    run.complete('/do/0/each/do/0/call#2[1]', 1);
    expect(run.state).toMatchObject({ status: 'completed', output: { pets: ['dog'] } });
  });

  it('opens a listen anew', () => {
    const run = running({ do: [{ paid: { listen: { to: { one: { with: { type: 'com.example.paid.v1' } } } }, output: { as: 'if .[0] then . else error("no") end' } } }] }, {}).start();
    const [first] = Object.keys(run.state.listens);
    run.signal({ id: 'e1', data: null });
    expect(run.state.status).toBe('faulted');
    run.accept(operate('retry'));
    expect(Object.keys(run.state.listens)).toHaveLength(1);
    expect(Object.keys(run.state.listens)).not.toContain(first);
    run.signal({ id: 'e2', data: 7 });
    expect(run.state).toMatchObject({ status: 'completed', output: [7] });
  });
});

describe('a fork of an execution with branches and loops', () => {
  it.each(['a', 'b', 'x'])('has all branches, whichever it starts from: %s', (task) => {
    const run = running({ do: [fork('both', [{ a: { do: [http('x')] } }, http('b'), http('c')])] }, {}).start();
    const begun = forkedFrom(run, task);
    expect([...begun.jobs()].sort()).toEqual(['a/do/0/x', 'b', 'c'].map((name, branch) => `/do/0/both/fork/branches/${name === 'a/do/0/x' ? 0 : branch}/${name}`));
    for (const key of begun.jobs()) begun.complete(key, key.at(-1)!);
    expect(begun.state).toMatchObject({ status: 'completed', output: ['x', 'b', 'c'] });
  });

  it('keeps what branches beside the point had come to', () => {
    const run = running({ do: [fork('both', [http('a'), { b: { do: [http('x'), http('y')] } }])] }, {}).start();
    run.complete('/do/0/both/fork/branches/0/a', 'a');
    run.complete('/do/0/both/fork/branches/1/b/do/0/x', 'x');
    const begun = forkedFrom(run, 'y');
    expect(begun.jobs()).toEqual(['/do/0/both/fork/branches/1/b/do/1/y']);
    begun.complete(begun.jobs()[0]!, 'y');
    expect(begun.state).toMatchObject({ status: 'completed', output: ['a', 'y'] });
  });

  it('takes what a resume had still to take when it came to the point', () => {
    const run = running({ do: [fork('both', [{ a: { do: [http('x'), http('y')] } }, http('b'), http('c')])] }, {}).start();
    run.accept(operate('pause'));
    run.complete('/do/0/both/fork/branches/2/c', 'c');
    run.complete('/do/0/both/fork/branches/0/a/do/0/x', 'x');
    run.complete('/do/0/both/fork/branches/1/b', 'b');
    run.accept(operate('resume'));
    const begun = forkedFrom(run, 'y');
    expect(begun.jobs()).toEqual(['/do/0/both/fork/branches/0/a/do/1/y']);
    begun.complete(begun.jobs()[0]!, 'y');
    expect(begun.state).toMatchObject({ status: 'completed', output: ['y', 'b', 'c'] });
  });

  it('takes no step again that a resume took before the point, when a retry has entered its task anew', () => {
    const retried = { t: { try: [http('call'), { fail: { raise: { error: { type: 'https://example.com/errors/no', status: 400 } } } }], catch: { retry: { limit: { attempt: { count: 1 } } } } } };
    const run = running({ do: [retried] }, {}).start();
    run.accept(operate('pause'));
    run.complete('/do/0/t/try/0/call', 'first');
    run.accept(operate('resume'));
    const begun = forkedFrom(run, 'call');
    expect([begun.jobs(), Object.keys(begun.state.activations)]).toEqual([['/do/0/t/try/0/call'], ['', '/do/0/t', '/do/0/t/try/0/call']]);
    begun.complete('/do/0/t/try/0/call', 'second');
    expect(begun.state.status).toBe('completed');
  });

  it('goes on in the pass of a loop that it starts from', () => {
    const run = running({ do: [{ each: { for: { each: 'pet', in: '.pets' }, do: [http('call', { input: { from: '{ pet: $pet }' } })] } }] }, { pets: ['cat', 'dog', 'fox'] }).start();
    for (const pass of [0, 1]) run.complete(`/do/0/each/do/0/call#2[${pass}]`, pass);
    const begun = forkedFrom(run, '/do/0/each/do/0/call#2[1]');
    expect(begun.jobs()).toEqual(['/do/0/each/do/0/call#2[1]']);
    begun.complete(begun.jobs()[0]!, 1);
    begun.complete('/do/0/each/do/0/call#2[2]', 2);
    expect(begun.state).toMatchObject({ status: 'completed', output: 2 });
  });

  it('listens for itself to what the other one listened to', () => {
    const run = running({ do: [{ paid: { listen: { to: { one: { with: { type: 'com.example.paid.v1' } } } } } }] }, {}).start();
    run.signal({ id: 'e1', data: 1 });
    const begun = forkedFrom(run, 'paid');
    expect(Object.keys(begun.state.listens)).toHaveLength(1);
    begun.signal({ id: 'e1', data: 2 });
    expect(begun.state).toMatchObject({ status: 'completed', output: [2] });
  });
});
