import { describe, expect, it } from 'vitest';
import { running, type Running } from '../../interpreter/running.testing.js';
import { ACTION_REVIEW_MS, APPROVAL_VALID_MS } from '../../review/review.terms.js';
import { waitsOf } from '../effects-between.js';
import type { CommandOf } from '../execution.commands.js';

const DIGEST = 'a'.repeat(64);
const KEY = '/do/0/pay';
const pay = { pay: { call: 'tool', with: { name: 'pay', arguments: { amount: 5 } } } };

const ask = (run: Running, more: Partial<CommandOf<'FailJob'>> = {}, digest = DIGEST): void => {
  const job = run.state.jobs[run.jobId(KEY)]!;
  run.accept({
    type: 'FailJob',
    job: job.id,
    generation: job.generation,
    attempt: job.attempt,
    failure: { code: 'approval-required', message: 'Expected an approval.', retryable: false },
    outcome: 'none',
    needsPerson: false,
    platform: false,
    approvalRequest: { digest, title: 'Pay 5?', subject: { tool: 'pay', arguments: { amount: 5 }, context: {} }, reasons: ['it pays'] },
    ...more,
  });
};
const decision = (run: Running, outcome: string, more: Partial<CommandOf<'DecideReview'>> = {}): CommandOf<'DecideReview'> => ({
  type: 'DecideReview',
  tenant: 'default',
  review: Object.keys(run.state.reviews)[0]!,
  outcome,
  comment: '',
  form: null,
  decidedBy: 'user:eva',
  ...more,
});
const asked = (tasks: readonly object[] = [pay]): Running => {
  const run = running({ do: tasks }, {}).start();
  ask(run);
  return run;
};
const approvals = (run: Running) => Object.values(run.state.approvals);

describe('an action that needs an approval', () => {
  it('is shown to a person with its digest, and nothing is dispatched meanwhile', () => {
    const run = asked();
    expect(run.jobs()).toEqual([]);
    expect(Object.values(run.state.reviews)).toMatchObject([
      { kind: 'action', title: 'Pay 5?', terms: { digest: DIGEST, expires: 1_000_000 + ACTION_REVIEW_MS }, subject: { action: { tool: 'pay', arguments: { amount: 5 } }, reasons: ['it pays'] } },
    ]);
    expect([...waitsOf(run.state).values()]).toMatchObject([{ kind: 'review', due: 1_000_000 + ACTION_REVIEW_MS }]);
  });

  it('goes on as the same job under the same key once approved, with the word of who decided', () => {
    const run = asked();
    const before = run.state.jobs[run.jobId(KEY)]!;
    run.accept(decision(run, 'approved'));
    expect(run.state.jobs[run.jobId(KEY)]).toMatchObject({ id: before.id, generation: before.generation, attempt: 2, input: before.input, asked: false });
    expect(approvals(run)).toMatchObject([{ job: before.id, digest: DIGEST, decidedBy: ['user:eva'], decidedAt: 1_000_000, expires: 1_000_000 + APPROVAL_VALID_MS }]);
    run.complete(KEY, { paid: true });
    expect(run.state).toMatchObject({ status: 'completed', approvals: {} });
  });

  it('fails its task as denied when it is rejected, and the workflow may catch that', () => {
    const caught = { guard: { try: [pay], catch: { errors: { with: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/authorization' } }, as: 'e', do: [{ no: { set: '${ $e }' } }] } } };
    const run = running({ do: [caught] }, {}).start();
    const key = '/do/0/guard/try/0/pay';
    const job = run.state.jobs[run.jobId(key)]!;
    run.accept({
      type: 'FailJob',
      job: job.id,
      generation: 0,
      failure: { code: 'approval-required', message: '', retryable: false },
      outcome: 'none',
      needsPerson: false,
      platform: false,
      approvalRequest: { digest: DIGEST, title: '', subject: null, reasons: [] },
    });
    run.accept(decision(run, 'rejected', { comment: 'Too much.' }));
    expect(run.state).toMatchObject({ status: 'completed', output: { title: 'denied', detail: 'Expected the action to be approved but it was rejected by user:eva: Too much.' }, approvals: {} });
  });

  it('is decided once: a second word, one for an unknown review and one of another tenant are refused', () => {
    const run = asked();
    const first = decision(run, 'approved');
    expect(run.command({ ...first, tenant: 'other' })).toMatchObject({ kind: 'rejected', rejection: { code: 'unknown-execution' } });
    expect(run.command({ ...first, outcome: 'happened' })).toMatchObject({ kind: 'rejected', rejection: { code: 'request-invalid' } });
    run.accept(first);
    for (const again of [first, { ...first, outcome: 'rejected' }, { ...first, review: 'x' }]) expect(run.command(again)).toMatchObject({ kind: 'rejected', rejection: { code: 'review-not-open' } });
  });

  it('expires as a timeout, before which the clock does nothing and after which nobody can decide', () => {
    const run = asked();
    const [review] = Object.keys(run.state.reviews);
    run.passUntil(1_000_000 + ACTION_REVIEW_MS - 1);
    expect(run.command({ type: 'FireTimer', timer: review! })).toEqual({ kind: 'ignored', reason: 'stale' });
    run.passUntil(1_000_000 + ACTION_REVIEW_MS);
    expect(run.command(decision(run, 'approved'))).toMatchObject({ kind: 'rejected', rejection: { code: 'review-not-open' } });
    run.accept({ type: 'FireTimer', timer: review! });
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'timeout' }, approvals: {} });
    expect(run.command({ type: 'FireTimer', timer: review! })).toEqual({ kind: 'ignored', reason: 'duplicate' });
  });

  it('does not expire while the execution is suspended', () => {
    const run = asked();
    run.accept({ type: 'OperateExecution', tenant: 'default', operation: 'pause', id: 'p', by: 'user:eva', reason: '' });
    expect([...waitsOf(run.state).values()]).toMatchObject([{ kind: 'review', due: undefined }]);
    run.passUntil(1_000_000 + ACTION_REVIEW_MS);
    expect(run.command({ type: 'FireTimer', timer: Object.keys(run.state.reviews)[0]! })).toEqual({ kind: 'ignored', reason: 'stale' });
  });

  it('is asked about anew when it has changed, and the earlier word no longer travels', () => {
    const run = asked();
    run.accept(decision(run, 'approved'));
    const first = approvals(run)[0]!.review;
    ask(run, {}, 'b'.repeat(64));
    expect(approvals(run)).toEqual([]);
    const [review] = Object.values(run.state.reviews);
    expect(review).toMatchObject({ kind: 'action', terms: { digest: 'b'.repeat(64) } });
    expect(review!.id).not.toBe(first);
  });

  it('keeps the word for the same key after an unknown outcome, and drops it when the action is another generation', () => {
    const retried = (outcome: 'unknown' | 'failed'): Running => {
      const run = running({ do: [{ guard: { try: [pay], catch: { errors: {}, retry: { limit: { attempt: { count: 1 } } } } } }] }, {}).start();
      const job = run.state.jobs[run.jobId('/do/0/guard/try/0/pay')]!;
      const failed = { type: 'FailJob', job: job.id, generation: 0, failure: { code: 'unreachable', message: '', retryable: true }, outcome: 'none', needsPerson: false, platform: false } as const;
      run.accept({ ...failed, approvalRequest: { digest: DIGEST, title: '', subject: null, reasons: [] } });
      run.accept(decision(run, 'approved'));
      run.accept({ ...failed, outcome });
      expect(run.jobs()).toHaveLength(1);
      return run;
    };
    expect(approvals(retried('unknown'))).toHaveLength(1);
    expect(approvals(retried('failed'))).toEqual([]);
  });

  it('keeps the word while a person is asked whether it happened', () => {
    const run = asked();
    run.accept(decision(run, 'approved'));
    ask(run, { failure: { code: 'effect-unknown', message: 'The answer was lost.', retryable: false }, outcome: 'unknown', needsPerson: true, approvalRequest: undefined } as never);
    expect(Object.values(run.state.reviews)).toMatchObject([{ kind: 'effect-outcome' }]);
    expect(approvals(run)).toHaveLength(1);
  });

  it('is not asked about twice when its job is reported twice', () => {
    const run = asked();
    const job = run.state.jobs[run.jobId(KEY)]!;
    expect(
      run.command({ type: 'FailJob', job: job.id, generation: 0, attempt: 1, failure: { code: 'x', message: '', retryable: false }, outcome: 'none', needsPerson: false, platform: false }),
    ).toMatchObject({
      kind: 'ignored',
    });
  });

  it('leaves its approval behind when the execution is forked beside it', () => {
    const both = { both: { fork: { branches: [pay, { rest: { wait: { hours: 1 } } }] } } };
    const run = running({ do: [both, { last: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } }] }, {}).start();
    const key = '/do/0/both/fork/branches/0/pay';
    const job = run.state.jobs[run.jobId(key)]!;
    run.accept({
      type: 'FailJob',
      job: job.id,
      generation: 0,
      failure: { code: 'approval-required', message: '', retryable: false },
      outcome: 'none',
      needsPerson: false,
      platform: false,
      approvalRequest: { digest: DIGEST, title: '', subject: null, reasons: [] },
    });
    run.accept(decision(run, 'approved'));
    run.fireTimer();
    run.complete(key, {});
    const version = run.rows.length - 1;
    const fork = run.sibling('00000000-0000-7000-8000-000000000002');
    const from = { execution: run.state.executionId, version, key: '/do/1/last', operation: 'f', kind: 'fork', by: 'user:eva' } as const;
    const events = run.rows.flat();
    fork.accept({ type: 'BeginFork', executionId: fork.executionId, from, reason: '', events });
    expect(events.some(({ type }) => type === 'ActionApproved')).toBe(true);
    expect(fork.rows.flat().some(({ type }) => type === 'ActionApproved')).toBe(false);
  });

  it('tells the world that it was asked about and decided', () => {
    const run = asked();
    run.accept(decision(run, 'approved'));
    expect(run.announcements().map((announcement) => ('type' in announcement ? announcement.type : announcement.to))).toEqual([
      'io.serverlessworkflow.workflow.started.v1',
      'ai.weft.review.requested.v1',
      'ai.weft.review.decided.v1',
    ]);
  });
});
