import { Defect } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { running, type Running } from '../../interpreter/running.testing.js';
import { announcementsOf } from '../announcements.js';
import { effectsBetween, waitsOf } from '../effects-between.js';
import type { CommandOf } from '../execution.commands.js';
import { executionDecider } from '../execution.decide.js';
import { evolveExecution } from '../execution.evolve.js';
import { initialExecution } from '../execution.state.js';

const call = { call: 'http', with: { method: 'post', endpoint: 'https://example.test' } };
const KEY = '/do/0/careful/try/0/send';
const retried = { do: [{ careful: { try: [{ send: call }], catch: { errors: {}, retry: { limit: { attempt: { count: 2 } } } } } }] };

function failed(run: Running, key: string, more: Partial<CommandOf<'FailJob'>> = {}): CommandOf<'FailJob'> {
  return {
    type: 'FailJob',
    job: run.jobId(key),
    generation: 0,
    failure: { code: 'timeout', message: 'no answer', retryable: true },
    outcome: 'none',
    needsPerson: false,
    platform: false,
    attempt: 1,
    ...more,
  };
}

describe('a failure that is told again', () => {
  it('does not fail the attempt that came after it', () => {
    const run = running(retried, {}).start();
    const told = failed(run, KEY);
    run.accept(told);
    expect(run.state.jobs[run.jobId(KEY)]).toMatchObject({ generation: 0, attempt: 2 });
    expect(run.command(told)).toEqual({ kind: 'ignored', reason: 'stale' });
  });

  it('counts once per attempt: as many retries as the policy allows', () => {
    const run = running(retried, {}).start();
    for (const attempt of [1, 2, 3]) {
      expect(run.state.status).toBe('running');
      run.accept(failed(run, KEY, { attempt }));
      expect(run.command(failed(run, KEY, { attempt }))).toMatchObject({ kind: 'ignored' });
    }
    expect(run.jobs()).toEqual([]);
  });

  it('of a worker that does not tell the attempt counts for the one under way', () => {
    const run = running(retried, {}).start();
    const { attempt: _untold, ...told } = failed(run, KEY);
    run.accept(told);
    expect(run.command(told).kind).toBe('accepted');
  });

  it('leaves a result of an earlier attempt of the same generation to count', () => {
    const run = running(retried, {}).start();
    run.accept(failed(run, KEY));
    run.complete(KEY, { sent: true });
    expect(run.state).toMatchObject({ status: 'completed', output: { sent: true } });
  });

  it('does not ask a person again after one has told', () => {
    const run = running({ do: [{ send: call }] }, {}).start();
    const asking = failed(run, '/do/0/send', { outcome: 'unknown', needsPerson: true });
    run.accept(asking);
    const [review] = Object.values(run.state.reviews);
    run.accept({ type: 'DecideReview', tenant: 'default', review: review!.id, outcome: 'happened', comment: '', form: null, decidedBy: 'a person' });
    expect(run.command(asking)).toEqual({ kind: 'ignored', reason: 'stale' });
  });
});

describe('a result that comes while a person is asked for it', () => {
  it('withdraws the question: nobody is asked, and nothing waits for the answer', () => {
    const run = running({ do: [{ send: call }, { rest: { wait: { hours: 1 } } }] }, {}).start();
    run.accept(failed(run, '/do/0/send', { outcome: 'unknown', needsPerson: true }));
    const before = run.state;
    run.complete('/do/0/send', { sent: true });
    const [review] = Object.keys(before.reviews);
    expect(effectsBetween(before, run.state)).toMatchObject({ closeReviews: [review], unpark: expect.arrayContaining([review]) as unknown });
    expect([...waitsOf(run.state).values()].map((wait) => wait.kind)).toEqual(['timer']);
  });
});

describe('a start whose definition cannot be used', () => {
  it('faults the execution, so that its request gets its one result', () => {
    const decider = executionDecider(() => {
      throw new Defect('definition d cannot be compiled');
    });
    const start: CommandOf<'StartExecution'> = {
      type: 'StartExecution',
      executionId: '00000000-0000-7000-8000-000000000001',
      definition: { namespace: 'test', name: 'flow', version: '1.0.0', digest: 'd' },
      request: { source: 's', id: 'r1', type: 't' },
      context: { tenant: 'default', actor: 'a', purpose: 'p', traceparent: '', tracestate: '', deadlineMs: 0 },
      taint: [],
      models: [],
      input: {},
    };
    const decision = decider.decide(initialExecution, start, { now: 1, idOf: String });
    if (decision.kind !== 'accepted') throw new Error(decision.kind);
    const state = decision.events.reduce(evolveExecution, initialExecution);
    expect(state).toMatchObject({ status: 'faulted', error: { title: 'definition-unusable', status: 400 } });
    expect(announcementsOf(state, 0, decision.events).filter(({ to }) => to === 'results')).toHaveLength(1);
    expect(decider.decide(state, start, { now: 2, idOf: String })).toEqual({ kind: 'ignored', reason: 'duplicate' });
  });
});
