import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { ChangeReviewRequest, Command, ListReviewsRequest, TOPICS, type ApprovalRequest, type Job, type ResultBody, type Review } from '@weft/contracts';
import { configureLog } from '@weft/nest-platform';
import { eventually } from '@weft/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orchestrationMigrations } from './migrations/index.js';
import { context, definitionText, newExecutionId, RESULTS, resultOf, startCommand, startOrchestration, type RunningOrchestration } from './orchestration.testing.js';

let scratch: ScratchStore;
let pool: Pool;
let running: RunningOrchestration;
const carriedOut: Job[] = [];
/** How far the clock of whoever decides goes ahead of the store's. */
let aheadMs = 0;

const REQUEST: ApprovalRequest = { digest: 'd'.repeat(64), title: 'Pay 5?', subjectJson: '{"tool":"pay","arguments":{"amount":5},"context":{}}', reasons: ['untrusted input'] };

/** Tools, as far as reviews meet them: what carries no approval of this very action is not done. */
const asksFirst = (job: Job): Command =>
  job.approvals.some(({ digest }) => digest === REQUEST.digest)
    ? resultOf(job, { paid: true })
    : Command.fromPartial({
        id: `${job.id}/${job.context?.attempt}/failed`,
        executionId: job.executionId,
        context: job.context,
        failJob: { jobId: job.id, generation: job.generation, failure: { code: 'approval-required', message: 'Expected an approval.' }, outcome: 'none', approvalRequest: REQUEST },
      });

beforeAll(async () => {
  configureLog({ write: () => undefined });
  scratch = await openScratchStore([orchestrationMigrations]);
  pool = openPool(scratch.address, { role: engineRole('orchestration'), applicationName: 'spec' });
  running = await startOrchestration(
    scratch.address,
    (jobs) => {
      carriedOut.push(...jobs);
      return jobs.map(asksFirst);
    },
    { clock: { now: () => Date.now() + aheadMs } },
  );
});
afterAll(async () => {
  await running.close();
  await pool.end();
  await scratch.close();
});

const start = async (name: string, tasks: readonly object[]): Promise<string> => {
  const executionId = newExecutionId();
  await running.send(startCommand(executionId, await running.deploy(definitionText(name, tasks))));
  return executionId;
};
const open = (executionId: string): Promise<Review> =>
  eventually(async () => (await running.controller.listReviews(ListReviewsRequest.fromPartial({ limit: 200, cursor: '' }), context())).reviews.find((review) => review.executionId === executionId));
const ended = (executionId: string): Promise<ResultBody> => eventually(() => running.bus.on(RESULTS, executionId)[0]?.body as ResultBody | undefined, { what: `the result of ${executionId}` });
const decide = (reviewId: string, outcome: string, actor = 'user:eva') => running.controller.decide({ reviewId, outcome, comment: '', formJson: '', roles: [] }, context({ actor }));
const pay = [{ pay: { call: 'tool', with: { name: 'pay', arguments: { amount: 5 } } } }];

describe('an action that needs an approval', () => {
  it('waits as a review that shows it with its digest, and is carried out once under the same key when it is approved', async () => {
    const executionId = await start('pay', pay);
    const review = await open(executionId);
    expect(review).toMatchObject({ kind: 'action', title: 'Pay 5?', digest: REQUEST.digest, workflow: 'spec/pay:1.0.0', requestedBy: 'key:k1', status: 'open' });
    expect(JSON.parse(review.subjectJson)).toMatchObject({ action: JSON.parse(REQUEST.subjectJson), reasons: REQUEST.reasons });
    expect(review.expiresAtMs).toBeGreaterThan(Date.now());
    expect(await decide(review.reviewId, 'approved')).toMatchObject({ status: 'approved', decidedBy: 'user:eva' });
    expect(await ended(executionId)).toMatchObject({ status: 'completed', output: { paid: true } });
    const jobs = carriedOut.filter((job) => job.executionId === executionId);
    expect(jobs.map(({ approvals }) => approvals.map(({ reviewId, digest, decidedBy }) => ({ reviewId, digest, decidedBy })))).toEqual([
      [],
      [{ reviewId: review.reviewId, digest: REQUEST.digest, decidedBy: ['user:eva'] }],
    ]);
    expect(new Set(jobs.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    await expect(decide(review.reviewId, 'approved', 'user:ann')).rejects.toMatchObject({ rejection: { code: 'review-not-open' } });
  });

  it('is not carried out when it is rejected', async () => {
    const executionId = await start('pay', pay);
    await decide((await open(executionId)).reviewId, 'rejected');
    expect(await ended(executionId)).toMatchObject({ status: 'faulted', error: { title: 'denied' } });
    expect(carriedOut.filter((job) => job.executionId === executionId)).toHaveLength(1);
  });

  it('is withdrawn with a cancel of its execution', async () => {
    const executionId = await start('pay', pay);
    const { reviewId } = await open(executionId);
    await running.controller.operate({ executionId, operation: 'cancel', operationId: '', reason: '', task: '' }, context());
    expect((await pool.query('select status from orchestration.reviews where id = $1', [reviewId])).rows).toEqual([{ status: 'withdrawn' }]);
    await expect(decide(reviewId, 'approved')).rejects.toMatchObject({ rejection: { code: 'review-not-open' } });
  });
});

const change = (reviewId: string, wanted: string, actor: string, more: Partial<ChangeReviewRequest> = {}, tenant = 'default') =>
  running.controller.changeReview(ChangeReviewRequest.fromPartial({ reviewId, change: wanted, ...more }), context({ actor, tenant }));
const list = async (asked: Partial<ListReviewsRequest>, actor = 'user:eva', tenant = 'default'): Promise<string[]> =>
  (await running.controller.listReviews(ListReviewsRequest.fromPartial({ limit: 200, ...asked }), context({ actor, tenant }))).reviews.map(({ reviewId }) => reviewId);
const ask = (given: object = {}): object[] => [{ ask: { call: 'review', with: { title: 'Send it?', subject: { amount: 5 }, ...given } } }];

describe("a review in somebody's hand", () => {
  it('shows who has it and keeps everybody else from it, in the list too', async () => {
    const executionId = await start('claims', ask());
    const { reviewId } = await open(executionId);
    const claimed = await change(reviewId, 'claim', 'user:eva', { leaseMs: 60_000 });
    expect(claimed).toMatchObject({ status: 'open', claimedBy: 'user:eva' });
    expect(claimed.claimedUntilMs).toBeGreaterThan(Date.now() + 50_000);
    for (const refused of [change(reviewId, 'claim', 'user:ann'), decide(reviewId, 'approved', 'user:ann')]) await expect(refused).rejects.toMatchObject({ rejection: { code: 'review-claimed' } });
    expect(await list({ mine: true, executionId }, 'user:eva')).toEqual([reviewId]);
    expect(await list({ mine: true, executionId }, 'user:ann')).toEqual([]);
    await change(reviewId, 'delegate', 'user:eva', { to: 'user:ann', text: 'I am away.' });
    expect(await list({ mine: true, executionId }, 'user:ann')).toEqual([reviewId]);
    expect(await change(reviewId, 'release', 'user:ann')).toMatchObject({ claimedBy: '', claimedUntilMs: 0 });
    expect(await decide(reviewId, 'approved')).toMatchObject({ status: 'approved', claimedBy: '' });
  });

  it('keeps all that happened to it, and what was said', async () => {
    const { reviewId } = await open(await start('history', ask({ assignees: ['eva'] })));
    await change(reviewId, 'comment', 'user:bob', { text: 'Why so much?' });
    await change(reviewId, 'claim', 'user:eva');
    await running.controller.decide({ reviewId, outcome: 'rejected', comment: 'Too much.', formJson: '', roles: [] }, context({ actor: 'user:eva' }));
    const { review, entries } = await running.controller.getReview({ reviewId }, context());
    expect(review).toMatchObject({ reviewId, status: 'rejected', assignees: ['user:eva'], comment: 'Too much.' });
    expect(entries.map(({ what, by, text }) => [what, by, text])).toEqual([
      ['requested', '', ''],
      ['commented', 'user:bob', 'Why so much?'],
      ['claimed', 'user:eva', ''],
      ['rejected', 'user:eva', 'Too much.'],
    ]);
  });

  it('is claimed by one of many who try at once', async () => {
    const { reviewId } = await open(await start('race', ask()));
    const tries = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => change(reviewId, 'claim', `user:u${n}`)));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const { entries } = await running.controller.getReview({ reviewId }, context());
    expect(entries.filter(({ what }) => what === 'claimed')).toHaveLength(1);
  });
});

describe('the queue', () => {
  it('is found by status, kind, role, workflow, execution and due time, page by page', async () => {
    const executionId = await start('queue', [{ both: { fork: { branches: [...ask({ assignees: ['role:finance'], due: 'PT1H' }), ...pay] } } }]);
    await eventually(async () => (await list({ executionId })).length === 2);
    expect(await list({ executionId, kind: 'action' })).toHaveLength(1);
    await expect(list({ executionId, kind: 'aproval' })).rejects.toMatchObject({ rejection: { code: 'request-invalid', message: expect.stringContaining('effect-outcome') } });
    const finance = await list({ executionId, role: 'finance' });
    expect(finance).toHaveLength(1);
    expect(await list({ executionId, role: 'legal' })).toEqual([]);
    expect(await list({ workflow: 'spec/queue' })).toHaveLength(2);
    expect(await list({ workflow: 'spec/queue:2.0.0' })).toEqual([]);
    expect(await list({ executionId, dueBeforeMs: Date.now() + 2 * 3_600_000 })).toEqual(finance);
    expect(await list({ executionId, dueBeforeMs: Date.now() })).toEqual([]);
    expect(await list({ executionId, mine: true, roles: ['finance'] })).toHaveLength(2);
    expect(await list({ executionId, mine: true })).toHaveLength(1);
    await decide((await list({ executionId, kind: 'action' }))[0]!, 'rejected');
    expect(await list({ executionId, status: 'rejected' })).toHaveLength(1);
    expect(await list({ executionId, status: 'withdrawn' })).toEqual(finance);
    const page = await running.controller.listReviews(ListReviewsRequest.fromPartial({ executionId, status: 'all', limit: 1 }), context());
    const next = await running.controller.listReviews(ListReviewsRequest.fromPartial({ executionId, status: 'all', limit: 1, cursor: page.nextCursor }), context());
    expect(new Set([...page.reviews, ...next.reviews].map(({ reviewId }) => reviewId)).size).toBe(2);
    expect(next.nextCursor).toBe('');
  });

  it.each([{ status: 'lost' }, { executionId: 'x' }, { workflow: 'noslash' }, { role: 'nul\u0000' }, { dueBeforeMs: -1 }])('refuses a question that cannot be meant: %j', async (asked) => {
    await expect(list(asked)).rejects.toMatchObject({ rejection: { code: 'request-invalid' } });
  });

  it('is closed to other tenants: they see no review, and can neither claim, comment on nor decide one', async () => {
    const executionId = await start('tenants', ask());
    const { reviewId } = await open(executionId);
    expect(await list({ status: 'all', executionId }, 'user:eva', 'acme')).toEqual([]);
    await expect(running.controller.getReview({ reviewId }, context({ tenant: 'acme' }))).rejects.toMatchObject({ rejection: { code: 'not-found' } });
    for (const wanted of ['claim', 'release', 'delegate', 'comment'])
      await expect(change(reviewId, wanted, 'user:eva', { to: 'user:eva', text: 'x' }, 'acme')).rejects.toMatchObject({ rejection: { code: 'not-found' } });
    const { entries } = await running.controller.getReview({ reviewId }, context());
    expect(entries).toHaveLength(1);
  });
});

describe('several approvals', () => {
  it('are counted in the row, and the second of the same person is the first', async () => {
    const executionId = await start('two', ask({ approvals: 2 }));
    const { reviewId } = await open(executionId);
    await expect(decide(reviewId, 'approved', 'key:k1')).rejects.toMatchObject({ rejection: { code: 'review-not-yours' } });
    expect(await decide(reviewId, 'approved', 'user:eva')).toMatchObject({ status: 'open', approvalsNeeded: 2, approvedBy: ['user:eva'] });
    expect(await decide(reviewId, 'approved', 'user:eva')).toMatchObject({ status: 'open', approvedBy: ['user:eva'] });
    expect(await list({ executionId, mine: true }, 'user:eva')).toEqual([]);
    expect(await decide(reviewId, 'approved', 'user:ann')).toMatchObject({ status: 'approved', approvedBy: ['user:eva', 'user:ann'] });
    expect(await decide(reviewId, 'approved', 'user:eva')).toMatchObject({ status: 'approved' });
    expect(await ended(executionId)).toMatchObject({ output: { approvedBy: ['user:eva', 'user:ann'] } });
  });
});

describe('the time of a review', () => {
  const told = (executionId: string): string[] => running.bus.on(TOPICS.lifecycle.name, executionId).map(({ type }) => type);

  it('escalates it to others, and ends it as a timeout that tells the world', async () => {
    const executionId = await start('late', ask({ assignees: ['user:ann'], escalate: { after: 'PT1S', to: 'role:heads' }, expires: 'PT2S' }));
    const { reviewId } = await open(executionId);
    await eventually(async () => (await list({ executionId, role: 'heads' })).length === 1, { timeoutMs: 10_000 });
    expect(await ended(executionId)).toMatchObject({ status: 'faulted', error: { title: 'timeout' } });
    expect((await running.controller.getReview({ reviewId }, context())).review).toMatchObject({ status: 'expired' });
    expect(told(executionId).filter((type) => type.startsWith('ai.weft.review.'))).toEqual(['ai.weft.review.requested.v1', 'ai.weft.review.escalated.v1', 'ai.weft.review.expired.v1']);
  });

  it('passes in a row of the store: who polls fires it, whoever set it', async () => {
    const executionId = await start('parked', ask({ expires: 'PT1H' }));
    await open(executionId);
    const { rows } = await pool.query<{ kind: string; due_at: Date }>('select kind, due_at from orchestration.waits where execution_id = $1', [executionId]);
    expect(rows).toMatchObject([{ kind: 'review' }]);
    expect(rows[0]!.due_at.getTime()).toBeGreaterThan(Date.now() + 3_000_000);
    aheadMs = 3_700_000;
    await pool.query('update orchestration.waits set due_at = now() where execution_id = $1', [executionId]);
    expect(await ended(executionId)).toMatchObject({ status: 'faulted', error: { title: 'timeout' } });
    aheadMs = 0;
  });

  it('tells of reviews that are withdrawn', async () => {
    const executionId = await start('gone', ask());
    await open(executionId);
    await running.controller.operate({ executionId, operation: 'terminate', operationId: '', reason: '', task: '' }, context());
    await eventually(() => told(executionId).includes('ai.weft.review.withdrawn.v1'));
  });
});
