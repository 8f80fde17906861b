import { describe, expect, it } from 'vitest';
import { judgeStreams, type ModelLine, type StreamCase, type StreamSeen } from './streams-checker.js';

const [FIRST, SECOND] = ['a'.repeat(64), 'b'.repeat(64)];
const planned = (more: Partial<StreamCase> = {}): StreamCase => ({ id: '1', policy: 'abort', fault: 'cut', after: 2, wantsRestarts: false, first: FIRST, second: SECOND, ...more });
const benign = planned({ id: 'b', fault: 'none' });
const line = (model: string, more: Partial<ModelLine> = {}): ModelLine => ({ execution: 'e1', model, turn: 0, text: 'hello', sent: '', isWhole: false, inputTokens: 10, outputTokens: 0, ...more });
const whole = (model: string, text: string, more: Partial<ModelLine> = {}): ModelLine => line(model, { sent: text, isWhole: true, outputTokens: text.length / 4, ...more });
const cut = line('first-1', { sent: FIRST.slice(0, 32), outputTokens: 8 });
const seen = (text: string, more: Partial<StreamSeen> = {}): StreamSeen => ({
  id: '1',
  execution: 'e1',
  text,
  restarts: 0,
  error: '',
  usage: { prompt_tokens: 10, completion_tokens: 16 },
  calls: 2,
  ...more,
});
const well: readonly [StreamSeen, ModelLine] = [seen(FIRST, { id: 'b', execution: 'b', calls: 1 }), whole('first-b', FIRST, { execution: 'b' })];
const judge = (one: StreamCase, saw: StreamSeen, ...lines: ModelLine[]) => judgeStreams([one, benign], [saw, well[0]], [...lines, well[1]]).violations;

describe('the judge of streams', () => {
  it('is content with what each policy declares', () => {
    expect(judge(planned(), seen(FIRST.slice(0, 32), { error: 'workflow-failed', calls: 1 }), cut)).toEqual([]);
    expect(judge(planned({ after: 0 }), seen(SECOND), line('first-1'), whole('second', SECOND))).toEqual([]);
    expect(judge(planned({ policy: 'restart-visible', wantsRestarts: true }), seen(SECOND, { restarts: 1 }), cut, whole('second', SECOND))).toEqual([]);
    expect(judge(planned({ policy: 'restart-visible' }), seen(FIRST.slice(0, 32), { error: 'stream-broken' }), cut, whole('second', SECOND))).toEqual([]);
    const rest = whole('second', FIRST.slice(32), { turn: 1, text: `hello\n${FIRST.slice(0, 32)}` });
    expect(judge(planned({ policy: 'continue-from-prefix' }), seen(FIRST, { usage: { prompt_tokens: 20, completion_tokens: 16 } }), cut, rest)).toEqual([]);
  });

  it.each([
    ['an answer that begins anew unseen', planned({ policy: 'restart-visible' }), seen(FIRST.slice(0, 32) + SECOND), [cut, whole('second', SECOND)], /to be shown/],
    ['an aborted answer that another model goes on with', planned(), seen(FIRST.slice(0, 32), { error: 'workflow-failed' }), [cut, whole('second', SECOND)], /expected calls of first but/],
    ['an answer that is billed twice', planned({ after: 0 }), seen(SECOND, { usage: { prompt_tokens: 20, completion_tokens: 32 } }), [line('first-1'), whole('second', SECOND)], /to be billed/],
    ['a call that the evidence does not hold', planned({ after: 0 }), seen(SECOND, { calls: 1 }), [line('first-1'), whole('second', SECOND)], /accounted for/],
    [
      'a model that is asked to go on without the start',
      planned({ policy: 'continue-from-prefix' }),
      seen(FIRST, { usage: { prompt_tokens: 20, completion_tokens: 16 } }),
      [cut, whole('second', FIRST.slice(32), { turn: 1 })],
      /given what was shown/,
    ],
    ['a chat that nobody saw the end of', planned(), seen('', { id: '2' }), [cut], /nobody saw/],
    ['a call of no chat', planned({ after: 0 }), seen(SECOND), [line('first-1'), whole('second', SECOND), line('x', { execution: 'other' })], /belong to a chat/],
  ])('objects to %s', (_what, one, saw, lines, sentence) => {
    expect(judge(one, saw, ...lines).join()).toMatch(sentence);
  });

  it('objects to benign chats that fail, and to a run without any', () => {
    expect(judgeStreams([benign], [{ ...well[0], text: 'x' }], [well[1]]).violations.join()).toMatch(/0 of 1 did/);
    expect(judgeStreams([], [], []).violations.join()).toMatch(/none was asked for/);
  });
});
