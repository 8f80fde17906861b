// One request for embeddings to one candidate.
import { embeddingsProblem } from '@weft/tools/core';
import type { ModelAnswer, ModelCall } from './model-call.js';
import { embeddingModel, sendingThrough } from './model-provider.js';

/** Throws what the provider's SDK throws. */
export async function embed({ candidate, input, headers, signal }: ModelCall, apiKey: string | undefined, fetch: typeof globalThis.fetch): Promise<ModelAnswer> {
  const { model: name, terms } = candidate;
  if (terms?.dialect === 'anthropic') return { ok: false, problem: { kind: 'notConfigured', message: 'its dialect has no embeddings' } };
  const values = input.messages.map(({ content }) => content);
  const { embeddings, usage } = await sendingThrough(fetch, async () => (await embeddingModel(candidate, apiKey)).doEmbed({ values, headers: { ...headers }, abortSignal: signal }));
  const turn = { text: '', toolCalls: [], finishReason: 'stop' };
  const reported = usage && { inputTokens: usage.tokens, outputTokens: 0 };
  const problem = embeddingsProblem(embeddings, values.length, terms?.dimensions ?? 0);
  if (problem !== undefined) return { ok: false, problem: { kind: 'schema', message: problem }, turn, reported };
  return { ok: true, output: { embeddings, dims: embeddings[0]!.length, model: name }, turn, reported };
}
