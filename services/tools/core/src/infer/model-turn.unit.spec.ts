import { describe, expect, it } from 'vitest';
import { readInferInput } from './infer-input.js';
import { estimateTokens, moneyOf, usageOf } from './model-usage.js';
import { offerTools, wireNames, withOwnTools } from './tool-offer.js';

const CALL = { id: 'c1', name: 'lookup', arguments: { id: 7 } };

describe('the messages of a turn', () => {
  it('hold calls and their answers', () => {
    const messages = [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: null, toolCalls: [CALL] },
      { role: 'tool', toolCallId: 'c1', content: { found: true } },
    ];
    expect(readInferInput({ messages, tools: ['lookup'], toolChoice: { tool: 'lookup' } })).toMatchObject({
      ok: true,
      input: { tools: ['lookup'], toolChoice: { tool: 'lookup' }, messages: [{}, { content: '', toolCalls: [CALL] }, { role: 'tool', toolCallId: 'c1', name: 'lookup', content: '{"found":true}' }] },
    });
  });

  it('hold images of the user', () => {
    const content = [{ text: 'what is it?' }, { image: 'data:image/png;base64,AAAA' }];
    expect(readInferInput({ messages: [{ role: 'user', content }] })).toMatchObject({ ok: true, input: { messages: [{ content: 'what is it?', images: ['data:image/png;base64,AAAA'] }] } });
    expect(readInferInput({ messages: [{ role: 'user', content: [{ image: 'file:///etc/passwd' }] }] })).toMatchObject({ ok: false });
  });

  it.each([
    [
      'the answer to a call that nobody asked for',
      {
        messages: [
          { role: 'user', content: 'x' },
          { role: 'tool', toolCallId: 'c9', content: 'y' },
        ],
      },
    ],
    [
      'a call without a name',
      {
        messages: [
          { role: 'user', content: 'x' },
          { role: 'assistant', toolCalls: [{ id: 'c1' }] },
        ],
      },
    ],
    ['a choice without tools', { prompt: 'x', toolChoice: 'auto' }],
    ['an unknown way to go on', { prompt: 'x', stream: { onFailure: 'hope' } }],
  ])('refuse %s', (_what, args) => {
    expect(readInferInput(args)).toMatchObject({ ok: false, failure: { code: 'input-invalid' } });
  });
});

describe('the tools that a model is told of', () => {
  const all = ['mail.send', 'mail.read', 'shop.refund'];
  const sources = {
    names: all,
    find: (name: string) => (all.includes(name) ? { name, description: `does\u200b ${name}\u{e0041}`, input: { type: 'object', title: 'a\u202eb' } } : undefined),
    objectionTo: (name: string) => (name.startsWith('shop') ? 'it is not granted' : undefined),
  };

  it('are those that may be used, each once, and the others are kept back with the reason', () => {
    const { offered, withheld } = offerTools(['mail.*', 'mail.send', 'shop.refund', 'gone'], sources);
    expect(offered.map(({ name }) => name)).toEqual(['mail.send', 'mail.read']);
    expect(withheld).toEqual([
      { name: 'shop.refund', reason: 'it is not granted' },
      { name: 'gone', reason: 'there is no such tool' },
    ]);
  });

  it('are described without what nobody sees', () => {
    const [tool] = offerTools(['mail.send'], sources).offered;
    expect(tool).toEqual({ name: 'mail.send', description: 'does mail.send', input: { type: 'object', title: 'ab' } });
  });

  it('are beside those that whoever asks carries out itself, which come last and hide others of their name', () => {
    const own = { name: 'mail.read', description: 'Reads here.', input: { type: 'object' } };
    const reading = readInferInput({ prompt: 'x', tools: ['mail.*', own] });
    expect(reading).toMatchObject({ ok: true, input: { tools: ['mail.*'], ownTools: [own] } });
    expect(readInferInput({ prompt: 'x', tools: [{ ...own, secret: 1 }] })).toMatchObject({ ok: false });
    const { offered, withheld } = withOwnTools(offerTools(['mail.*'], sources), [own]);
    expect(offered.map(({ name, description }) => [name, description])).toEqual([
      ['mail.send', 'does mail.send'],
      ['mail.read', 'Reads here.'],
    ]);
    expect(withheld.map(({ name }) => name)).toEqual(['mail.read']);
  });

  it('have names that providers take, each its own', () => {
    const long = 'x'.repeat(70);
    const wires = wireNames(['mail.send', 'mail_send', long, `${long}y`]);
    expect([...wires.values()]).toEqual(['mail_send', 'mail_send_2', 'x'.repeat(64), `${'x'.repeat(62)}_2`]);
  });
});

describe('what a call has used', () => {
  const price = { input: 0.2, output: 0.6 };

  it('is what the provider says, and costs what the catalogue says', () => {
    expect(usageOf({ inputTokens: 1_000, outputTokens: 100 }, { inputTokens: 900, outputTokens: 80 }, price)).toEqual({ inputTokens: 1_000, outputTokens: 100, moneyMicros: 260, estimated: false });
    expect(moneyOf(1, 0, price)).toBe(1);
    expect(moneyOf(5, 5, undefined)).toBe(0);
  });

  it.each([
    ['nothing is said', undefined],
    ['no tokens are said for a long answer', { inputTokens: 900, outputTokens: 0 }],
    ['negative tokens are said', { inputTokens: -5, outputTokens: 80 }],
    ['absurdly many are said', { inputTokens: 900, outputTokens: 1e9 }],
    ['halves are said', { inputTokens: 900.5, outputTokens: 80 }],
  ])('is counted here when %s, and marked', (_what, reported) => {
    expect(usageOf(reported, { inputTokens: 900, outputTokens: 80 }, price)).toMatchObject({ inputTokens: 900, outputTokens: 80, estimated: true, doubt: expect.any(String) });
  });

  it('counts bytes, so that no script is for free', () => {
    expect(estimateTokens('abcdefgh')).toBe(2);
    expect(estimateTokens('日本語日本語日本')).toBe(6);
  });
});
