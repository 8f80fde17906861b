import type { Command, ModelTerms } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import type { InferEvidence } from '@weft/tools/core';
import { afterEach, describe, expect, it } from 'vitest';
import type { ModelRule } from '@weft/testkit';
import { inferWorld, type InferWorld } from './infer.testing.js';

const open: InferWorld[] = [];
afterEach(async () => {
  for (const world of open.splice(0)) await world.close();
});
const world = async (...rules: readonly ModelRule[]): Promise<InferWorld> => {
  const made = await inferWorld(rules);
  open.push(made);
  return made;
};
const ANY: ModelRule = { answer: { content: '' } };
const embedder = (model: string, more: Partial<ModelTerms> = {}) => ({
  model,
  terms: { digest: '', dialect: 'openai', capabilities: ['embeddings'], contextTokens: 0, outputTokensMax: 0, tier: '', dimensions: 64, price: { input: 2, output: 8 }, ...more },
});
const chat = (model: string) => embedder(model, { capabilities: ['json', 'tools'], dimensions: 0 });
interface Embedded {
  readonly embeddings: readonly (readonly number[])[];
  readonly dims: number;
  readonly model: string;
}
const outputOf = (command: Command): Embedded => JSON.parse(command.completeJob?.outputJson ?? 'null') as Embedded;
const evidenceOf = (command: Command): InferEvidence => JSON.parse((command.completeJob ?? command.failJob)!.evidenceJson) as InferEvidence;
const embed = ({ infer }: InferWorld, models: Parameters<InferWorld['infer']>[0], args: Json): Promise<Command> => infer(models, args, { kind: 'embed' });

describe('embed', () => {
  it('answers a vector for each text, in their order, under the tainted name of its model', async () => {
    const made = await world(ANY);
    const command = await embed(made, [embedder('vectors')], { texts: ['a red fox', 'a red dog', 'taxes'] });
    const { embeddings, dims, model } = outputOf(command);
    expect([embeddings.length, dims, model]).toEqual([3, 64, 'vectors']);
    const near = (a: number, b: number): number => embeddings[a]!.reduce((sum, part, at) => sum + part * embeddings[b]![at]!, 0);
    expect(near(0, 1)).toBeGreaterThan(near(0, 2));
    expect(outputOf(await embed(made, [embedder('vectors')], { text: 'a red dog' })).embeddings).toEqual([embeddings[1]]);
    expect(command.completeJob?.taint).toEqual(['model:vectors']);
  });

  it('is billed by what the provider tells, and writes no tokens', async () => {
    const command = await embed(await world(ANY), [embedder('vectors')], { text: 'one two three four five six seven eight' });
    const { usage } = command.completeJob!;
    expect(usage).toMatchObject({ outputTokens: 0, calls: 1, estimated: false });
    expect(usage!.inputTokens).toBeGreaterThan(0);
    expect(usage!.moneyMicros).toBe(usage!.inputTokens * 2);
  });

  it('asks only models that make embeddings, and goes to the next one when one fails', async () => {
    const made = await world({ model: 'broken', fault: { status: 503 } }, ANY);
    const command = await embed(made, [chat('talker'), embedder('broken'), embedder('vectors')], { text: 'x' });
    expect(outputOf(command).model).toBe('vectors');
    expect(evidenceOf(command).rejected).toEqual([
      { candidate: 'talker', reason: 'not asked: it makes no embeddings' },
      { candidate: 'broken', reason: expect.stringContaining('HTTP 503') as unknown },
    ]);
    expect(made.server.requests().map(({ model }) => model)).toEqual(['broken', 'vectors']);
  });

  it('says that no model makes embeddings where none does', async () => {
    const made = await world(ANY);
    const { failJob } = await embed(made, [chat('talker'), embedder('claude', { dialect: 'anthropic' })], { text: 'x' });
    expect(failJob).toMatchObject({
      outcome: 'none',
      failure: { code: 'model-unavailable', message: expect.stringMatching(/talker \(not asked: it makes no embeddings\); claude \(.*its dialect has no embeddings/) as unknown },
    });
    expect(made.server.requests()).toEqual([]);
  });

  it('refuses vectors of another length than the catalogue tells', async () => {
    const { failJob } = await embed(await world(ANY), [embedder('vectors', { dimensions: 1_536 })], { text: 'x' });
    expect(failJob?.failure?.message).toContain('embedding 0 is no list of 1536 numbers');
    expect(failJob?.usage?.calls).toBe(1);
  });

  it.each<[string, Json, string]>([
    ['both', { text: 'a', texts: ['b'] }, 'either text or texts'],
    ['neither', {}, 'either text or texts'],
    ['no texts', { texts: [] }, '1 to 256'],
    ['too many', { texts: Array.from({ length: 257 }, () => 'x') }, '1 to 256'],
    ['no text', { texts: ['a', 7] }, 'texts[1]'],
    ['an empty text', { text: '' }, 'text is no text'],
    ['something else', { text: 'a', model: 'm' }, '"model"'],
    ['no object', 'a', 'no object'],
  ])('takes %s for invalid', async (_what, args, told) => {
    const { failJob } = await embed(await world(ANY), [embedder('vectors')], args);
    expect(failJob).toMatchObject({ outcome: 'none', failure: { code: 'input-invalid', message: expect.stringContaining(told) as unknown } });
  });
});

describe('infer', () => {
  it('does not ask a model that makes embeddings and nothing else', async () => {
    const made = await world({ model: 'broken', fault: { status: 400 } }, { answer: { content: 'hello' } });
    const command = await made.infer(['broken', embedder('vectors'), embedder('both', { capabilities: ['embeddings', 'json'] })], { prompt: 'x' });
    expect(evidenceOf(command)).toMatchObject({ candidate: 'both', rejected: [{ candidate: 'vectors', reason: 'not asked: it makes embeddings and nothing else' }, { candidate: 'broken' }] });
  });
});
