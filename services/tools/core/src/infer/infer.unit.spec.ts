import { describe, expect, it } from 'vitest';
import { readInferInput } from './infer-input.js';
import { jsonInText, modelUnavailable, rejectedCandidate } from './model-problem.js';

describe('the arguments of infer', () => {
  it('puts instructions first and writes data as JSON', () => {
    expect(readInferInput({ instructions: 'Classify.', prompt: { text: 'late' } })).toEqual({
      ok: true,
      input: {
        messages: [
          { role: 'system', content: 'Classify.' },
          { role: 'user', content: '{"text":"late"}' },
        ],
      },
    });
  });

  it('takes a whole conversation', () => {
    expect(readInferInput({ messages: [{ role: 'user', content: 'hi' }], maxTokens: 5, temperature: 0 })).toMatchObject({ ok: true, input: { tokensMax: 5, temperature: 0 } });
  });

  it.each([
    ['neither prompt nor messages', {}],
    ['both', { prompt: 'a', messages: [{ role: 'user', content: 'a' }] }],
    ['a conversation without the user', { messages: [{ role: 'assistant', content: 'a' }] }],
    [
      'an unknown role',
      {
        messages: [
          { role: 'tool', content: 'a' },
          { role: 'user', content: 'a' },
        ],
      },
    ],
    ['a schema that is no object', { prompt: 'a', schema: 'object' }],
    ['an unknown field', { prompt: 'a', model: 'big' }],
    ['no tokens at all', { prompt: 'a', maxTokens: 0 }],
  ])('refuse %s', (_what, args) => {
    expect(readInferInput(args)).toMatchObject({ ok: false, failure: { code: 'input-invalid' } });
  });
});

describe('candidates', () => {
  it('leave every reason and the shortest wait when none answers', () => {
    const rejected = [
      rejectedCandidate('a', { kind: 'status', status: 429, retryAfterMs: 9_000, message: 'busy' }),
      rejectedCandidate('b', { kind: 'status', status: 429, retryAfterMs: 2_000, message: 'busy' }),
      rejectedCandidate('c', { kind: 'timeout', afterMs: 500 }),
    ];
    const failure = modelUnavailable(rejected);
    expect(failure).toMatchObject({ code: 'model-unavailable', retryable: true, retryAfterMs: 2_000 });
    expect(failure.message).toMatch(/a \(HTTP 429.*b \(HTTP 429.*c \(no answer within 500 ms\)/);
  });

  it('find JSON in a fenced block', () => {
    expect(jsonInText('```json\n{"a":1}\n```')).toEqual({ ok: true, value: { a: 1 } });
    expect(jsonInText('{"a":1}')).toEqual({ ok: true, value: { a: 1 } });
    expect(jsonInText('I think it is a')).toMatchObject({ ok: false, problem: { kind: 'notJson' } });
  });
});
