import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { Command, type ApprovalRequest, type Job, type ResultBody, type Review } from '@weft/contracts';
import { configureLog } from '@weft/nest-platform';
import { eventually } from '@weft/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orchestrationMigrations } from './migrations/index.js';
import { context, definitionText, newExecutionId, RESULTS, resultOf, startCommand, startOrchestration, type RunningOrchestration } from './orchestration.testing.js';

let scratch: ScratchStore;
let pool: Pool;
let running: RunningOrchestration;
const carriedOut: Job[] = [];

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
  running = await startOrchestration(scratch.address, (jobs) => {
    carriedOut.push(...jobs);
    return jobs.map(asksFirst);
  });
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
  eventually(async () => (await running.controller.listReviews({ limit: 200, cursor: '' }, context())).reviews.find((review) => review.executionId === executionId));
const ended = (executionId: string): Promise<ResultBody> => eventually(() => running.bus.on(RESULTS, executionId)[0]?.body as ResultBody | undefined, { what: `the result of ${executionId}` });
const decide = (reviewId: string, outcome: string, actor = 'user:eva') => running.controller.decide({ reviewId, outcome, comment: '', formJson: '' }, context({ actor }));
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
