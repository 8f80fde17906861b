// Models of providers behind one interface, each over the egress client. The SDKs know the dialects: roles, calls, structured output, streams.
import type { ModelCandidate } from '@weft/contracts';

/** Loaded by the first model call, or by `warmProviders`: a process that starts does not pay for it. */
const sdks = {
  openai: () => import('@ai-sdk/openai-compatible'),
  anthropic: () => import('@ai-sdk/anthropic'),
};

type OpenAiSdk = Awaited<ReturnType<typeof sdks.openai>>;
type OpenAiProvider = ReturnType<OpenAiSdk['createOpenAICompatible']>;

/** A chat model, whatever its provider. */
export type ChatModel = ReturnType<OpenAiProvider['chatModel']>;
export type ChatOptions = Parameters<ChatModel['doGenerate']>[0];
export type EmbeddingModel = ReturnType<OpenAiProvider['embeddingModel']>;

export interface ProviderAccess {
  readonly fetch: typeof globalThis.fetch;
  readonly apiKey: string | undefined;
}

// The SDK looks for a key in the environment when it is given none.
const NO_KEY = 'none';

export async function chatModel(candidate: ModelCandidate, { fetch, apiKey }: ProviderAccess): Promise<ChatModel> {
  if (candidate.terms?.dialect === 'anthropic') {
    const { createAnthropic } = await sdks.anthropic();
    return createAnthropic({ baseURL: candidate.endpoint, fetch, apiKey: apiKey ?? NO_KEY })(candidate.model);
  }
  const { createOpenAICompatible } = await sdks.openai();
  return createOpenAICompatible({ name: 'model', baseURL: candidate.endpoint, fetch, supportsStructuredOutputs: true, includeUsage: true, ...(apiKey === undefined ? {} : { apiKey }) }).chatModel(
    candidate.model,
  );
}

/** Embeddings exist in the dialect of OpenAI alone. */
export async function embeddingModel(candidate: ModelCandidate, { fetch, apiKey }: ProviderAccess): Promise<EmbeddingModel> {
  const { createOpenAICompatible } = await sdks.openai();
  return createOpenAICompatible({ name: 'model', baseURL: candidate.endpoint, fetch, ...(apiKey === undefined ? {} : { apiKey }) }).embeddingModel(candidate.model);
}

/** Loads what the first model call needs. */
export const warmProviders = async (): Promise<void> => void (await sdks.openai());
