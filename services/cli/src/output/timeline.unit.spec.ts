import { describe, expect, it } from 'vitest';
import type { ExecutionShape, RouteShape, TimelineEntryShape, TimelineShape } from '../client/shapes.js';
import { renderExecution, renderTimeline, sinceText, tasksOf } from './timeline.js';

const START = Date.parse('2026-11-21T10:00:00.000Z');
const plain = (text: string): string => text.replace(/\u001b\[[0-9;]*m/g, '');
const entry = (afterMs: number, type: string, task: string, text: string, detail?: TimelineEntryShape['detail']): TimelineEntryShape => ({
  version: 0,
  at: new Date(START + afterMs).toISOString(),
  type,
  task,
  pointer: task === '' ? '' : `/do/0/${task}`,
  text,
  ...(detail === undefined ? {} : { detail }),
});
const timeline = (...entries: readonly TimelineEntryShape[]): TimelineShape => ({ executionId: 'e1', status: 'running', version: 1, entries });
const lines = (...entries: readonly TimelineEntryShape[]): string[] => plain(renderTimeline(timeline(...entries))).split('\n');

const EVIDENCE = { candidate: 'small', model: 'small-1', simulated: true, usage: { inputTokens: 20, outputTokens: 5 }, rejected: [{ candidate: 'fast', reason: 'HTTP 429: busy' }] };

describe('a timeline', () => {
  it('tells a model call in one place: who was rejected, who answered, that it is simulated, how long, at what cost', () => {
    const told = lines(
      entry(0, 'ExecutionStarted', '', 'started a/b:1.0.0 for request r1'),
      entry(5, 'JobScheduled', 'classify', 'infer job scheduled', { messages: [] }),
      entry(125, 'JobCompleted', 'classify', 'job completed', { output: { category: 'late' }, evidence: EVIDENCE }),
      entry(125, 'TaskCompleted', 'classify', 'completed'),
    );
    expect(told).toEqual([
      '   +0 ms            started a/b:1.0.0 for request r1',
      ' +125 ms  classify  ✗ fast: HTTP 429: busy',
      '                    small (small-1) [simulated model] answered in 120 ms, 20 + 5 tokens',
      '                    {"category":"late"}',
    ]);
  });

  it('does not mark a model that is real', () => {
    expect(lines(entry(0, 'JobCompleted', 'a', 'job completed', { output: 1, evidence: { ...EVIDENCE, simulated: false, rejected: [] } }))[0]).not.toContain('simulated');
  });

  it('shows a job that is still out', () => {
    expect(lines(entry(0, 'JobScheduled', 'send', 'tool job scheduled'))).toEqual(['   +0 ms  send  tool job scheduled']);
  });

  it('says that a reconcile hook settled an effect whose answer was lost', () => {
    const [first] = lines(
      entry(0, 'JobScheduled', 'send', 'tool job scheduled'),
      entry(2_400, 'JobCompleted', 'send', 'job completed', { output: {}, evidence: { tool: 'send-reply', effect: 'non-idempotent-write', by: 'reconcile' } }),
    );
    expect(first).toBe('  +2.4 s  send  send-reply done in 2.4 s (non-idempotent-write); its answer was lost, the reconcile hook confirmed it');
  });

  it('gives the sentence of a failure and of an error that ends the execution', () => {
    const told = lines(
      entry(0, 'JobFailed', 'send', 'attempt 1 failed: denied; the task faults', { message: 'Expected a grant but there is none.' }),
      entry(1, 'ExecutionFaulted', '', 'faulted: authorization', { detail: 'Expected a grant but there is none.' }),
    );
    expect(told.filter((line) => line.includes('Expected a grant'))).toHaveLength(2);
  });

  it('names the person who decided, with the comment', () => {
    expect(lines(entry(0, 'ReviewDecided', 'approve', 'approved by ann', { comment: 'Fair.' }))).toEqual(['   +0 ms  approve  approved by ann: Fair.']);
  });
});

describe('tasksOf', () => {
  it('gives each task its start and duration, in the order of their starts', () => {
    const tasks = tasksOf(timeline(entry(0, 'ExecutionStarted', '', ''), entry(10, 'JobScheduled', 'a', ''), entry(60, 'TaskCompleted', 'a', ''), entry(61, 'CaseChosen', 'b', '')));
    expect(tasks).toEqual([
      { task: 'a', pointer: '/do/0/a', startMs: 10, durationMs: 50 },
      { task: 'b', pointer: '/do/0/b', startMs: 61, durationMs: 0 },
    ]);
  });

  it('is empty before anything has begun', () => {
    expect(tasksOf(timeline())).toEqual([]);
  });
});

describe('renderExecution', () => {
  const execution: ExecutionShape = {
    executionId: 'e1',
    status: 'faulted',
    workflow: { namespace: 'a', name: 'b', version: '1.0.0', digest: 'd' },
    startedAt: '2026-11-21T10:00:00.000Z',
    endedAt: '2026-11-21T10:00:01.500Z',
    error: { detail: 'Expected x.', instance: '/do/0/a' },
  };
  const route: RouteShape = {
    rule: 'r',
    tableVersion: 'abcdef0123456789',
    workflow: null,
    reasons: ['type is "t"'],
    models: [{ id: 'small', model: 'm', reason: 'preferred by the route', simulated: true }],
    rejected: [{ kind: 'model', name: 'fast', reason: 'lacks tool calls' }],
  };

  it('says what was chosen, what was not and why, how long it took and what went wrong', () => {
    const text = plain(renderExecution(execution, timeline(), route));
    expect(text).toContain('a/b:1.0.0  faulted in 1.5 s');
    expect(text).toContain('route   r table abcdef012345 · type is "t"');
    expect(text).toContain('models  small [simulated model] (preferred by the route)');
    expect(text).toContain('not     model fast: lacks tool calls');
    expect(text).toContain('error   Expected x. at /do/0/a');
  });

  it('shows what a parked execution waits for', () => {
    const text = plain(renderExecution({ ...execution, status: 'waiting', waits: [{ id: 'w1', kind: 'review', subject: 'Refund?', dueAt: null }] }, timeline(), null));
    expect(text).toContain('waits   review Refund? w1');
  });
});

describe('sinceText', () => {
  it.each([
    [0, '+0 ms'],
    [999, '+999 ms'],
    [1_500, '+1.5 s'],
    [125_000, '+2 min 5 s'],
  ])('%d ms is %s', (ms, text) => expect(sinceText(ms)).toBe(text));
});
