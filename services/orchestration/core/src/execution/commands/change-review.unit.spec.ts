import { describe, expect, it } from 'vitest';
import { running, type Running } from '../../interpreter/running.testing.js';
import { CHANGES_MAX, CLAIM_MS } from '../../review/review.terms.js';
import { announcementsOf } from '../announcements.js';
import { effectsBetween, waitsOf } from '../effects-between.js';
import { evolveExecution } from '../execution.evolve.js';
import { initialExecution } from '../execution.state.js';
import type { CommandOf } from '../execution.commands.js';

const START = 1_000_000;
const HOUR = 3_600_000;

const asked = (given: object = {}): Running => running({ do: [{ ask: { call: 'review', with: { title: 'Send it?', subject: { amount: 5 }, ...given } } }, { out: { set: '${ . }' } }] }, {}).start();
const review = (run: Running) => Object.values(run.state.reviews)[0]!;
const change = (run: Running, wanted: CommandOf<'ChangeReview'>['change'], more: Partial<CommandOf<'ChangeReview'>> = {}): CommandOf<'ChangeReview'> => ({
  type: 'ChangeReview',
  tenant: 'default',
  review: Object.keys(run.state.reviews)[0] ?? 'none',
  change: wanted,
  by: 'user:eva',
  roles: [],
  leaseMs: 0,
  to: '',
  text: '',
  ...more,
});
const decision = (run: Running, decidedBy: string, more: Partial<CommandOf<'DecideReview'>> = {}): CommandOf<'DecideReview'> => ({
  type: 'DecideReview',
  tenant: 'default',
  review: Object.keys(run.state.reviews)[0] ?? 'none',
  outcome: 'approved',
  comment: '',
  form: null,
  decidedBy,
  roles: [],
  ...more,
});
const code = (run: Running, command: CommandOf<'ChangeReview'> | CommandOf<'DecideReview'>): string => {
  const answer = run.command(command);
  return answer.kind === 'rejected' ? answer.rejection.code : answer.kind;
};

describe('a claim', () => {
  it('keeps others from deciding, claiming and handing over until it runs out, and can be renewed', () => {
    const run = asked();
    run.accept(change(run, 'claim'));
    expect(review(run).claim).toEqual({ by: 'user:eva', until: START + CLAIM_MS.default });
    for (const other of [change(run, 'claim', { by: 'user:ann' }), change(run, 'release', { by: 'user:ann' }), change(run, 'delegate', { by: 'user:ann', to: 'user:bob' }), decision(run, 'user:ann')])
      expect(code(run, other)).toBe('review-claimed');
    run.passUntil(START + CLAIM_MS.default - 1);
    run.accept(change(run, 'claim', { leaseMs: HOUR }));
    expect(code(run, decision(run, 'user:ann'))).toBe('review-claimed');
    run.passUntil(START + CLAIM_MS.default - 1 + HOUR);
    expect(code(run, decision(run, 'user:ann'))).toBe('accepted');
    run.accept(change(run, 'claim', { by: 'user:ann' }));
    expect(code(run, decision(run, 'user:eva'))).toBe('review-claimed');
  });

  it('is given back, which a second time changes nothing', () => {
    const run = asked();
    run.accept(change(run, 'claim'));
    run.accept(change(run, 'release'));
    expect(review(run).claim).toBeUndefined();
    expect(run.command(change(run, 'release'))).toEqual({ kind: 'ignored', reason: 'duplicate' });
    expect(code(run, decision(run, 'user:ann'))).toBe('accepted');
  });

  it.each([999, CLAIM_MS.max + 1, -1, Number.NaN])('of %d ms is refused', (leaseMs) => {
    const run = asked();
    expect(code(run, change(run, 'claim', { leaseMs }))).toBe('request-invalid');
  });
});

describe('who may decide', () => {
  it('is whoever the review is for, by name or by a role', () => {
    const run = asked({ assignees: ['user:ann', 'role:finance'] });
    for (const stranger of [decision(run, 'user:eva'), decision(run, 'user:eva', { roles: ['sales'] }), change(run, 'claim'), change(run, 'delegate', { to: 'user:eva' })])
      expect(code(run, stranger)).toBe('review-not-yours');
    expect(code(run, decision(run, 'user:ann'))).toBe('accepted');
    expect(code(run, decision(run, 'user:eva', { roles: ['sales', 'finance'] }))).toBe('accepted');
  });

  it('is a user where nothing else is said', () => {
    expect(review(asked({ assignees: ['ann', 'role:finance'] })).terms?.assignees).toEqual(['user:ann', 'role:finance']);
  });

  it('is also whoever it was handed to, who then has it in hand', () => {
    const run = asked({ assignees: ['user:ann'] });
    run.accept(change(run, 'delegate', { by: 'user:ann', to: 'user:eva', text: 'I am away.' }));
    expect(review(run).claim).toEqual({ by: 'user:eva', until: START + CLAIM_MS.default });
    expect(code(run, decision(run, 'user:ann'))).toBe('review-claimed');
    expect(code(run, decision(run, 'user:eva'))).toBe('accepted');
  });

  it('is a role that it was handed to, of whom anyone may take it', () => {
    const run = asked({ assignees: ['user:ann'] });
    run.accept(change(run, 'claim', { by: 'user:ann' }));
    run.accept(change(run, 'delegate', { by: 'user:ann', to: 'role:legal' }));
    expect(review(run).claim).toBeUndefined();
    expect(code(run, decision(run, 'user:eva', { roles: ['legal'] }))).toBe('accepted');
  });

  it.each(['', 'user:', 'user:a b', 'team:x', `user:${'x'.repeat(101)}`])('is nobody of the name %j', (to) => {
    const run = asked();
    expect(code(run, change(run, 'delegate', { to }))).toBe('request-invalid');
  });
});

describe('comments', () => {
  it('are open to everyone of the tenant and change nothing else', () => {
    const run = asked({ assignees: ['user:ann'] });
    const before = run.state;
    run.accept(change(run, 'comment', { by: 'user:bob', text: 'Why so much?' }));
    expect(run.state.jobs).toBe(before.jobs);
    expect(effectsBetween(before, run.state)).toMatchObject({ park: [], unpark: [], openReviews: [{ changes: 1 }] });
    expect(code(run, change(run, 'comment'))).toBe('request-invalid');
    expect(code(run, change(run, 'comment', { text: 'x'.repeat(10_001) }))).toBe('request-invalid');
  });

  it('and claims come to an end, but decisions do not', () => {
    const run = asked();
    for (let n = 0; n < CHANGES_MAX; n++) run.accept(change(run, 'comment', { text: `${n}` }));
    expect(code(run, change(run, 'comment', { text: 'one more' }))).toBe('too-many-changes');
    expect(code(run, change(run, 'claim'))).toBe('too-many-changes');
    expect(code(run, decision(run, 'user:eva'))).toBe('accepted');
  });
});

describe('several approvals', () => {
  it('come from as many different people, none of whom started the execution', () => {
    const run = asked({ approvals: 2 });
    expect(code(run, decision(run, 'a'))).toBe('review-not-yours');
    run.accept(decision(run, 'user:ann', { comment: 'fine' }));
    expect(review(run).approvedBy).toEqual(['user:ann']);
    expect(run.command(decision(run, 'user:ann'))).toEqual({ kind: 'ignored', reason: 'duplicate' });
    run.accept(decision(run, 'user:eva'));
    expect(run.state).toMatchObject({ status: 'completed', output: { outcome: 'approved', decidedBy: 'user:eva', approvedBy: ['user:ann', 'user:eva'] } });
  });

  it('are kept from nobody by somebody who has no word in it: no claim of theirs, and nothing is handed to them', () => {
    const run = asked({ approvals: 2 });
    expect(code(run, change(run, 'claim', { by: run.state.context.actor }))).toBe('review-not-yours');
    expect(code(run, change(run, 'claim', { by: 'user:ann' }))).toBe('accepted');
    run.accept(decision(run, 'user:ann'));
    expect(code(run, change(run, 'claim', { by: 'user:ann' }))).toBe('review-not-yours');
    expect(code(run, change(run, 'delegate', { by: 'user:ann', to: 'user:ann' }))).toBe('request-invalid');
    expect(code(run, change(run, 'delegate', { by: 'user:ann', to: 'user:eva' }))).toBe('accepted');
  });

  it('are ended by one rejection', () => {
    const run = asked({ approvals: 3 });
    run.accept(decision(run, 'user:ann'));
    run.accept(decision(run, 'user:eva', { outcome: 'rejected' }));
    expect(run.state).toMatchObject({ status: 'completed', output: { outcome: 'rejected', decidedBy: 'user:eva' } });
  });

  it('give the review back when whoever had it in hand approves', () => {
    const run = asked({ approvals: 2 });
    run.accept(change(run, 'claim', { by: 'user:ann' }));
    run.accept(decision(run, 'user:ann'));
    expect(code(run, decision(run, 'user:eva'))).toBe('accepted');
  });
});

describe('a form', () => {
  const form = { type: 'object', required: ['amount'], properties: { amount: { type: 'number', maximum: 10 } } };

  it('must be filled in as it asks to approve, and names the field that is not', () => {
    const run = asked({ form });
    expect(run.command(decision(run, 'user:eva'))).toMatchObject({ kind: 'rejected', rejection: { code: 'request-invalid' } });
    expect(run.command(decision(run, 'user:eva', { form: { amount: 11 } }))).toMatchObject({ kind: 'rejected', rejection: { message: expect.stringContaining('/amount') } });
    run.accept(decision(run, 'user:eva', { form: { amount: 10 } }));
    expect(run.state).toMatchObject({ status: 'completed', output: { form: { amount: 10 } } });
  });

  it('is not asked of a rejection', () => {
    const run = asked({ form });
    expect(code(run, decision(run, 'user:eva', { outcome: 'rejected' }))).toBe('accepted');
  });
});

describe('time', () => {
  const due = (run: Running): number | undefined => [...waitsOf(run.state).values()][0]?.due;
  const fire = (run: Running): void => {
    run.passUntil(due(run)!);
    run.accept({ type: 'FireTimer', timer: review(run).id });
  };

  it('reminds, says that it is overdue, escalates and at last ends a review, each at its instant', () => {
    const run = asked({ assignees: ['user:ann'], remindAfter: 'PT2H', due: { hours: 3 }, escalate: [{ after: 'PT5H', to: 'role:heads' }], expires: 'PT7H' });
    const instants: number[] = [];
    const names: string[] = [];
    for (const before = run.rows.length; run.state.status === 'running';) {
      instants.push((due(run)! - START) / HOUR);
      fire(run);
      names.push(...run.rows.at(-1)!.flatMap((event) => (event.type === 'ReviewChanged' ? [event.change] : event.type === 'ReviewDecided' ? [event.outcome] : [])));
      if (run.rows.length - before > 10) break;
    }
    expect(instants).toEqual([2, 3, 4, 5, 6, 7]);
    expect(names).toEqual(['reminded', 'overdue', 'reminded', 'escalated', 'reminded', 'expired']);
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'timeout', instance: '/do/0/ask' } });
  });

  it('lets others decide from the escalation on, and ends a claim that was sat on', () => {
    const run = asked({ assignees: ['user:ann'], escalate: { after: 'PT1H', to: ['role:heads'] } });
    run.passUntil(START + HOUR - 1);
    run.accept(change(run, 'claim', { by: 'user:ann', leaseMs: CLAIM_MS.max }));
    expect(code(run, decision(run, 'user:eva', { roles: ['heads'] }))).toBe('review-not-yours');
    fire(run);
    expect(code(run, decision(run, 'user:eva', { roles: ['heads'] }))).toBe('accepted');
    expect(due(run)).toBeUndefined();
  });

  it('that was missed while nobody looked is made good in one decision, in its order', () => {
    const run = asked({ remindAfter: 'PT1H', due: 'PT90M', expires: 'PT3H' });
    run.passUntil(START + 9 * HOUR);
    run.accept({ type: 'FireTimer', timer: review(run).id });
    expect(run.rows.at(-1)!.flatMap((event) => (event.type === 'ReviewChanged' ? [event.change] : []))).toEqual(['reminded', 'overdue']);
    expect(run.state.status).toBe('faulted');
  });

  it('reminds once for all the times that it should have while nobody looked, then goes on as before', () => {
    const run = asked({ remindAfter: 'PT1H' });
    fire(run);
    run.passUntil(START + 4.5 * HOUR);
    run.accept({ type: 'FireTimer', timer: review(run).id });
    expect(run.rows.at(-1)).toMatchObject([{ change: 'reminded', missed: 2 }]);
    expect(review(run).reminders).toBe(4);
    expect(due(run)).toBe(START + 5 * HOUR);
    run.passUntil(START + 99 * HOUR);
    run.accept({ type: 'FireTimer', timer: review(run).id });
    expect(review(run).reminders).toBe(10);
    expect(due(run)).toBeUndefined();
  });

  it('reminds no more than ten times', () => {
    const run = asked({ remindAfter: 'PT1H' });
    for (let n = 0; n < 10; n++) fire(run);
    expect(due(run)).toBeUndefined();
  });

  it('may be caught when nobody decided', () => {
    const ask = { ask: { call: 'review', with: { title: 't', subject: 1, expires: 'PT1H' } } };
    const run = running(
      { do: [{ guard: { try: [ask], catch: { errors: { with: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout' } }, do: [{ late: { set: { late: true } } }] } } }] },
      {},
    ).start();
    fire(run);
    expect(run.state).toMatchObject({ status: 'completed', output: { late: true } });
  });
});

describe('arguments that expressions gave and that cannot be', () => {
  it.each([
    [{ assignees: ['eva meier'] }, /assignees/],
    [{ assignees: [] }, /assignees/],
    [{ approvals: 0 }, /approvals/],
    [{ approvals: 2.5 }, /approvals/],
    [{ due: 'soon' }, /due/],
    [{ expires: 'PT0.1S' }, /expires/],
    [{ remindAfter: 5 }, /remindAfter/],
    [{ escalate: { after: 'PT1H' } }, /escalate/],
    [{ escalate: [{ after: 'PT1H', to: 'role:' }] }, /escalate/],
    [{ form: { type: 'wrong' } }, /form/],
    [{ form: 'text' }, /form/],
  ])('fail the task by naming the argument: %j', (given, name) => {
    const { state } = asked(given);
    expect(state).toMatchObject({ status: 'faulted', error: { title: 'input-invalid', detail: expect.stringMatching(name) } });
  });
});

describe('the world', () => {
  it('is told of everything that happens to a review, once, and not of what was said', () => {
    const run = asked({ assignees: ['user:ann'], approvals: 2, due: 'PT1H' });
    run.accept(change(run, 'claim', { by: 'user:ann' }));
    run.accept(change(run, 'comment', { by: 'user:bob', text: 'secret words' }));
    run.accept(change(run, 'delegate', { by: 'user:ann', to: 'user:eva', text: 'secret words' }));
    run.accept(change(run, 'release', { by: 'user:eva' }));
    run.passUntil(START + HOUR);
    run.accept({ type: 'FireTimer', timer: review(run).id });
    run.accept(decision(run, 'user:ann', { comment: 'secret words' }));
    run.accept(decision(run, 'user:eva'));
    const told = run.announcements().flatMap((each) => ('type' in each && each.type.startsWith('ai.weft.review.') ? [each] : []));
    expect(told.map(({ type }) => type.split('.')[3])).toEqual(['requested', 'claimed', 'commented', 'delegated', 'released', 'reminded', 'approved', 'decided']);
    expect(told.find(({ type }) => type.includes('reminded'))).toMatchObject({ data: { overdue: true } });
    expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
    expect(JSON.stringify(told)).not.toContain('secret');
  });

  const queueOf = (run: Running): string[] => {
    const before = run.rows.slice(0, -1).flat().reduce(evolveExecution, initialExecution);
    return announcementsOf(run.state, run.rows.length - 1, run.rows.at(-1)!, before).flatMap((each) =>
      'type' in each && each.type.startsWith('ai.weft.review.') ? [`${each.type.split('.')[3]} ${(each.data as { review: string }).review}`] : [],
    );
  };

  it('is told that a review is withdrawn with a fault beside it, and asked again by a retry', () => {
    const http = { call: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } };
    const run = running({ do: [{ both: { fork: { branches: [{ ask: { call: 'review', with: { title: 't', subject: 1 } } }, http] } } }] }, {}).start();
    const { id } = review(run);
    run.fail('/do/0/both/fork/branches/1/call', { code: 'http-status', message: '', retryable: false });
    expect(queueOf(run)).toEqual([`withdrawn ${id}`]);
    run.accept({ type: 'OperateExecution', tenant: 'default', operation: 'retry', id: 'r', by: 'user:eva', reason: '' });
    expect(queueOf(run)).toEqual([`requested ${review(run).id}`]);
    run.accept(decision(run, 'user:eva'));
    expect(queueOf(run)).toEqual([`decided ${review(run)?.id ?? id}`]);
  });

  it('is told of a review that a fork carries, under the id that it has there', () => {
    const both = {
      both: {
        fork: {
          branches: [
            { ask: { call: 'review', with: { title: 't', subject: 1 } } },
            { do: { do: [{ first: { set: {} } }, { call: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } }] } },
          ],
        },
      },
    };
    const run = running({ do: [both] }, {}).start();
    const fork = run.sibling('00000000-0000-7000-8000-000000000002');
    const key = Object.values(run.state.jobs)[0]!.key;
    fork.accept({
      type: 'BeginFork',
      executionId: fork.executionId,
      from: { execution: run.executionId, version: 0, key, operation: 'f', kind: 'fork', by: 'user:eva' },
      reason: '',
      events: run.rows.flat(),
    });
    expect(queueOf(fork)).toEqual([`requested ${review(fork).id}`]);
    expect(review(fork).id.startsWith(fork.executionId)).toBe(true);
  });
});
