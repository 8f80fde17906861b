import type { Json, JsonObject } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { authorityOf, inputOf } from '../execution/job-input.js';
import { running, type Running } from './running.testing.js';

const AGENT = '/do/0/work';
const turn = (n: number, more = ''): string => `${AGENT}#${more}turn:${n}`;
const call = (n: number, c: number): string => `${AGENT}#turn:${n},call:${c}`;
const agent = (more: object = {}): object => ({ work: { call: 'agent', with: { instructions: 'Be good.', prompt: 'Find it.', tools: ['look', 'send-*'], ...more } } });
const start = (more: object = {}, after: readonly object[] = []): Running => running({ do: [agent(more), ...after] }, {}).start();
const asks = (...calls: readonly (readonly [string, Json])[]): Json => ({
  content: null,
  toolCalls: calls.map(([name, given], at) => ({ id: `m${at}`, name, arguments: given })),
  finishReason: 'tool_calls',
});
const says = (content: string): Json => ({ content, toolCalls: [], finishReason: 'stop' });
const inputAt = (run: Running, key: string): JsonObject => inputOf(run.state, run.state.jobs[run.jobId(key)]!) as JsonObject;
const messagesAt = (run: Running, key: string): readonly JsonObject[] => inputAt(run, key)['messages'] as readonly JsonObject[];
const FAILED = { code: 'model-unavailable', message: 'Nobody answers.', retryable: true };
const LOOK = { type: 'object', required: ['found'], properties: { found: { type: 'integer' } } };

describe('an agent', () => {
  it('asks the model, carries out what it calls, and answers with what it says in the end', () => {
    const run = start();
    expect(run.jobs()).toEqual([turn(1)]);
    expect(inputAt(run, turn(1))).toEqual({
      messages: [
        { role: 'system', content: 'Be good.' },
        { role: 'user', content: 'Find it.' },
      ],
      tools: ['look', 'send-*'],
    });
    run.complete(turn(1), asks(['look', { at: 'home' }]));
    expect(run.jobs()).toEqual([call(1, 1)]);
    expect(inputAt(run, call(1, 1))).toEqual({ name: 'look', arguments: { at: 'home' } });
    run.complete(call(1, 1), { found: 7 });
    expect(run.jobs()).toEqual([turn(2)]);
    expect(messagesAt(run, turn(2)).slice(2)).toEqual([
      { role: 'assistant', content: '', toolCalls: [{ id: 'call_1_1', name: 'look', arguments: { at: 'home' } }] },
      { role: 'tool', toolCallId: 'call_1_1', content: '{"found":7}' },
    ]);
    run.complete(turn(2), says('It is at home.'));
    expect(run.state).toMatchObject({ status: 'completed', output: 'It is at home.' });
  });

  it('passes on to every turn how the model is to answer', () => {
    const run = start({ temperature: 0.5, maxTokens: 100, stream: true });
    expect(inputAt(run, turn(1))).toMatchObject({ temperature: 0.5, maxTokens: 100, stream: true });
  });

  it('gives every turn and every call an idempotency key of its own, and the same one again when it is dispatched again', () => {
    const run = start();
    run.complete(turn(1), asks(['look', {}], ['look', {}]));
    const ids = Object.keys(run.state.jobs);
    expect(new Set(ids).size).toBe(2);
    expect(run.refold((events) => events).jobs).toEqual(run.state.jobs);
  });

  it('acts under its own name with the tools and the limits that it was given', () => {
    const run = start({ name: 'finder', limits: { calls: 3, tokens: 1000, money: 0.5 } });
    run.accept({
      type: 'CompleteJob',
      job: run.jobId(turn(1)),
      generation: 0,
      output: asks(['look', {}]),
      taint: [],
      usage: { inputTokens: 100, outputTokens: 50, moneyMicros: 1000, calls: 1, estimated: false },
    });
    expect(authorityOf(run.state, run.state.jobs[run.jobId(call(1, 1))]!)).toEqual({ agent: 'finder', tools: ['look', 'send-*'], left: { calls: 2, tokens: 850, moneyMicros: 499_000 } });
  });

  it('runs the calls of a turn at the same time, at most so many, and tells the model their results in the order of the calls', () => {
    const run = start({ parallel: 2 });
    run.complete(turn(1), asks(['look', { n: 1 }], ['look', { n: 2 }], ['look', { n: 3 }]));
    expect(run.jobs()).toEqual([call(1, 1), call(1, 2)]);
    run.complete(call(1, 2), 'two');
    expect(run.jobs()).toEqual([call(1, 1), call(1, 3)]);
    run.complete(call(1, 3), 'three');
    run.complete(call(1, 1), 'one');
    expect(messagesAt(run, turn(2)).flatMap(({ role, content }) => (role === 'tool' ? [content] : []))).toEqual(['one', 'two', 'three']);
  });

  it('tells the model of a call that failed, and goes on', () => {
    const run = start();
    run.complete(turn(1), asks(['look', {}]));
    run.fail(call(1, 1), { code: 'denied', message: 'No policy allows it.', retryable: false });
    expect(messagesAt(run, turn(2)).at(-1)!['content']).toBe('{"error":{"code":"denied","message":"No policy allows it."}}');
  });

  it('makes a call again, under a new key, that got lost on its way out as its hook says', () => {
    const run = start();
    run.complete(turn(1), asks(['send-mail', {}]));
    const lost = { code: 'effect-failed', message: 'It did not happen.', retryable: true };
    run.fail(call(1, 1), lost, 'failed');
    expect(run.state.jobs[run.jobId(call(1, 1))]).toMatchObject({ generation: 1, attempt: 2 });
    for (let generation = 1; generation <= 5; generation++) run.fail(call(1, 1), lost, 'failed');
    expect(messagesAt(run, turn(2)).at(-1)!['content']).toContain('effect-failed');
  });

  it('makes no job of a call that it may not make, or whose arguments are no object', () => {
    const run = start();
    run.complete(turn(1), asks(['drop-tables', {}], ['look', 'x'], ['send-mail', {}]));
    expect(run.jobs()).toEqual([call(1, 3)]);
    run.complete(call(1, 3), null);
    const contents = messagesAt(run, turn(2)).flatMap(({ role, content }) => (role === 'tool' ? [String(content)] : []));
    expect(contents[0]).toContain('"denied"');
    expect(contents[1]).toContain('"input-invalid"');
  });

  it('fails its task with what its turn failed with, and the workflow may catch it', () => {
    const run = running({ do: [{ guard: { try: [agent()], catch: { errors: {}, as: 'error', do: [{ said: { set: { title: '${ $error.title }' } } }] } } }] }, {}).start();
    run.fail('/do/0/guard/try/0/work#turn:1', FAILED);
    expect(run.state.output).toEqual({ title: 'model-unavailable' });
  });
});

describe('a retried agent', () => {
  const RETRY = { errors: {}, retry: { limit: { attempt: { count: 3 } } } };
  const guarded = (more: object = {}, after: readonly object[] = []): Running => running({ do: [{ guard: { try: [agent(more), ...after], catch: RETRY } }] }, {}).start();
  const key = (part: string): string => `/do/0/guard/try/0/work#${part}`;

  it('goes on at the turn that failed: no call is made again', () => {
    const run = guarded();
    run.complete(key('turn:1'), asks(['look', {}]));
    run.complete(key('turn:1,call:1'), 'here');
    run.fail(key('turn:2'), FAILED);
    expect(run.jobs()).toEqual([key('turn:2')]);
    expect(messagesAt(run, key('turn:2'))).toHaveLength(4);
    run.complete(key('turn:2'), says('here'));
    expect(run.state).toMatchObject({ status: 'completed', output: 'here' });
  });

  it('answers again what it has answered when something after it failed', () => {
    const run = guarded({}, [{ tell: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } }]);
    run.complete(key('turn:1'), says('done'));
    run.fail('/do/0/guard/try/1/tell', { code: 'http-status', message: 'no', retryable: true });
    expect(run.jobs()).toEqual(['/do/0/guard/try/1/tell']);
  });

  it('works anew, under keys of its own, when it is asked something else', () => {
    const run = guarded({ prompt: '${ $context.note // "first" }' }, [
      { note: { set: {}, export: { as: '{ note: "second" }' } } },
      { tell: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } },
    ]);
    run.complete(key('turn:1'), says('done'));
    run.fail('/do/0/guard/try/2/tell', { code: 'http-status', message: 'no', retryable: true });
    expect(run.jobs()).toEqual([key('beginning:2,turn:1')]);
  });

  it('goes on where it stood when the execution is retried after a fault', () => {
    const run = start();
    run.complete(turn(1), asks(['look', {}]));
    run.complete(call(1, 1), 'here');
    run.fail(turn(2), FAILED);
    expect(run.state.status).toBe('faulted');
    run.accept({ type: 'OperateExecution', tenant: 'default', operation: 'retry', id: 'r', by: 'key:k', reason: '' });
    expect(run.jobs()).toEqual([turn(2)]);
    expect(messagesAt(run, turn(2))).toHaveLength(4);
  });
});

describe('the answer of an agent with a schema', () => {
  it('is what the final answer is called with, once that fits', () => {
    const run = start({ schema: LOOK });
    expect((inputAt(run, turn(1))['tools'] as readonly Json[]).at(-1)).toMatchObject({ name: 'final_answer', input: LOOK });
    run.complete(turn(1), says('It is 7.'));
    expect(messagesAt(run, turn(2)).at(-1)).toMatchObject({ role: 'user', content: expect.stringContaining('final_answer') });
    run.complete(turn(2), asks(['final_answer', { found: 'seven' }]));
    expect(messagesAt(run, turn(3)).at(-1)).toMatchObject({ role: 'tool', content: expect.stringContaining('output-invalid') });
    run.complete(turn(3), asks(['final_answer', { found: 7 }]));
    expect(run.state).toMatchObject({ status: 'completed', output: { found: 7 } });
  });

  it('is refused at most so often, then the task fails with `output-invalid`', () => {
    const run = start({ schema: LOOK, repairs: 1 });
    run.complete(turn(1), asks(['final_answer', {}]));
    run.complete(turn(2), asks(['final_answer', { found: null }]));
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'output-invalid' } });
  });

  it('may be of any shape', () => {
    const run = start({ schema: { type: 'array', items: { type: 'integer' } } });
    run.complete(turn(1), asks(['final_answer', { answer: [1, 2] }]));
    expect(run.state.output).toEqual([1, 2]);
  });

  it('is not taken beside other calls, whose results it cannot know', () => {
    const run = start({ schema: LOOK });
    run.complete(turn(1), asks(['look', {}], ['final_answer', { found: 7 }]));
    expect(run.jobs()).toEqual([call(1, 1)]);
    run.complete(call(1, 1), 8);
    expect(run.jobs()).toEqual([turn(2)]);
  });
});

describe('a limit of an agent', () => {
  it('of turns lets it take so many and no more', () => {
    const run = start({ limits: { turns: 2 } });
    run.complete(turn(1), asks(['look', { n: 1 }]));
    run.complete(call(1, 1), 1);
    run.complete(turn(2), asks(['look', { n: 2 }]));
    run.complete(call(2, 1), 2);
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'agent-limit' } });
  });

  it('of calls lets it make so many and no more, in one turn or in several', () => {
    const run = start({ limits: { calls: 2 } });
    run.complete(turn(1), asks(['look', { n: 1 }], ['look', { n: 2 }], ['look', { n: 3 }]));
    expect(run.jobs()).toEqual([call(1, 1), call(1, 2)]);
    run.complete(call(1, 1), 1);
    run.complete(call(1, 2), 2);
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'agent-limit' } });
  });

  it.each([
    ['tokens', { tokens: 150 }],
    ['money', { money: 0.001 }],
  ])('of %s ends it once it is used up', (_name, limits) => {
    const run = start({ limits });
    const used = { inputTokens: 100, outputTokens: 50, moneyMicros: 1000, calls: 1, estimated: false };
    run.accept({ type: 'CompleteJob', job: run.jobId(turn(1)), generation: 0, output: asks(['look', {}]), taint: [], usage: used });
    run.complete(call(1, 1), 1);
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'agent-limit' } });
  });

  it('of time ends it whatever it waits for', () => {
    const run = start({ limits: { time: 'PT30S' } });
    run.complete(turn(1), asks(['look', {}]));
    run.fireTimer();
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'agent-limit' } });
  });

  it('sets no timer that outlives it', () => {
    const run = start({ limits: { time: { minutes: 5 } } }, [{ rest: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } }]);
    run.complete(turn(1), says('done'));
    expect(run.state.timers).toEqual({});
  });

  it('grants one turn without tools where that is declared', () => {
    const run = start({ limits: { turns: 1 }, onLimit: 'answer' });
    run.complete(turn(1), asks(['look', {}]));
    run.complete(call(1, 1), 'here');
    expect(inputAt(run, turn(2))).toMatchObject({ tools: [] });
    run.complete(turn(2), says('I think it is here.'));
    expect(run.state).toMatchObject({ status: 'completed', output: 'I think it is here.' });
  });

  it('grants no second last turn', () => {
    const run = start({ limits: { turns: 1 }, onLimit: 'answer' });
    run.complete(turn(1), asks(['look', {}]));
    run.complete(call(1, 1), 'here');
    run.complete(turn(2), asks(['look', {}]));
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'agent-limit' } });
    expect(run.rows.flat().filter(({ type }) => type === 'CallBegun')).toHaveLength(1);
  });

  it('of repeats ends what goes round in circles, by one turn or by two in turns', () => {
    const once = start();
    for (const n of [1, 2, 3]) {
      once.complete(turn(n), asks(['look', { at: 'home' }]));
      once.complete(call(n, 1), 'nothing');
    }
    expect(once.state).toMatchObject({ status: 'faulted', error: { title: 'agent-limit', detail: expect.stringContaining('repetitions') } });
    const pingPong = start();
    for (const n of [1, 2, 3, 4, 5, 6]) {
      pingPong.complete(turn(n), asks(['look', { n: n % 2 }]));
      pingPong.complete(call(n, 1), 'nothing');
    }
    expect(pingPong.state).toMatchObject({ status: 'faulted', error: { title: 'agent-limit' } });
  });

  it('of repeats does not mind the same call with another result', () => {
    const run = start();
    for (const n of [1, 2, 3, 4, 5]) {
      run.complete(turn(n), asks(['look', {}]));
      run.complete(call(n, 1), n);
    }
    expect(run.jobs()).toEqual([turn(6)]);
  });
});
