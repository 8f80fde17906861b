// Agents among others: agents that they ask, whom they hand over to, people, and operations on their execution.
import type { Json, JsonObject } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { forkPointOf } from '../execution/fork-point.js';
import { authorityOf, inputOf } from '../execution/job-input.js';
import type { CommandOf } from '../execution/execution.commands.js';
import { timelineOf } from '../timeline/timeline.js';
import { running, type Running } from './running.testing.js';

const AGENT = '/do/0/work';
const at = (part: string): string => `${AGENT}#${part}`;
const start = (more: object = {}): Running => running({ do: [{ work: { call: 'agent', with: { instructions: 'Lead.', prompt: 'Find it.', tools: ['look', 'send-*'], ...more } } }] }, {}).start();
const asks = (...calls: readonly (readonly [string, Json])[]): Json => ({ content: null, toolCalls: calls.map(([name, given], index) => ({ id: `m${index}`, name, arguments: given })) });
const says = (content: string): Json => ({ content, toolCalls: [] });
const inputAt = (run: Running, part: string): JsonObject => inputOf(run.state, run.state.jobs[run.jobId(at(part))]!) as JsonObject;
const messagesAt = (run: Running, part: string): readonly JsonObject[] => inputAt(run, part)['messages'] as readonly JsonObject[];
const authorityAt = (run: Running, part: string) => authorityOf(run.state, run.state.jobs[run.jobId(at(part))]!)!;
const spend = (run: Running, part: string, output: Json, tokens: number): void =>
  void run.accept({ type: 'CompleteJob', job: run.jobId(at(part)), generation: 0, output, taint: [], usage: { inputTokens: tokens, outputTokens: 0, moneyMicros: 0, calls: 1, estimated: false } });
const operate = (run: Running, operation: CommandOf<'OperateExecution'>['operation'], more: Partial<CommandOf<'OperateExecution'>> = {}): void =>
  void run.accept({ type: 'OperateExecution', tenant: 'default', operation, id: operation, by: 'key:k', reason: '', ...more });

const FINDER = { name: 'finder', description: 'Finds things.', instructions: 'Look.', tools: ['look', 'drop-*'] };

describe('an agent that another one asks', () => {
  it('works by its own instructions within the call, and its answer is the result of that', () => {
    const run = start({ agents: [FINDER] });
    expect((inputAt(run, 'turn:1')['tools'] as readonly Json[]).at(-1)).toMatchObject({ name: 'ask_finder', description: expect.stringContaining('Finds things.') });
    run.complete(at('turn:1'), asks(['ask_finder', { message: 'Where is it?' }]));
    expect(run.jobs()).toEqual([at('turn:1,call:1,turn:1')]);
    expect(messagesAt(run, 'turn:1,call:1,turn:1')).toEqual([
      { role: 'system', content: 'Look.' },
      { role: 'user', content: 'Where is it?' },
    ]);
    run.complete(at('turn:1,call:1,turn:1'), asks(['look', {}]));
    expect(run.jobs()).toEqual([at('turn:1,call:1,turn:1,call:1')]);
    run.complete(at('turn:1,call:1,turn:1,call:1'), 7);
    run.complete(at('turn:1,call:1,turn:2'), says('Seven.'));
    expect(messagesAt(run, 'turn:2').at(-1)).toEqual({ role: 'tool', toolCallId: 'call_1_1', content: 'Seven.' });
    run.complete(at('turn:2'), says('It is seven.'));
    expect(run.state).toMatchObject({ status: 'completed', output: 'It is seven.' });
  });

  it('has only tools that the first one has too, and what is left of its limits', () => {
    const run = start({ agents: [{ ...FINDER, tools: ['look', 'send-mail', 'drop-*', '*'], limits: { tokens: 5_000, calls: 50 } }], limits: { tokens: 1_000, calls: 10 } });
    spend(run, 'turn:1', asks(['ask_finder', { message: 'x' }]), 300);
    expect(authorityAt(run, 'turn:1,call:1,turn:1')).toEqual({ agent: 'finder', tools: ['look', 'send-mail', 'send-*'], left: { calls: 9, tokens: 700 } });
    run.complete(at('turn:1,call:1,turn:1'), asks(['drop-tables', {}]));
    expect(run.jobs()).toEqual([at('turn:1,call:1,turn:2')]);
  });

  it('uses up the limits of the first one', () => {
    const run = start({ agents: [FINDER], limits: { tokens: 1_000 } });
    spend(run, 'turn:1', asks(['ask_finder', { message: 'x' }]), 300);
    spend(run, 'turn:1,call:1,turn:1', asks(['look', {}]), 800);
    run.complete(at('turn:1,call:1,turn:1,call:1'), 7);
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'agent-limit' } });
  });

  it('tells the first one when it fails', () => {
    const run = start({ agents: [{ ...FINDER, limits: { turns: 1 } }] });
    run.complete(at('turn:1'), asks(['ask_finder', { message: 'x' }]));
    run.complete(at('turn:1,call:1,turn:1'), asks(['look', {}]));
    run.complete(at('turn:1,call:1,turn:1,call:1'), 7);
    expect(messagesAt(run, 'turn:2').at(-1)).toMatchObject({ isError: true, content: expect.stringContaining('agent-limit') });
  });

  it('works beside others that are asked in the same turn', () => {
    const run = start({ agents: [FINDER] });
    run.complete(at('turn:1'), asks(['ask_finder', { message: 'a' }], ['look', {}], ['ask_finder', { message: 'b' }]));
    expect(run.jobs()).toEqual([at('turn:1,call:1,turn:1'), at('turn:1,call:2'), at('turn:1,call:3,turn:1')]);
    run.complete(at('turn:1,call:3,turn:1'), says('B'));
    run.complete(at('turn:1,call:2'), 'L');
    run.complete(at('turn:1,call:1,turn:1'), says('A'));
    expect(messagesAt(run, 'turn:2').flatMap(({ role, content }) => (role === 'tool' ? [content] : []))).toEqual(['A', 'L', 'B']);
  });

  it('stands at most three deep', () => {
    const nested = (depth: number): object => ({ ...FINDER, name: `a${depth}`, ...(depth > 0 ? { agents: [nested(depth - 1)] } : {}) });
    expect(start({ agents: [nested(1)] }).jobs()).toEqual([at('turn:1')]);
    expect(start({ agents: [nested(2)] }).state).toMatchObject({ status: 'faulted', error: { title: 'input-invalid' } });
  });
});

describe('an agent that hands over', () => {
  const handOff = [{ agent: { ...FINDER, name: 'sender', instructions: 'Send.', tools: ['send-mail', 'pay'] } }];

  it('leaves the conversation to the other one, who has no more tools than it had', () => {
    const run = start({ handOff });
    run.complete(at('turn:1'), asks(['hand_over_to_sender', { message: 'Send it.' }]));
    expect(messagesAt(run, 'turn:2')[0]).toEqual({ role: 'system', content: 'Send.' });
    expect(inputAt(run, 'turn:2')['tools']).toEqual(['send-mail']);
    expect(authorityAt(run, 'turn:2')).toMatchObject({ agent: 'sender', tools: ['send-mail'] });
    run.complete(at('turn:2'), says('Sent.'));
    expect(run.state.output).toBe('Sent.');
  });

  it('does so alone: beside other calls it is refused', () => {
    const run = start({ handOff });
    run.complete(at('turn:1'), asks(['look', {}], ['hand_over_to_sender', { message: 'x' }]));
    run.complete(at('turn:1,call:1'), 1);
    expect(authorityAt(run, 'turn:2')).toMatchObject({ agent: 'work' });
  });

  it('asks a person by a review, whose answer is the result of the call', () => {
    const run = start({ handOff: [{ person: { description: 'When unsure.', title: 'May I?', assignees: ['user:eva'], expires: 'PT1H' } }] });
    run.complete(at('turn:1'), asks(['ask_person', { message: 'Pay it?' }], ['look', {}]));
    const [review] = Object.values(run.state.reviews);
    expect(review).toMatchObject({ kind: 'approval', title: 'May I?', subject: { message: 'Pay it?' }, terms: { assignees: ['user:eva'], expires: 1_000_000 + 3_600_000 } });
    expect(run.jobs()).toEqual([at('turn:1,call:2')]);
    run.complete(at('turn:1,call:2'), 1);
    expect(run.jobs()).toEqual([]);
    run.accept({ type: 'DecideReview', tenant: 'default', review: review!.id, outcome: 'approved', comment: 'Go on.', form: null, decidedBy: 'user:eva' });
    expect(messagesAt(run, 'turn:2').find(({ toolCallId }) => toolCallId === 'call_1_1')!['content']).toContain('approved');
  });

  it('is told that nobody answered in time', () => {
    const run = start({ handOff: [{ person: { description: 'When unsure.', expires: 'PT1H' } }] });
    run.complete(at('turn:1'), asks(['ask_person', { message: 'Pay it?' }]));
    const [review] = Object.keys(run.state.reviews);
    run.passUntil(1_000_000 + 3_600_000);
    run.accept({ type: 'FireTimer', timer: review! });
    expect(messagesAt(run, 'turn:2').at(-1)!['content']).toContain('expired');
  });
});

describe('a call of an agent that needs an approval', () => {
  const approvalRequest = { digest: 'd', title: 'Send?', subject: null, reasons: [] };
  const asked = (run: Running): string => {
    run.complete(at('turn:1'), asks(['send-mail', {}], ['look', {}]));
    const job = run.state.jobs[run.jobId(at('turn:1,call:1'))]!;
    run.accept({
      type: 'FailJob',
      job: job.id,
      generation: 0,
      attempt: 1,
      failure: { code: 'approval-required', message: '', retryable: false },
      outcome: 'none',
      needsPerson: false,
      platform: false,
      approvalRequest,
    });
    return Object.keys(run.state.reviews)[0]!;
  };
  const decide = (run: Running, review: string, outcome: string): void => void run.accept({ type: 'DecideReview', tenant: 'default', review, outcome, comment: '', form: null, decidedBy: 'user:eva' });

  it('waits without keeping the others back, and is made once it is approved', () => {
    const run = start();
    const review = asked(run);
    expect(run.jobs()).toEqual([at('turn:1,call:2')]);
    run.complete(at('turn:1,call:2'), 1);
    decide(run, review, 'approved');
    expect(run.jobs()).toEqual([at('turn:1,call:1')]);
    expect(inputAt(run, 'turn:1,call:1')).toEqual({ name: 'send-mail', arguments: {} });
  });

  it('is told to the model when it is rejected', () => {
    const run = start();
    const review = asked(run);
    run.complete(at('turn:1,call:2'), 1);
    decide(run, review, 'rejected');
    expect(messagesAt(run, 'turn:2').find(({ toolCallId }) => toolCallId === 'call_1_1')!['content']).toContain('rejected by user:eva');
  });
});

describe('the timeline of an agent', () => {
  const textsOf = (run: Running): readonly string[] => timelineOf(run.rows.map((events, sequence) => ({ sequence, at: 0, events }))).map(({ part, text }) => (part === '' ? text : `${part}: ${text}`));

  it('names the part that each line is about, and whom a failure goes to', () => {
    const run = start({ agents: [FINDER] });
    run.complete(at('turn:1'), asks(['look', {}], ['ask_finder', { message: 'x' }], ['drop', {}]));
    run.fail(at('turn:1,call:1'), { code: 'denied', message: 'no', retryable: false });
    run.fail(at('turn:1,call:2,turn:1'), { code: 'model-unavailable', message: 'away', retryable: true });
    const texts = textsOf(run);
    expect(texts).toContain('turn 1, call 3: turn 1, call 3 is refused: denied');
    expect(texts).toContain('turn 1, call 1: attempt 1 failed: denied; the model is told');
    expect(texts).toContain('turn 1, call 2, turn 1: attempt 1 failed: model-unavailable; the agent fails');
    expect(texts).toContain('turn 1, call 2: the agent failed');
  });
});

describe('the conversation of an agent', () => {
  it('has its older turns summed up by a turn of its own once it grows too long', () => {
    const run = start({ context: { tokensMax: 300 } });
    run.complete(at('turn:1'), asks(['look', { n: 1 }]));
    run.complete(at('turn:1,call:1'), 'a'.repeat(800));
    run.complete(at('turn:2'), asks(['look', { n: 2 }]));
    run.complete(at('turn:2,call:1'), 'b'.repeat(400));
    expect(run.jobs()).toEqual([at('compaction:1')]);
    const asked = JSON.stringify(messagesAt(run, 'compaction:1'));
    expect(asked).toContain('aaaa');
    expect(asked).not.toContain('bbbb');
    expect(inputAt(run, 'compaction:1')['tools']).toBeUndefined();
    run.complete(at('compaction:1'), 'It found many a.');
    const next = messagesAt(run, 'turn:3');
    expect(next[2]).toMatchObject({ role: 'user', content: expect.stringContaining('It found many a.') });
    expect(JSON.stringify(next)).not.toContain('aaaa');
    expect(JSON.stringify(next)).toContain('bbbb');
  });

  it('is summed up within the room that there is, whatever one turn has gathered', () => {
    const run = start({ parallel: 10, context: { tokensMax: 2_000 } });
    run.complete(at('turn:1'), asks(...Array.from({ length: 10 }, (_, n): [string, Json] => ['look', { n }])));
    for (let call = 1; call <= 10; call++) run.complete(at(`turn:1,call:${call}`), call === 1 ? 'a short one' : '😀'.repeat(2_000));
    expect(run.jobs()).toEqual([at('compaction:1')]);
    const asked = String(messagesAt(run, 'compaction:1')[1]!['content']);
    expect(asked.length).toBeLessThan(8_500);
    expect(asked).toContain('a short one');
    expect(asked.match(/\[cut: \d+ more characters\]/g)).toHaveLength(9);
    expect(asked.isWellFormed()).toBe(true);
  });

  it('is not summed up over and over when what was asked is too long by itself', () => {
    const run = start({ prompt: 'x'.repeat(4_000), context: { tokensMax: 300 } });
    expect(run.jobs()).toEqual([at('turn:1')]);
    run.complete(at('turn:1'), asks(['look', {}]));
    run.complete(at('turn:1,call:1'), 'short');
    expect(run.jobs()).toEqual([at('turn:2')]);
  });

  it('shows a part of a result that is very long', () => {
    const run = start();
    run.complete(at('turn:1'), asks(['look', {}]));
    run.complete(at('turn:1,call:1'), 'x'.repeat(60_000));
    expect(String(messagesAt(run, 'turn:2').at(-1)!['content'])).toMatch(/^x{50000}\n\[cut: 10000 more characters\]$/);
  });
});

describe('operations on an execution with an agent', () => {
  it('pause: results are kept, nothing new is asked; resume goes on from all of them', () => {
    const run = start();
    run.complete(at('turn:1'), asks(['look', { n: 1 }], ['look', { n: 2 }]));
    operate(run, 'pause');
    run.complete(at('turn:1,call:1'), 1);
    run.complete(at('turn:1,call:2'), 2);
    expect(run.jobs()).toEqual([]);
    operate(run, 'resume');
    expect(run.jobs()).toEqual([at('turn:2')]);
  });

  it('cancel: it stops where it is', () => {
    const run = start({ limits: { time: 'PT1H' } });
    run.complete(at('turn:1'), asks(['look', {}]));
    operate(run, 'cancel');
    expect(run.state).toMatchObject({ status: 'cancelled', jobs: {}, timers: {} });
    expect(run.state.agents).toBeUndefined();
  });

  it('fork: it works anew under keys of the new execution', () => {
    const run = start();
    run.complete(at('turn:1'), asks(['look', {}]));
    const rows = run.rows.map((events, sequence) => ({ sequence, events }));
    const reading = forkPointOf(rows, 'work');
    if (!reading.ok) return expect.fail('the agent was entered');
    const id = '00000000-0000-7000-8000-000000000002';
    operate(run, 'fork', { fork: { ...reading.point, execution: id } });
    const fork = run.sibling(id);
    fork.accept({ type: 'BeginFork', executionId: id, from: { execution: run.executionId, ...reading.point, operation: 'fork', kind: 'fork', by: 'key:k' }, reason: '', events: run.rows[0]! });
    expect(Object.keys(fork.state.jobs)).toEqual([`${id}${at('turn:1')}`]);
  });

  it('a branch that loses takes its agent with it', () => {
    const branches = [{ work: { call: 'agent', with: { instructions: 'x', prompt: 'y', tools: ['look'] } } }, { soon: { wait: { seconds: 1 } } }];
    const run = running({ do: [{ race: { fork: { compete: true, branches } } }] }, {}).start();
    run.complete('/do/0/race/fork/branches/0/work#turn:1', asks(['look', {}]));
    run.fireTimer();
    expect(run.state).toMatchObject({ status: 'completed' });
  });
});
