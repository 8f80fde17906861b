import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { running, type Running } from '../../interpreter/running.testing.js';
import { effectsBetween, waitsOf } from '../effects-between.js';
import type { CommandOf } from '../execution.commands.js';
import { jobIdOf, type ExecutionState } from '../execution.state.js';
import type { Operation } from '../operation.js';
import { forkPointOf } from '../fork-point.js';
import { possibleOperations } from './operate-execution.js';

const CANCELLED = 'https://serverlessworkflow.io/spec/1.0.0/errors/cancelled';
const http = (name: string, more: object = {}): object => ({ [name]: { call: 'http', with: { method: 'post', endpoint: 'https://example.test' }, ...more } });
const guarded = (name: string, tasks: readonly object[], handler: readonly object[], more: object = {}): object => ({
  [name]: { try: tasks, catch: { errors: { with: { type: CANCELLED } }, as: 'cancel', do: handler, ...more } },
});

let operations = 0;
const operate = (operation: Operation, more: Partial<CommandOf<'OperateExecution'>> = {}): CommandOf<'OperateExecution'> => ({
  type: 'OperateExecution',
  tenant: 'default',
  operation,
  id: `op-${operations++}`,
  by: 'key:k1',
  reason: 'because',
  ...more,
});
const types = (run: Running, row = run.rows.length - 1): string[] => (run.rows[row] ?? []).map(({ type }) => type);
const failed = { code: 'http-status', message: 'Expected 2xx but got 500.', retryable: false };
const results = (run: Running) => run.announcements().filter(({ to }) => to === 'results');
const lifecycle = (run: Running) => run.announcements().flatMap((each) => (each.to === 'lifecycle' ? [each.type] : []));

describe('cancel', () => {
  it('ends an execution without handlers at once, with reason and actor, and drops what was outstanding', () => {
    const run = running({ do: [http('a')] }, {}).start();
    const before = run.state;
    run.accept(operate('cancel'));
    expect(types(run)).toEqual(['CancelRequested', 'ExecutionCancelled']);
    expect(run.state).toMatchObject({ status: 'cancelled', error: { type: CANCELLED, status: 499, title: 'cancelled', detail: 'because', instance: '/do/0/a' }, jobs: {}, activations: {} });
    expect(effectsBetween(before, run.state).dispatch).toEqual([]);
    expect(results(run)).toMatchObject([{ status: 'cancelled', error: { detail: 'because' } }]);
    expect(lifecycle(run)).toContain('io.serverlessworkflow.workflow.cancelled.v1');
    expect(run.command({ type: 'CompleteJob', job: run.jobId('/do/0/a'), generation: 0, output: 1, taint: [] })).toEqual({ kind: 'ignored', reason: 'duplicate' });
  });

  it('runs the innermost handler first, then the outer ones, and then ends whatever they gave', () => {
    const run = running(
      {
        do: [
          guarded('outer', [guarded('inner', [http('work')], [http('undoInner')])], [http('undoOuter', { with: { method: 'post', endpoint: 'https://example.test', body: '${ $cancel.detail }' } })]),
          http('after'),
        ],
      },
      {},
    ).start();
    run.accept(operate('cancel'));
    expect(run.state.status).toBe('running');
    expect(run.jobs()).toEqual(['/do/0/outer/try/0/inner/catch/do/0/undoInner']);
    run.complete('/do/0/outer/try/0/inner/catch/do/0/undoInner', 1);
    expect(run.jobs()).toEqual(['/do/0/outer/catch/do/0/undoOuter']);
    expect(run.state.jobs[run.jobId('/do/0/outer/catch/do/0/undoOuter')]?.input).toMatchObject({ body: 'because' });
    run.complete('/do/0/outer/catch/do/0/undoOuter', 2);
    expect(run.state.status).toBe('cancelled');
    expect(results(run)).toHaveLength(1);
  });

  it.each([
    ['no filter', { errors: {} }],
    ['another type', { errors: { with: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout' } } }],
    ['the status alone', { errors: { with: { status: 499 } } }],
    ['a condition that does not hold', { errors: { with: { type: CANCELLED } }, when: 'false' }],
    ['a condition that cannot be evaluated', { errors: { with: { type: CANCELLED } }, when: '1 | error' }],
  ])('is not caught by a catch with %s', (_what, clause) => {
    const run = running({ do: [{ guard: { try: [http('a')], catch: { ...clause, do: [http('no')] } } }] }, {}).start();
    run.accept(operate('cancel'));
    expect(run.state.status).toBe('cancelled');
  });

  it('takes the other spellings of the type', () => {
    const clause = { errors: { with: { type: 'https://open-workflow-specification.org/dsl/errors/types/cancelled' } }, do: [http('undo')] };
    const run = running({ do: [{ guard: { try: [http('a')], catch: clause } }] }, {}).start();
    run.accept(operate('cancel'));
    expect(run.jobs()).toEqual(['/do/0/guard/catch/do/0/undo']);
  });

  it('goes on with the outer handlers when one of them fails, and no other catch takes that error', () => {
    const run = running(
      {
        do: [
          {
            all: {
              try: [guarded('outer', [{ any: { try: [guarded('inner', [http('work')], [http('undo')])], catch: { errors: {}, do: [http('never')] } } }], [http('undoOuter')])],
              catch: { errors: {}, do: [http('never')] },
            },
          },
        ],
      },
      {},
    ).start();
    run.accept(operate('cancel'));
    const [undo] = run.jobs();
    run.fail(undo!, failed);
    expect(types(run)).toContain('CancelHandlerEnded');
    expect(run.jobs()).toEqual(['/do/0/all/try/0/outer/catch/do/0/undoOuter']);
    run.fail(run.jobs()[0]!, failed);
    expect(run.state.status).toBe('cancelled');
  });

  it('lets a handler catch errors of its own', () => {
    const run = running({ do: [guarded('guard', [http('work')], [{ careful: { try: [http('undo')], catch: { errors: {}, do: [http('undoOtherwise')] } } }])] }, {}).start();
    run.accept(operate('cancel'));
    run.fail(run.jobs()[0]!, failed);
    expect(run.jobs()).toEqual(['/do/0/guard/catch/do/0/careful/catch/do/0/undoOtherwise']);
    run.complete(run.jobs()[0]!, 1);
    expect(run.state.status).toBe('cancelled');
  });

  it('goes on with the outer handlers when an inner one says `then: end`', () => {
    const run = running({ do: [guarded('outer', [guarded('inner', [http('work')], [{ done: { set: {}, then: 'end' } }, http('never')])], [http('undoOuter')])] }, {}).start();
    run.accept(operate('cancel'));
    expect(run.jobs()).toEqual(['/do/0/outer/catch/do/0/undoOuter']);
  });

  it('is a duplicate while its handlers run and after it', () => {
    const run = running({ do: [guarded('guard', [http('work')], [http('undo')])] }, {}).start();
    const first = operate('cancel');
    run.accept(first);
    for (const again of [first, operate('cancel')]) expect(run.command(again)).toEqual({ kind: 'ignored', reason: 'duplicate' });
    run.complete(run.jobs()[0]!, 1);
    expect(run.command(operate('cancel'))).toEqual({ kind: 'ignored', reason: 'duplicate' });
  });

  it('drops the timers and reviews of the cancelled point and withdraws them from whoever waits', () => {
    const run = running({ do: [guarded('guard', [{ ask: { call: 'review', with: { title: 'ok?' } } }], [{ cool: { wait: { seconds: 1 } } }])] }, {}).start();
    const before = run.state;
    run.accept(operate('cancel'));
    expect(effectsBetween(before, run.state)).toMatchObject({ closeReviews: Object.keys(before.reviews), park: [{ kind: 'timer' }] });
    run.fireTimer();
    expect(run.state.status).toBe('cancelled');
  });

  it('loses against a completion that was first, and says so', () => {
    const run = running({ do: [http('a')] }, {}).start();
    run.complete('/do/0/a', 1);
    expect(run.command(operate('cancel'))).toMatchObject({ kind: 'rejected', rejection: { code: 'operation-not-possible', details: { status: 'completed', possible: ['fork', 'reset'] } } });
  });

  it('of a suspended execution runs its handlers, and forgets what was held', () => {
    const run = running({ do: [guarded('guard', [http('a'), http('b')], [http('undo')])] }, {}).start();
    run.accept(operate('pause'));
    run.complete('/do/0/guard/try/0/a', 1);
    run.accept(operate('cancel'));
    expect(run.jobs()).toEqual(['/do/0/guard/catch/do/0/undo']);
    run.complete(run.jobs()[0]!, 1);
    expect(run.state.status).toBe('cancelled');
  });
});

describe('terminate', () => {
  it('ends at once without handlers, and the event says so', () => {
    const run = running({ do: [guarded('guard', [http('work')], [http('undo')])] }, {}).start();
    run.accept(operate('terminate'));
    expect(types(run)).toEqual(['ExecutionTerminated']);
    expect(run.state).toMatchObject({ status: 'cancelled', error: { title: 'terminated' } });
    expect(run.announcements()).toContainEqual(expect.objectContaining({ type: 'io.serverlessworkflow.workflow.cancelled.v1', data: { by: 'key:k1', reason: 'because', terminated: true } }));
    expect(run.command(operate('terminate'))).toEqual({ kind: 'ignored', reason: 'duplicate' });
  });

  it('ends a cancel whose handlers take too long', () => {
    const run = running({ do: [guarded('guard', [http('work')], [http('undo')])] }, {}).start();
    run.accept(operate('cancel'));
    run.accept(operate('terminate'));
    expect(run.state.status).toBe('cancelled');
    expect(run.state.cancelling).toBeUndefined();
  });
});

describe('pause and resume', () => {
  const chain = { do: [http('a'), http('b')] };

  it('take the results of jobs under way and schedule nothing until the execution is resumed', () => {
    const run = running(chain, {}).start();
    run.accept(operate('pause'));
    expect(run.state.status).toBe('suspended');
    run.complete('/do/0/a', { n: 1 });
    expect(types(run)).toEqual(['JobCompleted', 'StepHeld']);
    expect(run.jobs()).toEqual([]);
    expect(run.command({ type: 'CompleteJob', job: run.jobId('/do/0/a'), generation: 0, output: 2, taint: [] })).toEqual({ kind: 'ignored', reason: 'duplicate' });
    run.accept(operate('resume'));
    expect(types(run)).toEqual(['ExecutionResumed', 'TaskCompleted', 'TaskEntered', 'JobScheduled']);
    run.complete('/do/1/b', { n: 2 });
    expect(run.state).toMatchObject({ status: 'completed', output: { n: 2 } });
    expect(lifecycle(run)).toEqual(['started', 'suspended', 'resumed', 'completed'].map((what) => `io.serverlessworkflow.workflow.${what}.v1`));
  });

  it('take failures too: what the error leads to comes at resume', () => {
    const run = running({ do: [{ guard: { try: [http('a')], catch: { errors: {}, do: [http('instead')] } } }] }, {}).start();
    run.accept(operate('pause'));
    run.fail('/do/0/guard/try/0/a', failed);
    expect(types(run)).toEqual(['JobFailed', 'StepHeld']);
    run.accept(operate('resume'));
    expect(run.jobs()).toEqual(['/do/0/guard/catch/do/0/instead']);
  });

  it('carry a job to its end, attempts that the platform lost included', () => {
    const run = running(chain, {}).start();
    run.accept(operate('pause'));
    run.accept({ type: 'FailJob', job: run.jobId('/do/0/a'), generation: 0, failure: failed, outcome: 'none', needsPerson: false, platform: true, attempt: 1 });
    expect(run.state.jobs[run.jobId('/do/0/a')]).toMatchObject({ attempt: 2 });
    run.accept({ type: 'FailJob', job: run.jobId('/do/0/a'), generation: 0, failure: failed, outcome: 'unknown', needsPerson: true, platform: false, attempt: 2 });
    expect(Object.values(run.state.reviews)).toMatchObject([{ kind: 'effect-outcome' }]);
    expect(run.state).toMatchObject({ status: 'suspended' });
  });

  it('take what a person decides meanwhile', () => {
    const run = running({ do: [{ ask: { call: 'review', with: { title: 'ok?' } } }, { by: { set: { by: '${ .decidedBy }' } } }] }, {}).start();
    run.accept(operate('pause'));
    const [review] = Object.keys(run.state.reviews);
    run.accept({ type: 'DecideReview', tenant: 'default', review: review!, outcome: 'approved', comment: '', form: null, decidedBy: 'user:eva' });
    expect(run.state.status).toBe('suspended');
    run.accept(operate('resume'));
    expect(run.state).toMatchObject({ status: 'completed', output: { by: 'user:eva' } });
  });

  it('keep timers from firing until resume, and fire those that fell due then', () => {
    const run = running({ do: [{ rest: { wait: { seconds: 5 } } }] }, {}).start();
    const [timer] = Object.values(run.state.timers);
    const before = run.state;
    run.accept(operate('pause'));
    expect(effectsBetween(before, run.state).unpark).toEqual([timer!.id]);
    expect(waitsOf(run.state).size).toBe(0);
    run.passUntil(timer!.due);
    expect(run.command({ type: 'FireTimer', timer: timer!.id })).toEqual({ kind: 'ignored', reason: 'stale' });
    const suspended = run.state;
    run.accept(operate('resume'));
    expect(effectsBetween(suspended, run.state).park).toMatchObject([{ id: timer!.id, due: timer!.due }]);
    run.fireTimer();
    expect(run.state.status).toBe('completed');
  });

  it('are each a duplicate when it is so already', () => {
    const run = running(chain, {}).start();
    expect(run.command(operate('resume'))).toEqual({ kind: 'ignored', reason: 'duplicate' });
    const pause = operate('pause');
    run.accept(pause);
    expect(run.command(operate('pause'))).toEqual({ kind: 'ignored', reason: 'duplicate' });
    run.accept(operate('resume'));
    expect(run.command(pause), 'told again after the resume').toEqual({ kind: 'ignored', reason: 'duplicate' });
    expect(run.command({ ...pause, operation: 'cancel' })).toMatchObject({ kind: 'rejected', rejection: { code: 'conflict' } });
  });
});

describe('retry', () => {
  const chain = { do: [http('a'), http('b'), http('c')] };

  it('goes on from the failed task in the same execution, as a new attempt of it, and gives a further result', () => {
    const run = running(chain, {}).start();
    run.complete('/do/0/a', { n: 1 });
    run.fail('/do/1/b', failed, 'failed');
    expect(run.state.status).toBe('faulted');
    const before = run.state;
    run.accept(operate('retry'));
    expect(types(run)).toEqual(['ExecutionRetried', 'JobScheduled']);
    expect(run.state).toMatchObject({ status: 'running' });
    expect(run.state.error).toBeUndefined();
    expect(run.state.jobs[run.jobId('/do/1/b')]).toMatchObject({ generation: 1, attempt: 2 });
    expect(effectsBetween(before, run.state).dispatch).toHaveLength(1);
    run.complete('/do/1/b', { n: 2 });
    run.complete('/do/2/c', { n: 3 });
    expect(results(run)).toMatchObject([{ status: 'faulted' }, { status: 'completed', output: { n: 3 } }]);
    expect(new Set(results(run).map(({ id }) => id)).size).toBe(2);
  });

  it('keeps the idempotency key of an effect whose outcome is unknown', () => {
    const run = running(chain, {}).start();
    run.fail('/do/0/a', failed, 'unknown');
    run.accept(operate('retry'));
    expect(run.state.jobs[run.jobId('/do/0/a')]).toMatchObject({ generation: 0, attempt: 2 });
  });

  it('keeps the key of an effect that was confirmed before its output could not be used', () => {
    const run = running({ do: [http('a', { output: { as: 'error("no")' } })] }, {}).start();
    run.complete('/do/0/a', 1);
    expect(run.state.status).toBe('faulted');
    run.accept(operate('retry'));
    expect(run.state.jobs[run.jobId('/do/0/a')]).toMatchObject({ generation: 0 });
  });

  it('enters a task again that could not be entered', () => {
    const run = running({ do: [http('a'), http('b', { input: { from: 'error("no")' } })] }, {}).start();
    run.complete('/do/0/a', 1);
    expect(run.state.interrupted?.task).toEqual({ key: '', position: 1 });
    run.accept(operate('retry'));
    expect(types(run)).toEqual(['ExecutionRetried', 'ExecutionFaulted']);
  });

  it('keeps the round of a task in a loop', () => {
    const again = { choose: { switch: [{ more: { when: '.n < 3', then: 'count' } }] } };
    const run = running({ do: [http('count'), again] }, {}).start();
    run.complete('/do/0/count', { n: 1 });
    run.fail('/do/0/count#1.count:1', failed);
    run.accept(operate('retry'));
    expect(run.jobs()).toEqual(['/do/0/count#1.count:1']);
    run.complete('/do/0/count#1.count:1', { n: 2 });
    expect(run.jobs()).toEqual(['/do/0/count#1.count:2']);
  });

  it('inside a catch goes on inside it', () => {
    const run = running({ do: [{ guard: { try: [http('a')], catch: { errors: {}, as: 'problem', do: [http('undo', { with: { method: 'get', endpoint: '${ $problem.title }' } })] } } }] }, {}).start();
    run.fail('/do/0/guard/try/0/a', failed);
    run.fail('/do/0/guard/catch/do/0/undo', failed);
    run.accept(operate('retry'));
    expect(run.state.jobs[run.jobId('/do/0/guard/catch/do/0/undo')]?.input).toMatchObject({ endpoint: 'http-status' });
  });

  it('asks a person anew under an id of its own', () => {
    const run = running({ do: [{ ask: { call: 'review', with: { title: 'ok?' }, output: { as: 'error("no")' } } }] }, {}).start();
    const [asked] = Object.keys(run.state.reviews);
    run.accept({ type: 'DecideReview', tenant: 'default', review: asked!, outcome: 'approved', comment: '', form: null, decidedBy: 'p' });
    run.accept(operate('retry'));
    expect(Object.keys(run.state.reviews)).toHaveLength(1);
    expect(Object.keys(run.state.reviews)).not.toContain(asked);
  });

  it('of a history that does not say where it faulted goes by the error', () => {
    const run = running(chain, {}).start();
    run.fail('/do/0/a', failed);
    const old = run.refold((events) => events.map((event) => (event.type === 'ExecutionFaulted' ? (({ task: _task, ...rest }) => rest)(event) : event)));
    expect(old.interrupted?.task).toBeUndefined();
    run.state = old;
    run.accept(operate('retry'));
    expect(run.jobs()).toEqual(['/do/0/a']);
  });

  it('is refused where no task faulted', () => {
    const run = running(chain, {}).start();
    expect(run.command(operate('retry'))).toMatchObject({
      kind: 'rejected',
      rejection: { code: 'operation-not-possible', message: expect.stringContaining('Possible now: cancel, pause, terminate, fork, reset') },
    });
    const refused = running({ input: { schema: { document: { type: 'string' } } }, do: [http('a')] }, {}).start();
    expect(refused.state.status).toBe('faulted');
    expect(possibleOperations(refused.state)).toEqual(['fork', 'reset']);
  });
});

describe('fork and reset', () => {
  const NEW = '00000000-0000-7000-8000-000000000002';
  const chain = { do: [http('a', { export: { as: '{ seen: .n }' } }), http('b'), http('c')] };
  const rowsOf = (run: Running) => run.rows.map((events, sequence) => ({ sequence, events }));

  function forked(run: Running, operation: 'fork' | 'reset', task: string): { readonly source: ExecutionState; readonly fork: Running } {
    const reading = forkPointOf(rowsOf(run), task);
    if (!reading.ok) throw new Error(reading.rejection.message);
    const command = operate(operation, { fork: { ...reading.point, execution: NEW } });
    run.accept(command);
    const told = run.announcements().find(({ to }) => to === 'commands');
    if (told?.to !== 'commands') throw new Error('nobody tells the new execution');
    expect(told.execution).toBe(NEW);
    const events = rowsOf(run).flatMap(({ sequence, events: row }) => (sequence <= told.forkFrom.version ? row : []));
    const fork = run.sibling(NEW);
    fork.accept({ type: 'BeginFork', executionId: NEW, from: told.forkFrom, reason: told.reason, events });
    return { source: run.state, fork };
  }

  it('start a new execution from a task with the data it had there, and with jobs of its own', () => {
    const run = running(chain, { start: true }).start();
    run.complete('/do/0/a', { n: 1 });
    run.complete('/do/1/b', { n: 2 });
    run.complete('/do/2/c', { n: 3 });
    const { source, fork } = forked(run, 'fork', 'b');
    expect(source.status).toBe('completed');
    expect(fork.jobs()).toEqual(['/do/1/b']);
    expect(fork.state).toMatchObject({ executionId: NEW, exported: { seen: 1 }, from: { kind: 'fork', key: '/do/1/b' }, request: { id: 'r1' } });
    expect(Object.keys(fork.state.jobs)).toEqual([jobIdOf(NEW, '/do/1/b')]);
    expect(fork.state.activations['']?.value).toEqual({ n: 1 });
    fork.complete('/do/1/b', { n: 20 });
    fork.complete('/do/2/c', { n: 30 });
    expect(fork.state).toMatchObject({ status: 'completed', output: { n: 30 } });
    expect(results(fork)).toHaveLength(1);
  });

  it('tell of nothing again that the other execution told', () => {
    const run = running({ do: [{ tell: { emit: { event: { with: { type: 'com.example.told.v1', source: 'https://s' } } } } }, http('b')] }, {}).start();
    const { fork } = forked(run, 'fork', 'b');
    expect(lifecycle(fork)).toEqual(['io.serverlessworkflow.workflow.started.v1']);
  });

  it('reset ends the old execution if it still runs', () => {
    const run = running(chain, {}).start();
    run.complete('/do/0/a', { n: 1 });
    const { source, fork } = forked(run, 'reset', '/do/0/a');
    expect(source).toMatchObject({ status: 'cancelled', error: { title: 'terminated' } });
    expect(fork.jobs()).toEqual(['/do/0/a']);
    expect(results(run)).toHaveLength(1);
  });

  it('take the last round of a task, or the one that is named', () => {
    const again = { choose: { switch: [{ more: { when: '.n < 3', then: 'count' } }] } };
    const run = running({ do: [http('count'), again] }, {}).start();
    run.complete('/do/0/count', { n: 1 });
    run.complete('/do/0/count#1.count:1', { n: 2 });
    expect(forkPointOf(rowsOf(run), 'count')).toMatchObject({ point: { key: '/do/0/count#1.count:2' } });
    const { fork } = forked(run, 'fork', '/do/0/count#1.count:1');
    expect(fork.jobs()).toEqual(['/do/0/count#1.count:1']);
    fork.complete('/do/0/count#1.count:1', { n: 9 });
    expect(fork.state.status).toBe('completed');
  });

  it('start from the task that faulted when none is named', () => {
    const run = running(chain, {}).start();
    run.complete('/do/0/a', { n: 1 });
    run.fail('/do/1/b', failed);
    const { fork } = forked(run, 'fork', '');
    expect(fork.jobs()).toEqual(['/do/1/b']);
    expect(fork.state.jobs[jobIdOf(NEW, '/do/1/b')]).toMatchObject({ generation: 0, attempt: 1 });
  });

  it('of a fork work as of any other', () => {
    const run = running(chain, {}).start();
    run.complete('/do/0/a', { n: 1 });
    const { fork } = forked(run, 'fork', 'b');
    fork.complete('/do/1/b', { n: 2 });
    expect(forkPointOf(rowsOf(fork), 'a')).toMatchObject({ point: { version: 0 } });
    expect(forkPointOf(rowsOf(fork), 'c')).toMatchObject({ point: { version: 1 } });
  });

  it('are refused for a task that was not entered, with those that were', () => {
    const run = running(chain, {}).start();
    expect(forkPointOf(rowsOf(run), 'c')).toMatchObject({ rejection: { code: 'unknown-task', message: 'Expected a task that this execution has entered but got "c". It has entered: a.' } });
    expect(forkPointOf(rowsOf(run), '')).toMatchObject({ ok: false, rejection: { code: 'unknown-task', message: expect.stringMatching(/but none was named\. It has entered: a\.$/) } });
  });

  it('start an execution that was asked nothing yet: an id that the other one took is free', () => {
    const run = running(chain, {}).start();
    const [pause, resume] = [operate('pause'), operate('resume')];
    run.accept(pause);
    run.accept(resume);
    run.complete('/do/0/a', { n: 1 });
    const { fork } = forked(run, 'fork', 'b');
    fork.accept(pause);
    fork.accept(resume);
    expect(fork.state.status).toBe('running');
  });

  it('do not start inside the handling of a cancel', () => {
    const run = running({ do: [guarded('guard', [http('work')], [http('undo')])] }, {}).start();
    run.accept(operate('cancel'));
    expect(forkPointOf(rowsOf(run), 'undo')).toMatchObject({ ok: false });
    expect(forkPointOf(rowsOf(run), 'work')).toMatchObject({ ok: true });
  });

  it('begin once', () => {
    const run = running(chain, {}).start();
    const { fork } = forked(run, 'fork', 'a');
    const from = fork.state.from!;
    expect(fork.command({ type: 'BeginFork', executionId: NEW, from, reason: '', events: run.rows.flat() })).toEqual({ kind: 'ignored', reason: 'duplicate' });
  });
});

describe('an operation', () => {
  it.each(['constructor', '__proto__', 'toString', '0'])('may have the id %s', (id) => {
    const run = running({ do: [http('a')] }, {}).start();
    run.accept(operate('pause'));
    run.accept(operate('resume'));
    run.accept(operate('pause', { id }));
    expect(run.command(operate('pause', { id }))).toEqual({ kind: 'ignored', reason: 'duplicate' });
    expect(run.command(operate('cancel', { id }))).toMatchObject({ kind: 'rejected', rejection: { code: 'conflict' } });
  });

  it('reaches no execution of another tenant, nor does a decision of its reviews', () => {
    const run = running({ do: [{ ask: { call: 'review', with: { title: 'ok?' } } }] }, {}).start();
    const [review] = Object.keys(run.state.reviews);
    const decide = { type: 'DecideReview', tenant: 'acme', review: review!, outcome: 'approved', comment: '', form: null, decidedBy: 'p' } as const;
    for (const command of [...(['cancel', 'pause', 'terminate', 'fork', 'reset'] as const).map((operation) => operate(operation, { tenant: 'acme' })), decide])
      expect(run.command(command)).toMatchObject({ kind: 'rejected', rejection: { code: 'unknown-execution' } });
    expect(run.command({ ...decide, tenant: 'default' })).toMatchObject({ kind: 'accepted' });
  });

  it('is unknown where nothing has begun', () => {
    const run = running({ do: [http('a')] }, {} as Json);
    expect(run.command(operate('cancel'))).toMatchObject({ kind: 'rejected', rejection: { code: 'unknown-execution' } });
  });
});
