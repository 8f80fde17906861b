// Operations on executions, on a real store: what a caller asks, what is stored and what is told.
import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { Command, ListReviewsRequest, type Job, type LifecycleBody, type OperateRequest, type Operated, type ResultBody } from '@weft/contracts';
import { configureLog } from '@weft/nest-platform';
import { eventually } from '@weft/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orchestrationMigrations } from './migrations/index.js';
import { calls, context, definitionText, newExecutionId, RESULTS, resultOf, startCommand, startOrchestration, type RunningOrchestration } from './orchestration.testing.js';

const CANCELLED = 'https://serverlessworkflow.io/spec/1.0.0/errors/cancelled';
const eva = context({ actor: 'user:eva' });

let scratch: ScratchStore;
let pool: Pool;
let running: RunningOrchestration;
const carriedOut: Job[] = [];

beforeAll(async () => {
  configureLog({ write: () => undefined });
  scratch = await openScratchStore([orchestrationMigrations]);
  pool = openPool(scratch.address, { role: engineRole('orchestration'), applicationName: 'spec' });
  running = await startOrchestration(scratch.address, (jobs) => {
    carriedOut.push(...jobs);
    return jobs.flatMap((job) => {
      const name = job.pointer.split('/').at(-1)!;
      if (name.startsWith('held')) return [];
      return name.startsWith('broken') && job.context?.attempt === 1 ? [failureOf(job)] : [resultOf(job, { by: job.pointer })];
    });
  });
});
afterAll(async () => {
  await running.close();
  await pool.end();
  await scratch.close();
});

const failureOf = (job: Job): Command =>
  Command.fromPartial({
    id: `${job.id}/${job.generation}/failed`,
    executionId: job.executionId,
    context: job.context,
    failJob: { jobId: job.id, generation: job.generation, outcome: 'unknown', failure: { code: 'http-status', message: 'Expected 2xx but got 500.' } },
  });

async function start(name: string, tasks: readonly object[], input = {}): Promise<string> {
  const definition = await running.deploy(definitionText(name, tasks));
  const executionId = newExecutionId();
  await running.send(startCommand(executionId, definition, input));
  return executionId;
}

const operate = (executionId: string, operation: string, more: Partial<OperateRequest> = {}): Promise<Operated> =>
  running.controller.operate({ executionId, operation, operationId: '', reason: 'because', task: '', ...more }, eva);
const resultsOf = (executionId: string): readonly ResultBody[] => running.bus.on(RESULTS, executionId).map(({ body }) => body as ResultBody);
const ended = (executionId: string, count = 1): Promise<ResultBody> => eventually(() => resultsOf(executionId)[count - 1], { what: `result ${count} of ${executionId}`, timeoutMs: 10_000 });
const jobOf = (executionId: string, name: string): Promise<Job> =>
  eventually(() => carriedOut.find((job) => job.executionId === executionId && job.pointer.endsWith(`/${name}`)), { what: `job ${name}` });
const lifecycleOf = (executionId: string): readonly string[] => running.bus.on('weft.lifecycle', executionId).map(({ type }) => type.split('.').slice(-2)[0]!);
const executionRow = async (executionId: string) =>
  (await pool.query<{ status: string; ended_at: Date | null; ended_sequence: number | null }>('select status, ended_at, ended_sequence from orchestration.executions where id = $1', [executionId]))
    .rows[0];
const waitsOf = async (executionId: string): Promise<readonly string[]> =>
  (await pool.query<{ kind: string }>('select kind from orchestration.waits where execution_id = $1', [executionId])).rows.map(({ kind }) => kind);
const textsOf = async (executionId: string): Promise<readonly string[]> => (await running.controller.getTimeline({ executionId, afterVersion: -1 }, context())).entries.map(({ text }) => text);
const idOfFork = newExecutionId;
const compensated = (tasks: readonly object[], handler: readonly object[]): object => ({ guard: { try: tasks, catch: { errors: { with: { type: CANCELLED } }, do: handler } } });

describe('cancel', () => {
  it('runs the handlers and ends the execution, with actor and reason in result, lifecycle and timeline', async () => {
    const executionId = await start('cancelled', [compensated(calls('held'), calls('heldUndo'))]);
    const job = await jobOf(executionId, 'held');
    expect(await operate(executionId, 'cancel')).toMatchObject({ changed: true, execution: { status: 'running' }, operation: 'cancel' });
    expect(await operate(executionId, 'cancel')).toMatchObject({ changed: false });
    await running.send(resultOf(job, 'too late'));
    await running.send(resultOf(await jobOf(executionId, 'heldUndo'), 'undone'));
    expect(await ended(executionId)).toEqual({
      executionId,
      requestId: `r-${executionId}`,
      status: 'cancelled',
      error: { type: CANCELLED, status: 499, title: 'cancelled', detail: 'because', instance: '/do/0/guard/try/0/held' },
    });
    expect(lifecycleOf(executionId)).toEqual(['started', 'cancelled']);
    const execution = await running.controller.getExecution({ executionId }, context());
    expect(execution).toMatchObject({ status: 'cancelled', waits: [], outputJson: '' });
    expect(JSON.parse(execution.errorJson)).toMatchObject({ detail: 'because' });
    expect(await textsOf(executionId)).toEqual(expect.arrayContaining(['cancel asked for by user:eva', 'handles the cancel', 'cancelled by user:eva']));
    expect(resultsOf(executionId)).toHaveLength(1);
  });

  it('withdraws what waits for a person or a time', async () => {
    const executionId = await start('cancelled-review', [{ ask: { call: 'review', with: { title: 'Send it?', subject: {} } } }]);
    await eventually(async () => (await waitsOf(executionId)).length === 1);
    await operate(executionId, 'cancel');
    expect(await ended(executionId)).toMatchObject({ status: 'cancelled' });
    expect(await waitsOf(executionId)).toEqual([]);
    expect((await pool.query('select status from orchestration.reviews where execution_id = $1', [executionId])).rows).toEqual([{ status: 'withdrawn' }]);
  });

  it.each(['cancel', 'completion'])('and a completion that race: who is first wins, and the other is told (%s first)', async (first) => {
    const executionId = await start('raced', calls('held'));
    const job = await jobOf(executionId, 'held');
    const items = [
      { key: executionId, messageId: 'm1', command: { type: 'OperateExecution', tenant: 'default', operation: 'cancel', id: 'op', by: 'user:eva', reason: '' } as const },
      { key: executionId, messageId: 'm2', command: { type: 'CompleteJob', job: job.id, generation: 0, output: 'done', taint: [] } as const },
    ];
    const outcomes = await running.engine.submit(first === 'cancel' ? items : items.toReversed());
    expect(outcomes[0]).toMatchObject({ kind: 'accepted' });
    if (first === 'cancel') expect(outcomes[1]).toEqual({ kind: 'ignored', reason: 'duplicate' });
    else expect(outcomes[1]).toMatchObject({ kind: 'rejected', rejection: { code: 'operation-not-possible' } });
    expect(await ended(executionId)).toMatchObject({ status: first === 'cancel' ? 'cancelled' : 'completed' });
    expect(resultsOf(executionId)).toHaveLength(1);
    const refusal = { rejection: { message: 'Expected an execution that runs, waits or is suspended to cancel it but this one is completed. Possible now: fork, reset.' } };
    if (first === 'completion') await expect(operate(executionId, 'cancel')).rejects.toMatchObject(refusal);
  });

  it('that meets completions from elsewhere leaves exactly one end', async () => {
    for (let round = 0; round < 10; round++) {
      const executionId = await start('raced-again', calls('held'));
      const job = await jobOf(executionId, 'held');
      const [cancel] = await Promise.allSettled([operate(executionId, 'cancel'), running.send(resultOf(job, 'done'))]);
      expect((await ended(executionId)).status).toBe(cancel.status === 'fulfilled' ? 'cancelled' : 'completed');
      expect(resultsOf(executionId)).toHaveLength(1);
    }
  });
});

describe('terminate', () => {
  it('ends at once without handlers', async () => {
    const executionId = await start('terminated', [compensated(calls('held'), calls('never'))]);
    await jobOf(executionId, 'held');
    expect(await operate(executionId, 'terminate')).toMatchObject({ changed: true, execution: { status: 'cancelled' }, possible: ['fork', 'reset'] });
    expect(await ended(executionId)).toMatchObject({ status: 'cancelled', error: { title: 'terminated', detail: 'because' } });
    const cancelled = running.bus.on('weft.lifecycle', executionId).at(-1)!;
    expect((cancelled.body as LifecycleBody).data).toEqual({ by: 'user:eva', reason: 'because', terminated: true });
    expect(await operate(executionId, 'terminate')).toMatchObject({ changed: false });
  });
});

describe('pause and resume', () => {
  it('keep results, and go on with them', async () => {
    const executionId = await start('paused', calls('held', 'next'));
    const job = await jobOf(executionId, 'held');
    expect(await operate(executionId, 'pause')).toMatchObject({ changed: true, execution: { status: 'suspended' }, possible: ['cancel', 'resume', 'terminate', 'fork', 'reset'] });
    expect(await operate(executionId, 'pause')).toMatchObject({ changed: false });
    await running.send(resultOf(job, 1), resultOf(job, 2));
    await eventually(async () => (await textsOf(executionId)).includes('held until the execution goes on'));
    expect(carriedOut.filter((each) => each.executionId === executionId)).toHaveLength(1);
    expect(await executionRow(executionId)).toMatchObject({ status: 'suspended', ended_at: null });
    expect(await operate(executionId, 'resume')).toMatchObject({ changed: true });
    expect(await ended(executionId)).toMatchObject({ status: 'completed', output: { by: '/do/1/next' } });
    expect(lifecycleOf(executionId)).toEqual(['started', 'suspended', 'resumed', 'completed']);
  });

  it('let a timer that fell due meanwhile fire at resume', async () => {
    const executionId = await start('paused-timer', [{ rest: { wait: { milliseconds: 300 } } }, { done: { set: { ok: true } } }]);
    await eventually(async () => (await waitsOf(executionId)).length === 1);
    await operate(executionId, 'pause');
    expect(await waitsOf(executionId)).toEqual([]);
    const { due } = { due: Date.now() + 400 };
    await eventually(() => Date.now() > due);
    expect(await executionRow(executionId)).toMatchObject({ status: 'suspended' });
    await operate(executionId, 'resume');
    expect(await ended(executionId)).toMatchObject({ status: 'completed' });
    expect(await waitsOf(executionId)).toEqual([]);
  });

  it('are found among the suspended ones', async () => {
    const executionId = await start('paused-listed', calls('held'));
    await jobOf(executionId, 'held');
    await operate(executionId, 'pause');
    const { executions } = await running.controller.listExecutions({ status: 'suspended', page: { limit: 200, cursor: '' }, query: undefined }, context());
    expect(executions.map((each) => each.executionId)).toContain(executionId);
    await operate(executionId, 'terminate');
  });
});

describe('retry', () => {
  it('goes on from the failed task and gives a further result, under an id of its own', async () => {
    const executionId = await start('retried', calls('a', 'broken', 'c'));
    expect(await ended(executionId)).toMatchObject({ status: 'faulted' });
    expect(await executionRow(executionId)).toMatchObject({ status: 'faulted', ended_sequence: 2 });
    expect(await operate(executionId, 'retry')).toMatchObject({ changed: true });
    expect(await ended(executionId, 2)).toMatchObject({ status: 'completed', output: { by: '/do/2/c' } });
    const jobs = carriedOut.filter((job) => job.executionId === executionId);
    expect(jobs.map((job) => [job.pointer, job.generation, job.context?.attempt])).toEqual([
      ['/do/0/a', 0, 1],
      ['/do/1/broken', 0, 1],
      ['/do/1/broken', 0, 2],
      ['/do/2/c', 0, 1],
    ]);
    expect(new Set(running.bus.on(RESULTS, executionId).map(({ id }) => id)).size).toBe(2);
    expect(await running.controller.getExecution({ executionId }, context())).toMatchObject({ status: 'completed', errorJson: '', outputJson: '{"by":"/do/2/c"}' });
    await expect(operate(executionId, 'retry')).rejects.toMatchObject({ rejection: { code: 'operation-not-possible' } });
  });

  it('asks people again for what they were asked when it faulted', async () => {
    const executionId = await start('retried-review', [{ ask: { call: 'review', with: { title: 'ok?', subject: {} }, output: { as: 'if .form == null then error("no form") else . end' } } }]);
    const open = async () => (await running.controller.listReviews(ListReviewsRequest.fromPartial({ limit: 200, cursor: '' }), context())).reviews.find((review) => review.executionId === executionId);
    const first = await eventually(open);
    await running.controller.decide({ reviewId: first.reviewId, outcome: 'approved', comment: '', formJson: '', roles: [] }, context());
    await ended(executionId);
    await operate(executionId, 'retry');
    const again = await eventually(open);
    expect(again.reviewId).not.toBe(first.reviewId);
    await running.controller.decide({ reviewId: again.reviewId, outcome: 'approved', comment: '', formJson: '{"a":1}', roles: [] }, context());
    expect(await ended(executionId, 2)).toMatchObject({ status: 'completed' });
  });

  it('that faults at once is another end: its time, its error', async () => {
    const executionId = await start('retried-for-nothing', [{ no: { raise: { error: { type: 'https://example.test/no', status: 500, detail: '${ now | tostring }' } } } }]);
    await ended(executionId);
    const first = await running.controller.getExecution({ executionId }, context());
    expect(await operate(executionId, 'retry')).toMatchObject({ changed: true, execution: { status: 'faulted' } });
    expect(await executionRow(executionId)).toMatchObject({ status: 'faulted', ended_sequence: 1 });
    const again = await running.controller.getExecution({ executionId }, context());
    expect(JSON.parse(again.errorJson)).toEqual((await ended(executionId, 2)).error);
    expect(again.errorJson).not.toBe(first.errorJson);
  });

  it('opens a review again that the fault withdrew, and lets it be decided', async () => {
    const ask = { ask: { call: 'review', with: { title: 'ok?', subject: {} } } };
    const executionId = await start('retried-beside', [{ both: { fork: { branches: [ask, ...calls('heldThenFails')] } } }]);
    const statuses = async () => (await pool.query<{ status: string }>('select status from orchestration.reviews where execution_id = $1', [executionId])).rows.map(({ status }) => status);
    const job = await jobOf(executionId, 'heldThenFails');
    await running.send(failureOf(job));
    await ended(executionId);
    expect(await statuses()).toEqual(['withdrawn']);
    await operate(executionId, 'retry');
    expect(await statuses()).toEqual(['open']);
    const again = await eventually(() => carriedOut.find((each) => each.id === job.id && each.context?.attempt === 2));
    const { reviews } = await running.controller.listReviews(ListReviewsRequest.fromPartial({ limit: 200, cursor: '' }), context());
    await running.controller.decide({ reviewId: reviews.find((review) => review.executionId === executionId)!.reviewId, outcome: 'approved', comment: '', formJson: '', roles: [] }, context());
    await running.send(resultOf(again, 'done'));
    expect(await ended(executionId, 2)).toMatchObject({ status: 'completed', output: [{ outcome: 'approved' }, 'done'] });
  });
});

describe('fork and reset', () => {
  it('start a new execution from a task, whose effects are its own', async () => {
    const executionId = await start('forked', calls('a', 'b', 'c'), { n: 1 });
    await ended(executionId);
    const forked = await operate(executionId, 'fork', { task: 'b' });
    expect(forked).toMatchObject({ changed: true, execution: { status: 'completed' } });
    const { newExecutionId } = forked;
    expect(await ended(newExecutionId)).toEqual({ executionId: newExecutionId, requestId: `r-${executionId}`, forkedFrom: executionId, status: 'completed', output: { by: '/do/2/c' } });
    expect(carriedOut.filter((job) => job.executionId === newExecutionId).map((job) => job.pointer)).toEqual(['/do/1/b', '/do/2/c']);
    expect(await running.controller.getExecution({ executionId: newExecutionId }, context())).toMatchObject({
      status: 'completed',
      forkedFrom: executionId,
      inputJson: '{"n":1}',
      requestId: `r-${executionId}`,
    });
    expect(await running.controller.getExecution({ executionId }, context())).toMatchObject({ status: 'completed', outputJson: '{"by":"/do/2/c"}' });
    expect((await textsOf(newExecutionId))[0]).toBe(`fork by user:eva of execution ${executionId} from /do/1/b`);
    expect(resultsOf(executionId)).toHaveLength(1);
  });

  it('are one operation when they are told again', async () => {
    const executionId = await start('forked-twice', calls('a', 'b'));
    await ended(executionId);
    const both = await Promise.all([1, 2].map(() => operate(executionId, 'fork', { task: 'b', operationId: 'op-1' })));
    const again = await operate(executionId, 'fork', { task: 'b', operationId: 'op-1' });
    expect(new Set([...both, again].map(({ newExecutionId }) => newExecutionId)).size).toBe(1);
    expect([...both, again].filter(({ changed }) => changed)).toHaveLength(1);
    await ended(again.newExecutionId);
    expect(resultsOf(again.newExecutionId)).toHaveLength(1);
  });

  it('are not each other: an id that a fork took is refused to a reset', async () => {
    const executionId = await start('forked-not-reset', calls('a', 'b'));
    await ended(executionId);
    await operate(executionId, 'fork', { task: 'b', operationId: 'op-1' });
    await expect(operate(executionId, 'reset', { task: 'b', operationId: 'op-1' })).rejects.toMatchObject({ rejection: { code: 'conflict' } });
  });

  it('begin from the bus too, when the process that took the operation is gone', async () => {
    const executionId = await start('forked-by-bus', calls('a', 'b'));
    await ended(executionId);
    const newExecutionId = idOfFork();
    const forkFrom = { executionId, version: 1, key: '/do/1/b', operationId: 'op-2', kind: 'fork', by: 'user:eva', reason: '' };
    await running.send(Command.fromPartial({ id: 'fork', executionId: newExecutionId, context: context(), forkFrom }));
    expect(await ended(newExecutionId)).toMatchObject({ status: 'completed', forkedFrom: executionId });
    const lost = idOfFork();
    await running.send(Command.fromPartial({ id: 'lost', executionId: lost, context: context(), forkFrom: { ...forkFrom, version: 99 } }));
    await eventually(() => running.bus.on('weft.commands.dead').some(({ body }) => JSON.stringify(body).includes('up to version 99')));
  });

  it("from the bus begin nothing that is another tenant's", async () => {
    const executionId = await start('forked-by-stranger', calls('a', 'b'));
    await ended(executionId);
    const newExecutionId = idOfFork();
    const forkFrom = { executionId, version: 1, key: '/do/1/b', operationId: 'op-4', kind: 'fork', by: 'user:mallory', reason: '' };
    await running.send(Command.fromPartial({ id: 'stranger', executionId: newExecutionId, context: context({ tenant: 'acme' }), forkFrom }));
    await eventually(() => running.bus.on('weft.commands.dead').some(({ body }) => JSON.stringify(body).includes(`history of execution ${executionId}`)));
    expect(await executionRow(newExecutionId)).toBeUndefined();
  });

  it('are begun by the commit of the decision where nobody else does', async () => {
    const executionId = await start('forked-unannounced', calls('a', 'b'));
    await ended(executionId);
    const execution = idOfFork();
    running.bus.isAway = true;
    const command = { type: 'OperateExecution', tenant: 'default', operation: 'fork', id: 'op-3', by: 'user:eva', reason: '', fork: { execution, version: 1, key: '/do/1/b' } } as const;
    expect(await running.engine.submit([{ key: executionId, command, messageId: 'm' }])).toMatchObject([{ kind: 'accepted' }]);
    running.bus.isAway = false;
    expect(await ended(execution)).toMatchObject({ status: 'completed', forkedFrom: executionId });
  });

  it('reset ends the old one if it still runs, in the decision that starts the new one', async () => {
    const executionId = await start('reset', calls('a', 'heldB'));
    await jobOf(executionId, 'heldB');
    const { newExecutionId, execution } = await operate(executionId, 'reset', { task: '/do/0/a' });
    expect(execution?.status).toBe('cancelled');
    await running.send(resultOf(await jobOf(newExecutionId, 'heldB'), 'again'));
    expect(await ended(newExecutionId)).toMatchObject({ status: 'completed', forkedFrom: executionId });
    expect(await ended(executionId)).toMatchObject({ status: 'cancelled' });
  });

  it('are refused for a task that was not entered', async () => {
    const executionId = await start('forked-nowhere', calls('a'));
    await ended(executionId);
    await expect(operate(executionId, 'fork', { task: 'b' })).rejects.toMatchObject({ rejection: { code: 'unknown-task', message: expect.stringContaining('It has entered: a.') } });
    await expect(operate(executionId, 'cancel', { task: 'a' })).rejects.toMatchObject({ rejection: { code: 'request-invalid' } });
  });
});

describe('an operation', () => {
  it('on an execution that is not there, or of another tenant, finds nothing', async () => {
    const executionId = await start('private', calls('held'));
    await jobOf(executionId, 'held');
    const asked = { executionId, operation: 'terminate', operationId: '', reason: '', task: '' };
    for (const request of [() => running.controller.operate(asked, context({ tenant: 'acme' })), () => operate(newExecutionId(), 'cancel'), () => operate('nonsense', 'fork')])
      await expect(request()).rejects.toMatchObject({ rejection: { code: 'not-found' } });
    expect(await executionRow(executionId)).toMatchObject({ status: 'running' });
    for (const [operation, more] of [
      ['explode', {}],
      ['pause', { reason: 'x'.repeat(1001) }],
      ['pause', { operationId: 'x'.repeat(256) }],
      ['pause', { operationId: 'nul\u0000' }],
    ] as const)
      await expect(operate(executionId, operation, more)).rejects.toMatchObject({ rejection: { code: 'request-invalid' } });
  });

  it('comes from the bus as well', async () => {
    const executionId = await start('by-bus', calls('held'));
    await jobOf(executionId, 'held');
    const terminate = { id: 'op-9', by: 'service:x', reason: '' };
    await running.send(Command.fromPartial({ id: 'w', executionId, context: context({ tenant: 'acme' }), terminate }));
    expect(await executionRow(executionId), 'of another tenant').toMatchObject({ status: 'running' });
    await running.send(Command.fromPartial({ id: 'x', executionId, context: context(), terminate }));
    expect(await ended(executionId)).toMatchObject({ status: 'cancelled' });
  });
});

describe('another process on the same store', () => {
  it('goes on with what was suspended, and with what came meanwhile', async () => {
    const executionId = await start('paused-over-a-restart', calls('held', 'next'));
    const job = await jobOf(executionId, 'held');
    await operate(executionId, 'pause');
    await running.send(resultOf(job, 1));
    await eventually(async () => (await textsOf(executionId)).includes('held until the execution goes on'));
    const other = await startOrchestration(scratch.address);
    try {
      await other.controller.operate({ executionId, operation: 'resume', operationId: '', reason: '', task: '' }, eva);
      await eventually(() => other.bus.on(RESULTS, executionId)[0]);
      expect(await executionRow(executionId)).toMatchObject({ status: 'completed' });
      await expect(operate(executionId, 'cancel')).rejects.toMatchObject({ rejection: { code: 'operation-not-possible', details: { status: 'completed' } } });
    } finally {
      await other.close();
    }
  });
});
