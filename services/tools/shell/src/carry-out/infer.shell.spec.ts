import type { Command, ModelTerms } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import type { InferEvidence } from '@weft/tools/core';
import { afterEach, describe, expect, it } from 'vitest';
import { inferWorld, type InferWorld } from './infer.testing.js';

const open: InferWorld[] = [];
afterEach(async () => {
  for (const world of open.splice(0)) await world.close();
});
const world = async (...given: Parameters<typeof inferWorld>): Promise<InferWorld> => {
  const made = await inferWorld(...given);
  open.push(made);
  return made;
};
const terms = (more: Partial<ModelTerms>): ModelTerms => ({ digest: '', dialect: 'openai', capabilities: [], contextTokens: 0, outputTokensMax: 0, tier: '', dimensions: 0, ...more });
const outputOf = (command: Command): Json => JSON.parse(command.completeJob?.outputJson ?? 'null') as Json;
const evidenceOf = (command: Command): InferEvidence => JSON.parse((command.completeJob ?? command.failJob)!.evidenceJson) as InferEvidence;

describe('a turn with tools', () => {
  const offer = () => ({
    offered: [{ name: 'shop.lookup', description: 'Finds an order.', input: { type: 'object', properties: { id: { type: 'integer' } } } }],
    withheld: [{ name: 'shop.refund', reason: 'it is not granted' }],
  });
  const CALL = { name: 'shop_lookup', arguments: { id: 7 }, id: 'c1' };

  it('answers the calls that the model asks for, by the names of the tools', async () => {
    const { infer, server } = await world([{ offers: 'shop_lookup', answer: { toolCalls: [CALL], content: 'Let me see.' } }], { offer });
    const command = await infer(['m'], { prompt: 'order 7?', tools: ['shop.*'] });
    expect(outputOf(command)).toEqual({ content: 'Let me see.', toolCalls: [{ id: 'c1', name: 'shop.lookup', arguments: { id: 7 } }], finishReason: 'tool-calls' });
    expect(evidenceOf(command)).toMatchObject({ chosen: 'first of the route', tools: { offered: ['shop.lookup'], withheld: [{ name: 'shop.refund' }] } });
    expect(server.requests()[0]).toMatchObject({ tools: ['shop_lookup'], execution: '0190b1a2-0000-7000-8000-000000000001' });
    expect(command.completeJob?.usage).toMatchObject({ calls: 1, estimated: false });
  });

  it('goes on after answers to calls, failed ones among them', async () => {
    const { infer, server } = await world([{ turn: 1, answer: { content: 'It is late.' } }], { offer });
    const messages = [
      { role: 'user', content: 'orders 7 and 8?' },
      {
        role: 'assistant',
        content: null,
        toolCalls: [
          { id: 'c1', name: 'shop.lookup', arguments: { id: 7 } },
          { id: 'c2', name: 'shop.lookup', arguments: { id: 8 } },
        ],
      },
      { role: 'tool', toolCallId: 'c1', content: { state: 'late' } },
      { role: 'tool', toolCallId: 'c2', content: 'denied', isError: true },
    ];
    expect(outputOf(await infer(['m'], { messages, tools: ['shop.lookup'] }))).toEqual({ content: 'It is late.', toolCalls: [], finishReason: 'stop' });
    expect(server.requests()[0]?.text).toContain('{"state":"late"}');
  });

  it('keeps arguments that are no JSON as the text that they are, and names that nobody offered', async () => {
    const { infer } = await world([{ answer: { toolCalls: [{ name: 'rm_rf', arguments: {}, argumentsText: '{"id": ' }] } }], { offer });
    expect(outputOf(await infer(['m'], { prompt: 'x', tools: [] }))).toMatchObject({ toolCalls: [{ name: 'rm_rf', arguments: '{"id": ' }] });
  });

  it('gives a final answer that fits the schema', async () => {
    const schema = { type: 'object', properties: { late: { type: 'boolean' } }, required: ['late'] };
    const { infer } = await world([{ model: 'wrong', answer: { json: { late: 'yes' } } }, { answer: { json: { late: true } } }], { offer });
    expect(outputOf(await infer(['wrong', 'right'], { prompt: 'x', tools: ['shop.lookup'], schema }))).toMatchObject({ content: { late: true }, toolCalls: [] });
  });
});

describe('calls of before', () => {
  const spoken = {
    messages: [
      { role: 'user', content: 'order 7?' },
      { role: 'assistant', content: 'Let me see.', toolCalls: [{ id: 'c1', name: 'shop.lookup', arguments: '{"id": ' }] },
      { role: 'tool', toolCallId: 'c1', content: 'no object', isError: true },
    ],
    tools: [],
  };
  const sentTo = async (dialect: string): Promise<string> => {
    let sent = '';
    const { ports, infer } = await world([{ answer: { content: 'ok' } }]);
    const { egress } = ports;
    const send = egress.send.bind(egress);
    egress.send = (request) => {
      sent = String(request.body);
      return send(request);
    };
    expect(outputOf(await infer([{ model: 'm', terms: terms({ dialect }) }], spoken))).toMatchObject({ content: 'ok' });
    return sent;
  };

  it('are told with a name and arguments that every provider takes, whatever the model said', async () => {
    const sent = JSON.parse(await sentTo('openai')) as { messages: { tool_calls?: { function: { name: string; arguments: string } }[] }[] };
    const [call] = sent.messages[1]!.tool_calls!;
    expect([call!.function.name, JSON.parse(call!.function.arguments)]).toEqual(['shop_lookup', { arguments: '{"id": ' }]);
  });

  it('are told as text where a provider takes calls only beside tools', async () => {
    const sent = await sentTo('anthropic');
    expect(sent).not.toContain('tool_use');
    expect(sent).toContain('Result of shop.lookup, which failed: no object');
  });
});

describe('the dialect of Anthropic', () => {
  const claude = { model: 'claude', terms: terms({ dialect: 'anthropic', price: { input: 1, output: 1 } }) };
  const offer = () => ({ offered: [{ name: 'shop.lookup', description: 'Finds an order.', input: { type: 'object', properties: { id: { type: 'integer' } } } }], withheld: [] });

  it('takes the same turns, with calls and their answers in its own form', async () => {
    const { infer, server } = await world(
      [
        { turn: 0, offers: 'shop_lookup', answer: { toolCalls: [{ name: 'shop_lookup', arguments: { id: 7 }, id: 'c1' }] } },
        { turn: 1, lastContains: 'late', answer: { content: 'It is late.' } },
      ],
      { offer },
    );
    const first = await infer([claude], { instructions: 'Help.', prompt: 'order 7?', tools: ['shop.lookup'] });
    expect(outputOf(first)).toMatchObject({ toolCalls: [{ id: 'c1', name: 'shop.lookup', arguments: { id: 7 } }], finishReason: 'tool-calls' });
    const messages = [
      { role: 'user', content: 'order 7?' },
      { role: 'assistant', toolCalls: [{ id: 'c1', name: 'shop.lookup', arguments: { id: 7 } }] },
      { role: 'tool', toolCallId: 'c1', content: { state: 'late' } },
    ];
    const second = await infer([claude], { instructions: 'Help.', messages, tools: ['shop.lookup'] });
    expect(outputOf(second)).toMatchObject({ content: 'It is late.', toolCalls: [], finishReason: 'stop' });
    expect(second.completeJob?.usage).toMatchObject({ estimated: false, inputTokens: server.requests()[1]!.inputTokens });
  });

  it('streams, and falls back to another dialect when it breaks', async () => {
    const { infer } = await world([
      { model: 'claude', times: 1, answer: { content: 'Streamed to its end.' } },
      { model: 'claude', answer: { content: 'x'.repeat(64) }, fault: { afterPieces: 1, then: 'cut' } },
      { answer: { content: 'Said by another one.' } },
    ]);
    expect(outputOf(await infer([claude, 'openai'], { prompt: 'x', stream: true }))).toBe('Streamed to its end.');
    const command = await infer([claude, 'openai'], { prompt: 'x', stream: true });
    expect(outputOf(command)).toBe('Said by another one.');
    expect(evidenceOf(command).stream).toMatchObject({ restarts: 1 });
  });
});

describe('what a model job has used', () => {
  const price = { input: 1_000, output: 2_000 };

  it('is priced by the catalogue, and counts calls whose answer was of no use', async () => {
    const { infer } = await world([{ model: 'chatty', answer: { content: 'I think so.' } }, { answer: { json: 1 } }]);
    const command = await infer(['chatty', { model: 'good', terms: terms({ price, digest: 'd1' }) }], { prompt: 'x'.repeat(400), schema: {} });
    const { usage, spent, attempts, catalogue } = evidenceOf(command);
    expect(catalogue).toBe('d1');
    expect(usage).toEqual({ inputTokens: 100, outputTokens: 1, moneyMicros: 102_000, estimated: false });
    expect(attempts.map(({ candidate, outcome, usage: used }) => [candidate, outcome, used?.outputTokens])).toEqual([
      ['chatty', 'failed', 3],
      ['good', 'answered', 1],
    ]);
    expect(command.completeJob?.usage).toEqual({ ...spent, calls: 2 });
    expect(spent.inputTokens).toBe(200);
  });

  it('is counted here, and marked, when the provider lies or says nothing', async () => {
    for (const usage of ['absent', { inputTokens: 0, outputTokens: 0 }] as const) {
      const { infer } = await world([{ usage, answer: { content: 'y'.repeat(400) } }]);
      const command = await infer(['m'], { prompt: 'x'.repeat(400) });
      expect(command.completeJob?.usage).toMatchObject({ inputTokens: 104, outputTokens: 100, estimated: true });
      expect(evidenceOf(command).usage.doubt).toMatch(/were reported/);
    }
  });
});

describe('candidates that fail', () => {
  it('are asked again when all have had their turn, with a key of its own for each call', async () => {
    const { infer, server } = await world([
      { model: 'a', times: 1, fault: { status: 503 } },
      { model: 'b', fault: { status: 400 } },
      { model: 'a', answer: { content: 'at last' } },
    ]);
    const command = await infer(['a', 'b'], { prompt: 'x' });
    expect(outputOf(command)).toBe('at last');
    expect(server.requests().map(({ model }) => model)).toEqual(['a', 'b', 'a']);
    expect(new Set(server.requests().map(({ idempotencyKey }) => idempotencyKey)).size).toBe(3);
    expect(evidenceOf(command).rejected.map(({ candidate }) => candidate)).toEqual(['a', 'b']);
  });

  it('are left alone after failures in a row', async () => {
    const { infer, server } = await world([{ model: 'sick', fault: { status: 500 } }, { answer: { content: 'well' } }]);
    for (let n = 0; n < 6; n++) await infer(['sick', 'well'], { prompt: 'x' });
    expect(server.requests().filter(({ model }) => model === 'sick')).toHaveLength(5);
    expect(evidenceOf(await infer(['sick', 'well'], { prompt: 'x' })).rejected[0]?.reason).toMatch(/^not asked: it failed 5 times in a row/);
  });

  it('are passed over when their limits are used up', async () => {
    const { infer, server } = await world([{ answer: { content: 'ok' } }]);
    const limited = { model: 'limited', terms: terms({ limits: { concurrency: 0, requestsPerMinute: 2, tokensPerMinute: 0 } }) };
    for (let n = 0; n < 4; n++) await infer([limited, 'other'], { prompt: 'x' });
    expect(server.requests().map(({ model }) => model)).toEqual(['limited', 'limited', 'other', 'other']);
    const few = { model: 'few', terms: terms({ limits: { concurrency: 1, requestsPerMinute: 0, tokensPerMinute: 0 } }) };
    const answers = await Promise.all([infer([few, 'other'], { prompt: 'x' }), infer([few, 'other'], { prompt: 'x' })]);
    expect(answers.map((command) => evidenceOf(command).candidate).sort()).toEqual(['few', 'other']);
  });
});

describe('hedging', () => {
  const hedged = { model: 'slow', hedge: { percentile: 0, afterMs: 20 } };

  it('asks the next candidate beside a slow one, takes the first answer and cuts the other off', async () => {
    const { infer, server } = await world([{ model: 'slow', fault: { hang: true } }, { answer: { content: 'quick' } }]);
    const command = await infer([hedged, 'quick', 'third'], { prompt: 'x'.repeat(400) });
    expect(outputOf(command)).toBe('quick');
    const { attempts, untried, usage, spent } = evidenceOf(command);
    expect(attempts.map(({ candidate, outcome }) => `${candidate} ${outcome}`).sort()).toEqual(['quick answered', 'slow cancelled']);
    expect(attempts.find(({ candidate }) => candidate === 'quick')?.hedge).toMatch(/no answer within 20 ms/);
    expect([untried, server.requests().length]).toEqual([['third'], 2]);
    // The loser is billed by its provider too: nobody says how much, so it is counted.
    expect(spent.inputTokens).toBeGreaterThan(usage.inputTokens);
    expect(spent.estimated).toBe(true);
  });

  it('does not ask a second one when the first is quick, or fails', async () => {
    const { infer, server } = await world([{ model: 'slow', times: 1, answer: { content: 'quick after all' } }, { model: 'slow', fault: { status: 400 } }, { answer: { content: 'fallback' } }]);
    expect(outputOf(await infer([{ ...hedged, hedge: { percentile: 0, afterMs: 5_000 } }, 'quick'], { prompt: 'x' }))).toBe('quick after all');
    expect(outputOf(await infer([{ ...hedged, hedge: { percentile: 0, afterMs: 5_000 } }, 'quick'], { prompt: 'x' }))).toBe('fallback');
    expect(server.requests()).toHaveLength(3);
  });
});
