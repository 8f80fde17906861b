// One call of one candidate through the AI SDK, over any OpenAI-compatible endpoint.
import type { generateText } from 'ai';
import { isJsonObject, type Json } from '@weft/kernel';
import type { ModelCandidate } from '@weft/contracts';
import { jsonInText, retryAfterMs, type InferInput, type ModelProblem } from '@weft/tools/core';
import type { EgressClient, EgressResult } from '../egress/egress-client.js';
import type { SchemaCheck } from '../registry/schemas.js';
import { secretMissing, type Secrets } from '../secret/secrets.js';
import { egressFetch } from './egress-fetch.js';

// What a provider does not support is found out by its answer; a line per call in the log would say nothing more.
(globalThis as { AI_SDK_LOG_WARNINGS?: boolean }).AI_SDK_LOG_WARNINGS = false;

/** Loaded by the first model call: a process that starts does not pay for it. */
async function modelSdk() {
  const [sdk, { createOpenAICompatible }] = await Promise.all([import('ai'), import('@ai-sdk/openai-compatible')]);
  return { ...sdk, createOpenAICompatible };
}

export interface ModelCall {
  readonly candidate: ModelCandidate;
  readonly input: InferInput;
  /** Of the schema in the input. */
  readonly check: SchemaCheck | undefined;
  readonly timeoutMs: number;
}

export type ModelAnswer =
  | { readonly ok: true; readonly output: Json; readonly usage: { readonly inputTokens: number; readonly outputTokens: number } }
  | { readonly ok: false; readonly problem: ModelProblem };

/** Calls the model once. Never rejects: every way to fail is a problem of this candidate. */
export async function callModel(egress: EgressClient, secrets: Secrets, { candidate, input, check, timeoutMs }: ModelCall): Promise<ModelAnswer> {
  const apiKey = candidate.keySecret === '' ? undefined : secrets(candidate.keySecret);
  if (candidate.keySecret !== '' && apiKey === undefined) return { ok: false, problem: { kind: 'notConfigured', message: secretMissing(candidate.keySecret).message } };
  const { fetch, last } = egressFetch(egress, { name: `model ${candidate.id}`, origins: [], mayGoAnywherePublic: true }, timeoutMs);
  const provider = (await modelSdk()).createOpenAICompatible({ name: 'model', baseURL: candidate.endpoint, fetch, supportsStructuredOutputs: true, ...(apiKey === undefined ? {} : { apiKey }) });
  try {
    const { text, usage } = await textOf(input, provider(candidate.model));
    return judged(text, usage, input, check);
  } catch (error) {
    return { ok: false, problem: problemOf(error, last(), timeoutMs) };
  }
}

interface Generated {
  readonly text: string;
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
}

async function textOf(input: InferInput, model: Parameters<typeof generateText>[0]['model']): Promise<Generated> {
  const settings = {
    model,
    messages: input.messages.map(({ role, content }) => ({ role, content })),
    allowSystemInMessages: true,
    // The next candidate is the retry.
    maxRetries: 0,
    ...(input.temperature === undefined ? {} : { temperature: input.temperature }),
    ...(input.tokensMax === undefined ? {} : { maxOutputTokens: input.tokensMax }),
  };
  const { generateText, jsonSchema, NoObjectGeneratedError, Output } = await modelSdk();
  if (!input.schema) {
    const { text, usage } = await generateText(settings);
    return { text, usage: tokensOf(usage) };
  }
  try {
    const { text, usage } = await generateText({ ...settings, output: Output.object({ schema: jsonSchema(input.schema as Parameters<typeof jsonSchema>[0]) }) });
    return { text, usage: tokensOf(usage) };
  } catch (error) {
    // The text is judged here, by the schema itself.
    if (NoObjectGeneratedError.isInstance(error) && error.text !== undefined) return { text: error.text, usage: tokensOf(error.usage) };
    throw error;
  }
}

function tokensOf(usage: { readonly inputTokens?: number | undefined; readonly outputTokens?: number | undefined } | undefined): Generated['usage'] {
  return { inputTokens: usage?.inputTokens ?? 0, outputTokens: usage?.outputTokens ?? 0 };
}

function judged(text: string, usage: Generated['usage'], input: InferInput, check: SchemaCheck | undefined): ModelAnswer {
  if (!input.schema) return text === '' ? { ok: false, problem: { kind: 'schema', message: 'it is empty' } } : { ok: true, output: text.replaceAll('\u0000', ''), usage };
  const parsed = jsonInText(text);
  if (!parsed.ok) return parsed;
  const problem = check?.(parsed.value);
  return problem === undefined ? { ok: true, output: parsed.value, usage } : { ok: false, problem: { kind: 'schema', message: problem } };
}

function problemOf(error: unknown, result: EgressResult | undefined, timeoutMs: number): ModelProblem {
  const message = (error instanceof Error ? error.message : String(error)).slice(0, 300);
  if (!result) return { kind: 'notConfigured', message };
  if (result.kind === 'notSent') {
    if (result.code === 'timeout') return { kind: 'timeout', afterMs: timeoutMs };
    return { kind: result.code === 'unreachable' ? 'unreachable' : 'notConfigured', message: result.message };
  }
  if (result.kind === 'lost') return result.reason === 'timeout' ? { kind: 'timeout', afterMs: timeoutMs } : { kind: 'unreachable', message: result.message };
  if (result.status < 400) return { kind: 'notJson', message: result.isTooLong ? 'the answer is too long' : message };
  const waitMs = retryAfterMs(result.headers['retry-after'], Date.now());
  return { kind: 'status', status: result.status, message: providerMessage(result.body) ?? message, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) };
}

/** The sentence in an error answer of the protocol: {"error": {"message": "..."}}. */
function providerMessage(body: Buffer): string | undefined {
  try {
    const parsed = JSON.parse(body.toString('utf8')) as Json;
    const error = isJsonObject(parsed) ? parsed['error'] : undefined;
    const message = isJsonObject(error) ? error['message'] : undefined;
    return typeof message === 'string' ? message.replaceAll('\u0000', '').slice(0, 200) : undefined;
  } catch {
    return undefined;
  }
}
