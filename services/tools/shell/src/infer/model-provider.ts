// Models of providers behind one interface, each over the egress client. The SDKs know the dialects: roles, calls, structured output, streams.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ModelCandidate } from '@weft/contracts';

/** Loaded by the first model call: a process that starts does not pay for it. */
const sdks = {
  openai: () => import('@ai-sdk/openai-compatible'),
  anthropic: () => import('@ai-sdk/anthropic'),
};

type OpenAiSdk = Awaited<ReturnType<typeof sdks.openai>>;
type OpenAiProvider = ReturnType<OpenAiSdk['createOpenAICompatible']>;
type Fetch = typeof globalThis.fetch;

/** A chat model, whatever its provider. */
export type ChatModel = ReturnType<OpenAiProvider['chatModel']>;
export type ChatOptions = Parameters<ChatModel['doGenerate']>[0];
/** A model that makes embeddings. */
export type EmbeddingModel = ReturnType<OpenAiProvider['embeddingModel']>;

// The SDK looks for a key in the environment when it is given none.
const NO_KEY = 'none';
const MODELS_MAX = 1_000;

// Making a model compiles schemas, which costs more than a call: models are kept, and each call brings its own way out.
const ways = new AsyncLocalStorage<Fetch>();
const wayOut: Fetch = (input, init) => ways.getStore()!(input, init);
const chatModels = new Map<string, ChatModel>();
const embeddingModels = new Map<string, EmbeddingModel>();

/** Runs something in which models of this file send through `fetch`. */
export const sendingThrough = <T>(fetch: Fetch, run: () => Promise<T>): Promise<T> => ways.run(fetch, run);

/** To be asked within `sendingThrough` alone. */
export function chatModel(candidate: ModelCandidate, apiKey: string | undefined): Promise<ChatModel> | ChatModel {
  return chatModels.get(keyOf(candidate, apiKey)) ?? kept(chatModels, keyOf(candidate, apiKey), makeChatModel(candidate, apiKey));
}

/** To be asked within `sendingThrough` alone; of the dialect of OpenAI, the only one that has embeddings. */
export function embeddingModel(candidate: ModelCandidate, apiKey: string | undefined): Promise<EmbeddingModel> | EmbeddingModel {
  const { endpoint, model } = candidate;
  const making = async (): Promise<EmbeddingModel> => (await openAiProvider(endpoint, apiKey)).embeddingModel(model);
  return embeddingModels.get(keyOf(candidate, apiKey)) ?? kept(embeddingModels, keyOf(candidate, apiKey), making());
}

const keyOf = ({ endpoint, model, terms }: ModelCandidate, apiKey: string | undefined): string => JSON.stringify([terms?.dialect ?? '', endpoint, model, apiKey ?? null]);

async function kept<M>(models: Map<string, M>, key: string, making: Promise<M>): Promise<M> {
  const model = await making;
  if (models.size >= MODELS_MAX) models.clear();
  models.set(key, model);
  return model;
}

async function makeChatModel({ endpoint, model, terms }: ModelCandidate, apiKey: string | undefined): Promise<ChatModel> {
  if (terms?.dialect === 'anthropic') {
    const { createAnthropic } = await sdks.anthropic();
    return createAnthropic({ baseURL: endpoint, fetch: wayOut, apiKey: apiKey ?? NO_KEY })(model);
  }
  return (await openAiProvider(endpoint, apiKey)).chatModel(model);
}

async function openAiProvider(baseURL: string, apiKey: string | undefined): Promise<OpenAiProvider> {
  const { createOpenAICompatible } = await sdks.openai();
  return createOpenAICompatible({ name: 'model', baseURL, fetch: wayOut, supportsStructuredOutputs: true, includeUsage: true, ...(apiKey === undefined ? {} : { apiKey }) });
}
