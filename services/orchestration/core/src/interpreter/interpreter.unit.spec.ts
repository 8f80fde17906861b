import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { decodeEvents, encodeEvents, ERASED } from '../execution/event.codec.js';
import { effectsBetween, outstandingJobs } from '../execution/effects-between.js';
import { timelineOf } from '../timeline/timeline.js';
import { running } from './running.testing.js';

const http = (name: string, more: object = {}): object => ({ [name]: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' }, ...more } });

describe('a workflow of jobs', () => {
  const chain = { do: [http('a'), http('b', { input: { from: '{ seen: . }' } })] };

  it('schedules the next job in the decision that takes the result of the one before', () => {
    const run = running(chain, { start: true }).start();
    expect(run.jobs()).toEqual(['/do/0/a']);
    const events = run.complete('/do/0/a', { x: 1 });
    expect(events.map((event) => event.type)).toEqual(['JobCompleted', 'TaskCompleted', 'TaskEntered', 'JobScheduled']);
    expect(run.jobs()).toEqual(['/do/1/b']);
  });

  it('completes with the output of its last task', () => {
    const run = running(chain, {}).start();
    run.complete('/do/0/a', 1);
    run.complete('/do/1/b', { done: true });
    expect(run.state.status).toBe('completed');
    expect(run.state.output).toEqual({ done: true });
    expect(run.state.activations).toEqual({});
  });

  it('ignores a second result of the same job, and a result of another generation', () => {
    const run = running(chain, {}).start();
    expect(run.command({ type: 'CompleteJob', job: run.jobId('/do/0/a'), generation: 1, output: 1, taint: [] })).toEqual({ kind: 'ignored', reason: 'stale' });
    run.complete('/do/0/a', 1);
    expect(run.command({ type: 'CompleteJob', job: run.jobId('/do/0/a'), generation: 0, output: 1, taint: [] })).toEqual({ kind: 'ignored', reason: 'duplicate' });
  });

  it('ignores a second start', () => {
    const run = running(chain, {}).start();
    expect(run.startAgain()).toEqual({ kind: 'ignored', reason: 'duplicate' });
  });
});

describe('immediate tasks', () => {
  it('set replaces, switch chooses by order, and all happen in one decision', () => {
    const run = running(
      {
        do: [
          { first: { set: { n: '${ .n + 1 }', label: 'kept' } } },
          { choose: { switch: [{ big: { when: '.n > 10', then: 'large' } }, { otherwise: { then: 'small' } }] } },
          { large: { set: { size: 'large' }, then: 'end' } },
          { small: { set: { size: 'small', was: '${ . }' } } },
        ],
      },
      { n: 1 },
    ).start();
    expect(run.state.output).toEqual({ size: 'small', was: { n: 2, label: 'kept' } });
    expect(run.decisions).toBe(1);
  });

  it('a switch without a match follows its own then', () => {
    const run = running({ do: [{ choose: { switch: [{ no: { when: 'false', then: 'end' } }], then: 'last' } }, { skipped: { set: { a: 1 } } }, { last: { set: { b: 2 } } }] }, {}).start();
    expect(run.state.output).toEqual({ b: 2 });
  });

  it('a skipped task hands its raw input on and ignores its then', () => {
    const run = running({ do: [{ no: { if: 'false', set: { a: 1 }, then: 'end' } }, { yes: { set: '${ . }' } }] }, { raw: true }).start();
    expect(run.state.output).toEqual({ raw: true });
  });

  it('emit gives the event as output and announces it', () => {
    const run = running({ do: [{ tell: { emit: { event: { with: { type: 'x.y', source: 'https://s', data: { n: '${ .n }' } } } } } }] }, { n: 3 }).start();
    expect(run.state.output).toMatchObject({ type: 'x.y', source: 'https://s', data: { n: 3 } });
    expect(run.announcements().map((announcement) => ('type' in announcement ? announcement.type : announcement.to))).toContain('x.y');
  });

  it('a back-jump gives the activation another iteration, and so another idempotency key', () => {
    const run = running(
      { do: [http('again', { output: { as: '{ n: ((.n // 0) + 1) }' } }), { loop: { switch: [{ more: { when: '.n < 2', then: 'again' } }, { done: { then: 'end' } }] } }] },
      {},
    ).start();
    run.complete('/do/0/again', { n: 0 });
    expect(run.jobs()).toEqual(['/do/0/again#1.again:1']);
  });

  it('keeps the rounds of a task apart from those of a task inside it with the same name', () => {
    const again = (limit: number): object => ({ round: { switch: [{ more: { when: `.n < ${limit}`, then: 'a' } }, { done: { then: 'continue' } }] } });
    const inner = http('a', { output: { as: '{ n: (.n + 1) }' } });
    const run = running(
      {
        do: [
          { a: { do: [inner, again(2)], output: { as: '{ n: 0, rounds: ((.rounds // 0) + 1) }' } } },
          { stop: { switch: [{ more: { when: '.rounds < 2', then: 'a' } }, { done: { then: 'end' } }] } },
        ],
      },
      { n: 0 },
    ).start();
    const seen: string[] = [];
    for (let jobs = run.jobs(); jobs.length > 0 && seen.length < 4; jobs = run.jobs()) {
      seen.push(jobs[0]!);
      run.complete(jobs[0]!, { n: (seen.length - 1) % 2 });
    }
    expect(seen).toHaveLength(4);
    expect(new Set(seen).size).toBe(4);
  });

  it('faults an execution that jumps back for ever', () => {
    const run = running({ do: [{ spin: { set: { a: 1 }, then: 'spin' } }] }, {}).start();
    run.goOn();
    expect(run.state.status).toBe('faulted');
    expect(run.state.error).toMatchObject({ status: 500, title: 'too-many-tasks' });
  });
});

describe('data flow', () => {
  it('evaluates input.from, output.as and export.as in the order of the specification', () => {
    const run = running(
      {
        do: [
          http('a', { input: { from: '.body' }, output: { as: '{ kept: .v }' }, export: { as: '{ last: $output.kept }' } }),
          { b: { set: { fromContext: '${ $context.last }', task: '${ $task.name }' } } },
        ],
      },
      { body: { q: 1 } },
    ).start();
    run.complete('/do/0/a', { v: 7, dropped: true });
    expect(run.state.output).toEqual({ fromContext: 7, task: 'b' });
  });

  it('turns an expression that fails into an error of type expression at its task', () => {
    const run = running({ do: [{ bad: { set: '${ .a + {} }' } }] }, { a: 1 }).start();
    expect(run.state.error).toMatchObject({ status: 400, instance: '/do/0/bad' });
    expect((run.state.error as { type: string }).type).toMatch(/expression$/);
  });
});

describe('try and catch', () => {
  const failing = (clause: object): object => ({ do: [{ guarded: { try: [http('call')], catch: clause } }, { after: { set: '${ . }' } }] });
  const failure = { code: 'http-status', message: 'Expected 2xx but got 503.', retryable: true, details: { status: 503 } };

  it('retries first, with the try block’s own input, then runs catch.do once', () => {
    const run = running(failing({ retry: { delay: { seconds: 1 }, limit: { attempt: { count: 1 } } }, do: [{ fallback: { set: { saved: '${ $error.status }' } } }] }), { in: 1 }).start();
    run.fail('/do/0/guarded/try/0/call', failure);
    expect(run.jobs()).toEqual([]);
    run.fireTimer();
    expect(run.jobs()).toEqual(['/do/0/guarded/try/0/call']);
    run.fail('/do/0/guarded/try/0/call', failure);
    expect(run.state.output).toEqual({ saved: 503 });
  });

  it('filters by canonical error type and rethrows what does not match, with its first instance', () => {
    const run = running(failing({ errors: { with: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout' } } }), {}).start();
    run.fail('/do/0/guarded/try/0/call', failure);
    expect(run.state.status).toBe('faulted');
    expect(run.state.error).toMatchObject({ status: 503, instance: '/do/0/guarded/try/0/call' });
  });

  it('catches errors by the name the conformance suite uses for their type', () => {
    const run = running(failing({ errors: { with: { type: 'https://serverlessworkflow.io/dsl/errors/types/communication' } }, do: [{ ok: { set: { caught: true } } }] }), {}).start();
    run.fail('/do/0/guarded/try/0/call', failure);
    expect(run.state.output).toEqual({ caught: true });
  });

  it('does not catch what its own catch raises', () => {
    const run = running(failing({ do: [{ boom: { raise: { error: { type: 'https://e/x', status: 418 } } } }] }), {}).start();
    run.fail('/do/0/guarded/try/0/call', failure);
    expect(run.state.error).toMatchObject({ type: 'https://e/x', status: 418 });
  });

  it('keeps the generation on a retry after an unknown outcome, and raises it after a known failure', () => {
    const clause = { retry: { limit: { attempt: { count: 5 } } } };
    const unknown = running(failing(clause), {}).start();
    unknown.fail('/do/0/guarded/try/0/call', failure, 'unknown');
    expect(outstandingJobs(unknown.state)[0]).toMatchObject({ generation: 0 });
    const failed = running(failing(clause), {}).start();
    failed.fail('/do/0/guarded/try/0/call', failure, 'failed');
    expect(outstandingJobs(failed.state)[0]).toMatchObject({ generation: 1 });
  });
});

describe('waiting', () => {
  it('parks on a timer and goes on when it is due, not before', () => {
    const run = running({ do: [{ pause: { wait: { seconds: 5 } } }, { done: { set: { ok: true } } }] }, {}).start();
    const [timer] = Object.values(run.state.timers);
    expect(run.command({ type: 'FireTimer', timer: timer!.id })).toEqual({ kind: 'ignored', reason: 'stale' });
    run.fireTimer();
    expect(run.state.output).toEqual({ ok: true });
  });

  it('parks on a review, takes one decision, and refuses a second', () => {
    const run = running(
      { do: [{ ask: { call: 'review', with: { title: 'Refund?', subject: { amount: '${ .amount }' } } } }, { done: { set: { by: '${ .decidedBy }', outcome: '${ .outcome }' } } }] },
      { amount: 900 },
    ).start();
    const [review] = Object.values(run.state.reviews);
    expect(review).toMatchObject({ kind: 'approval', title: 'Refund?', subject: { amount: 900 } });
    const decide = { type: 'DecideReview', tenant: 'default', review: review!.id, outcome: 'approved', comment: '', form: null, decidedBy: 'ann' } as const;
    expect(run.command({ ...decide, outcome: 'maybe' })).toMatchObject({ kind: 'rejected', rejection: { code: 'request-invalid' } });
    run.accept(decide);
    expect(run.state.output).toEqual({ by: 'ann', outcome: 'approved' });
    expect(run.command(decide)).toMatchObject({ kind: 'rejected', rejection: { code: 'review-not-open' } });
  });

  it('asks a person about an effect whose outcome is unknown, and sends the answer to the ledger with the same generation', () => {
    const run = running({ do: [http('pay')] }, {}).start();
    run.accept({
      type: 'FailJob',
      job: run.jobId('/do/0/pay'),
      generation: 0,
      failure: { code: 'effect-unknown', message: 'The answer was lost.', retryable: false },
      outcome: 'unknown',
      needsPerson: true,
      platform: false,
    });
    expect(run.jobs()).toEqual([]);
    const [review] = Object.values(run.state.reviews);
    expect(review?.kind).toBe('effect-outcome');
    run.accept({ type: 'DecideReview', tenant: 'default', review: review!.id, outcome: 'happened', comment: '', form: { paid: true }, decidedBy: 'ann' });
    expect(outstandingJobs(run.state)[0]).toMatchObject({ generation: 0, settlement: { happened: true, decidedBy: 'ann', output: { paid: true } } });
  });

  it('withdraws everything that waited below a try when it retries', () => {
    const run = running({ do: [{ guarded: { try: [http('call')], catch: { retry: { delay: { seconds: 1 } } } } }] }, {}).start();
    const before = run.state;
    run.fail('/do/0/guarded/try/0/call', { code: 'http-status', message: 'x', retryable: true });
    expect(effectsBetween(before, run.state).park.map((wait) => wait.kind)).toEqual(['timer']);
    expect(outstandingJobs(run.state)).toEqual([]);
  });
});

describe('what is stored', () => {
  it('folds the stored history to the same state, and without payloads to the same structure', () => {
    const run = running({ do: [http('a'), { pause: { wait: { seconds: 5 } } }] }, { secret: 'text' }).start();
    run.complete('/do/0/a', { answer: 42 });
    expect(run.refold((events) => decodeEvents(encodeEvents(events, run.executionId), run.executionId))).toEqual(run.state);
    const erased = run.refold((events) => decodeEvents({ ...encodeEvents(events, run.executionId), payload: null }, run.executionId));
    expect(Object.keys(erased.timers)).toEqual(Object.keys(run.state.timers));
    expect(erased.input).toEqual(ERASED);
    expect(JSON.stringify(run.rows.map((events) => encodeEvents(events, run.executionId).structure))).not.toContain('secret');
  });

  it('reads as a timeline', () => {
    const run = running({ do: [http('a')] }, {}).start();
    run.complete('/do/0/a', 1 as Json);
    const lines = timelineOf(run.rows.map((events, sequence) => ({ sequence, at: 0, events })));
    expect(lines.map((line) => `${line.task}: ${line.text}`)).toEqual([': started test/flow:1.0.0 for request r1', 'a: http job scheduled', 'a: job completed', 'a: completed', ': completed']);
  });
});
