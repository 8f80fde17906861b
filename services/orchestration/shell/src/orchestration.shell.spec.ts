import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { Command, ListReviewsRequest, type DeadLetterBody, type Job, type ResultBody } from '@weft/contracts';
import { configureLog } from '@weft/nest-platform';
import { eventually } from '@weft/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orchestrationMigrations } from './migrations/index.js';
import { calls, context, definitionText, newExecutionId, RESULTS, resultOf, startCommand, startOrchestration, type RunningOrchestration } from './orchestration.testing.js';

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
    return jobs.filter(({ pointer }) => !pointer.endsWith('/never')).map((job) => resultOf(job, { by: job.pointer }));
  });
});
afterAll(async () => {
  await running.close();
  await pool.end();
  await scratch.close();
});

const ended = (executionId: string): Promise<ResultBody> =>
  eventually(() => running.bus.on(RESULTS, executionId)[0]?.body as ResultBody | undefined, { what: `the result of ${executionId}`, timeoutMs: 10_000 });
const status = async (executionId: string): Promise<string> => (await running.controller.getExecution({ executionId }, context())).status;
const rowsOf = async (executionId: string): Promise<readonly string[]> =>
  (await pool.query<{ structure: string }>('select structure from orchestration.history where execution_id = $1 order by sequence', [executionId])).rows.map(({ structure }) => structure);

async function start(name: string, tasks: readonly object[], input = {}): Promise<string> {
  const definition = await running.deploy(definitionText(name, tasks));
  const executionId = newExecutionId();
  await running.send(startCommand(executionId, definition, input));
  return executionId;
}

describe('orchestration', () => {
  it('carries a workflow of jobs from its start command to one result', async () => {
    const executionId = await start('chain', calls('a', 'b', 'c'));
    expect(await ended(executionId)).toEqual({ executionId, requestId: `r-${executionId}`, status: 'completed', output: { by: '/do/2/c' } });
    expect(await rowsOf(executionId)).toHaveLength(4);
    const execution = await running.controller.getExecution({ executionId }, context());
    expect(execution).toMatchObject({ status: 'completed', version: 3, waits: [], outputJson: '{"by":"/do/2/c"}' });
    expect(running.bus.on('weft.lifecycle', executionId).map(({ type }) => type)).toEqual(['io.serverlessworkflow.workflow.started.v1', 'io.serverlessworkflow.workflow.completed.v1']);
  });

  it('ends a workflow without jobs in its first decision', async () => {
    const executionId = await start('at-once', [{ greet: { set: { hello: '${ .name }' } } }], { name: 'Eva' });
    expect(await ended(executionId)).toMatchObject({ status: 'completed', output: { hello: 'Eva' } });
    expect(await rowsOf(executionId)).toHaveLength(1);
  });

  it('tells workers which task a job is of, and which iteration of it', async () => {
    const [again] = calls('again');
    const counted = { again: { ...(again as { readonly again: object }).again, export: { as: '{ n: (($context.n // 0) + 1) }' } } };
    const executionId = await start('loop', [counted, { more: { switch: [{ yes: { when: '$context.n < 3', then: 'again' } }, { no: { then: 'end' } }] } }]);
    await ended(executionId);
    const jobs = carriedOut.filter((job) => job.executionId === executionId);
    expect(jobs.map(({ pointer, iteration }) => [pointer, iteration])).toEqual(['', '1.again:1', '1.again:2'].map((iteration) => ['/do/0/again', iteration]));
    expect(new Set(jobs.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(3);
    expect(jobs[0]).toMatchObject({ generation: 0, context: { executionId, attempt: 1, tenant: 'default' } });
  });

  it('ignores what it is told twice', async () => {
    const definition = await running.deploy(definitionText('twice', calls('a', 'never')));
    const executionId = newExecutionId();
    const begin = startCommand(executionId, definition);
    await running.send(begin, begin);
    await running.send(begin);
    const job = await eventually(() => carriedOut.find((each) => each.executionId === executionId && each.pointer === '/do/1/never'));
    const first = carriedOut.find((each) => each.executionId === executionId)!;
    await running.send(resultOf(first, 'other'), resultOf(job, 'one'), resultOf(job, 'two'));
    expect(await ended(executionId)).toMatchObject({ output: 'one' });
    await running.send(resultOf(job, 'three'), begin);
    await running.send(Command.fromPartial({ id: 'x', executionId, fireTimer: { timerId: 'none' } }));
    const outcomes = await running.engine.submit([{ key: executionId, command: { type: 'CompleteJob', job: job.id, generation: 0, output: 'four', taint: [] }, messageId: 'm' }]);
    expect(outcomes).toEqual([{ kind: 'ignored', reason: 'duplicate' }]);
    expect(await rowsOf(executionId)).toHaveLength(3);
    expect(running.bus.on(RESULTS, executionId)).toHaveLength(1);
  });

  it('answers a request whose definition is not stored with a fault', async () => {
    const executionId = newExecutionId();
    await running.send(startCommand(executionId, { namespace: 'spec', name: 'gone', version: '1', digest: 'f'.repeat(64) }));
    expect(await ended(executionId)).toMatchObject({ status: 'faulted', error: { type: expect.stringContaining('configuration') } });
  });

  it('sets garbage aside with its reason while its neighbours go on', async () => {
    const definition = await running.deploy(definitionText('neighbour', calls('a')));
    const executionId = newExecutionId();
    await running.send(
      Command.fromPartial({ id: 'g1', executionId: 'no-uuid', fireTimer: { timerId: 't' } }),
      Command.fromPartial({ id: 'g2', executionId: newExecutionId() }),
      Command.fromPartial({ id: 'g3', executionId: newExecutionId(), completeJob: { jobId: 'j', generation: 0, outputJson: '{"cut' } }),
      startCommand(newExecutionId(), undefined),
      startCommand(executionId, definition),
      Command.fromPartial({ ...startCommand(newExecutionId(), definition), start: { ...startCommand('', definition).start!, requestId: 'nul\u0000' } }),
    );
    await ended(executionId);
    const dead = await eventually(() => (running.bus.on('weft.commands.dead').length === 5 ? running.bus.on('weft.commands.dead') : undefined));
    expect(dead.map(({ body }) => (body as DeadLetterBody).reason)).toMatchObject([
      { code: 'message-invalid', message: expect.stringMatching(/execution_id to be a UUID but got "no-uuid"/) },
      { code: 'message-invalid', message: expect.stringMatching(/has none/) },
      { code: 'message-invalid', message: expect.stringMatching(/^Expected JSON in the command's texts/) },
      { code: 'message-invalid', message: expect.stringMatching(/names no tenant or no definition/) },
      { code: 'message-refused', message: expect.stringMatching(/^Expected a command that can be decided but/) },
    ]);
  });
});

describe('timers', () => {
  it('fire when they are due, and not before', async () => {
    const before = Date.now();
    const executionId = await start('wait', [{ pause: { wait: { milliseconds: 800 } } }, { done: { set: { ok: true } } }]);
    await eventually(async () => (await status(executionId).catch(() => '')) === 'waiting');
    const { waits } = await running.controller.getExecution({ executionId }, context());
    expect(waits).toMatchObject([{ kind: 'timer', subject: 'wait' }]);
    expect(await ended(executionId)).toMatchObject({ output: { ok: true } });
    expect(Date.now() - before).toBeGreaterThanOrEqual(800);
    expect((await pool.query('select 1 from orchestration.waits where execution_id = $1', [executionId])).rows).toEqual([]);
  });
});

describe('definitions', () => {
  it('are stored once: the same document again is the same version', async () => {
    const text = definitionText('stored', calls('a'));
    const first = await running.controller.deploy({ text }, context());
    expect(first).toMatchObject({ created: true, ref: { namespace: 'spec', name: 'stored', version: '1.0.0', digest: expect.stringMatching(/^[0-9a-f]{64}$/) } });
    expect(await running.controller.deploy({ text: `# a comment\n${text}` }, context())).toMatchObject({ created: false, ref: first.ref });
    expect(await Promise.all([1, 2, 3].map(() => running.controller.deploy({ text: definitionText('at-once-deployed', calls('a')) }, context())))).toMatchObject([{}, {}, {}]);
  });

  it('are refused when another document has the version already', async () => {
    await running.deploy(definitionText('taken', calls('a')));
    await expect(running.controller.deploy({ text: definitionText('taken', calls('b')) }, context())).rejects.toMatchObject({
      rejection: { code: 'conflict', message: expect.stringMatching(/^Expected a new version: spec\/taken:1\.0\.0 is already deployed/) },
    });
    await expect(running.controller.deploy({ text: definitionText('taken', calls('b'), '1.0.1') }, context())).resolves.toMatchObject({ created: true });
    expect(await running.controller.resolveDefinition({ namespace: 'spec', name: 'taken', version: '' }, context())).toMatchObject({ ref: { version: '1.0.1' } });
  });

  it.each([
    ['YAML that is none', 'document: {', /./],
    ['no document', 'do: []', /document/],
    ['an expression that does not parse', definitionText('bad', [{ a: { set: { x: '${ .a | }' } } }]), /\/do\/0\/a/],
    ['a function that is not in the catalogue', definitionText('bad', [{ a: { call: 'launch-rocket' } }]), /launch-rocket/],
    ['a jump to nowhere', definitionText('bad', [{ a: { set: {}, then: 'nowhere' } }]), /nowhere/],
  ])('are refused with what is wrong where, and leave nothing behind: %s', async (_what, text, reason) => {
    await expect(running.controller.deploy({ text }, context())).rejects.toMatchObject({ name: 'Refused', rejection: { message: expect.stringMatching(reason) } });
    await expect(running.controller.resolveDefinition({ namespace: 'spec', name: 'bad', version: '' }, context())).rejects.toMatchObject({ rejection: { code: 'unknown-workflow' } });
  });
});

describe('reviews', () => {
  const asking = [{ ask: { call: 'review', with: { title: 'Send it?', subject: { amount: 5 } } } }];
  const open = async (executionId: string) =>
    eventually(async () => (await running.controller.listReviews(ListReviewsRequest.fromPartial({ limit: 200, cursor: '' }), context())).reviews.find((review) => review.executionId === executionId));
  const answer = (reviewId: string, outcome: string) => ({ reviewId, outcome, comment: 'fine', formJson: '{"note":1}', roles: [] });

  it('wait for a person, whose decision is the output', async () => {
    const executionId = await start('ask', asking);
    const review = await open(executionId);
    expect(review).toMatchObject({ kind: 'approval', title: 'Send it?', subjectJson: '{"amount":5}', status: 'open' });
    expect(await status(executionId)).toBe('waiting');
    expect(await running.controller.decide(answer(review.reviewId, 'approved'), context({ actor: 'user:eva' }))).toMatchObject({ status: 'approved', decidedBy: 'user:eva', comment: 'fine' });
    expect(await ended(executionId)).toMatchObject({ output: { outcome: 'approved', decidedBy: 'user:eva', form: { note: 1 } } });
  });

  it('are decided once, by an outcome that they know', async () => {
    const review = await open(await start('ask', asking));
    await expect(running.controller.decide(answer(review.reviewId, 'maybe'), context())).rejects.toMatchObject({
      rejection: { code: 'request-invalid', message: 'Expected outcome approved or rejected for this approval review but got "maybe".' },
    });
    for (const unfit of [{ formJson: '{', roles: [] }, { comment: 'nul\u0000' }])
      await expect(running.controller.decide({ ...answer(review.reviewId, 'approved'), ...unfit }, context())).rejects.toMatchObject({ rejection: { code: 'request-invalid' } });
    const both = await Promise.allSettled(['approved', 'rejected'].map((outcome) => running.controller.decide(answer(review.reviewId, outcome), context())));
    expect(both.map((each) => each.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find((each) => each.status === 'rejected')).toMatchObject({ reason: { rejection: { code: 'review-not-open' } } });
  });

  it('are answered as before when the same person decides the same again', async () => {
    const review = await open(await start('ask', asking));
    const first = await running.controller.decide(answer(review.reviewId, 'approved'), context({ actor: 'user:eva' }));
    expect(await running.controller.decide(answer(review.reviewId, 'approved'), context({ actor: 'user:eva' }))).toEqual(first);
    await expect(running.controller.decide(answer(review.reviewId, 'approved'), context({ actor: 'user:ann' }))).rejects.toMatchObject({ rejection: { code: 'review-not-open' } });
  });

  it.each(['none', '', 'nul\u0000'])('that nobody asked for are not found: %j', async (reviewId) => {
    await expect(running.controller.decide(answer(reviewId, 'approved'), context())).rejects.toMatchObject({ rejection: { code: 'not-found' } });
  });
});

describe('two tenants', () => {
  it('see neither executions nor reviews nor definitions of each other', async () => {
    const [ours, theirs] = [context(), context({ tenant: 'acme' })];
    const executionId = await start('private', [{ ask: { call: 'review', with: { title: 'Ours', subject: 1 } } }]);
    const review = await eventually(async () =>
      (await running.controller.listReviews(ListReviewsRequest.fromPartial({ limit: 200, cursor: '' }), ours)).reviews.find((each) => each.executionId === executionId),
    );
    for (const read of [
      () => running.controller.getExecution({ executionId }, theirs),
      () => running.controller.getTimeline({ executionId, afterVersion: -1 }, theirs),
      () => running.controller.decide({ reviewId: review.reviewId, outcome: 'approved', comment: '', formJson: '', roles: [] }, theirs),
      () => running.controller.resolveDefinition({ namespace: 'spec', name: 'private', version: '' }, theirs),
    ])
      await expect(read()).rejects.toMatchObject({ name: 'Refused', rejection: { code: expect.stringMatching(/^(not-found|unknown-workflow)$/) } });
    expect((await running.controller.getMembers({ executionId }, theirs)).members).toEqual([]);
    expect((await running.controller.listExecutions({ status: '', page: { limit: 200, cursor: '' } }, theirs)).executions).toEqual([]);
    expect((await running.controller.listReviews(ListReviewsRequest.fromPartial({ limit: 200, cursor: '' }), theirs)).reviews).toEqual([]);
    expect((await running.controller.listDefinitions({ limit: 200, cursor: '' }, theirs)).definitions).toEqual([]);
    // The same name is theirs to take, with another document.
    await expect(running.controller.deploy({ text: definitionText('private', calls('b')) }, theirs)).resolves.toMatchObject({ created: true });
    expect(await status(executionId)).toBe('waiting');
  });
});

describe('pages', () => {
  it('lead through all executions, newest first, and through all definitions and reviews', async () => {
    const definition = await running.deploy(definitionText('paged', [{ ask: { call: 'review', with: { title: 'Page', subject: null } } }]));
    const ids = Array.from({ length: 7 }, newExecutionId);
    await running.send(...ids.map((id) => startCommand(id, definition, {}, { tenant: 'pages' })));
    const tenant = context({ tenant: 'pages' });
    await eventually(async () => (await running.controller.listReviews(ListReviewsRequest.fromPartial({ limit: 50, cursor: '' }), tenant)).reviews.length === 7);
    const walk = async <P extends { readonly nextCursor: string }>(page: (cursor: string) => Promise<P>, ids: (page: P) => readonly string[]): Promise<readonly string[]> => {
      const seen: string[] = [];
      for (let cursor = ''; ;) {
        const found = await page(cursor);
        seen.push(...ids(found));
        if (found.nextCursor === '') return seen;
        cursor = found.nextCursor;
      }
    };
    const executions = await walk(
      (cursor) => running.controller.listExecutions({ status: 'waiting', page: { limit: 3, cursor } }, tenant),
      (page) => page.executions.map(({ executionId }) => executionId),
    );
    expect(executions).toEqual([...ids].sort().reverse());
    const reviews = await walk(
      (cursor) => running.controller.listReviews(ListReviewsRequest.fromPartial({ limit: 3, cursor }), tenant),
      (page) => page.reviews.map(({ executionId }) => executionId),
    );
    expect([...reviews].sort()).toEqual([...ids].sort());
    const names = await walk(
      (cursor) => running.controller.listDefinitions({ limit: 2, cursor }, context()),
      (page) => page.definitions.map(({ ref }) => `${ref?.name}:${ref?.version}`),
    );
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('paged:1.0.0');
  });

  const cursor = (...parts: readonly unknown[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url');
  it.each(['%%%', 'e30', cursor(), cursor('x'), cursor('x', 'y'), cursor('2026-01-01 00:00:00+00', 'a\u0000'), cursor("1'; --"), cursor(newExecutionId(), 'more', 'more')])(
    'are refused by a cursor that is none: %s',
    async (text) => {
      const refusal = { name: 'Refused', rejection: { code: 'request-invalid', message: expect.stringMatching(/^Expected a cursor from the previous page but got /) } };
      await expect(running.controller.listExecutions({ status: '', page: { limit: 0, cursor: text } }, context())).rejects.toMatchObject(refusal);
      await expect(running.controller.listReviews(ListReviewsRequest.fromPartial({ limit: 0, cursor: text }), context())).rejects.toMatchObject(refusal);
      await expect(running.controller.listDefinitions({ limit: 0, cursor: text }, context())).rejects.toMatchObject(refusal);
    },
  );

  it.each([-1, 0, 1.5, 100_000])('have a sensible size when %d is asked for', async (limit) => {
    expect((await running.controller.listExecutions({ status: '', page: { limit, cursor: '' } }, context())).executions.length).toBeGreaterThan(0);
  });
});

describe('questions about executions that are none', () => {
  it.each(['', 'x', newExecutionId(), "'; drop table x; --"])('are answered with not-found: %s', async (executionId) => {
    await expect(running.controller.getExecution({ executionId }, context())).rejects.toMatchObject({ rejection: { code: 'not-found' } });
    await expect(running.controller.getTimeline({ executionId, afterVersion: -1 }, context())).rejects.toMatchObject({ rejection: { code: 'not-found' } });
  });
});
