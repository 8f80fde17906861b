// One call of one candidate, streamed or not, over its provider's protocol.
import type { ModelCandidate } from '@weft/contracts';
import { isJsonObject, type Json } from '@weft/kernel';
import { jsonInText, retryAfterMs, type InferInput, type ModelProblem, type ToolForModel, type ReportedTokens, type ToolCall } from '@weft/tools/core';
import type { EgressClient } from '../egress/egress-client.js';
import type { SchemaCheck } from '../registry/schemas.js';
import { secretMissing, type Secrets } from '../secret/secrets.js';
import { egressFetch, type Observed } from './egress-fetch.js';
import { embed } from './model-embeddings.js';
import { chatOptions } from './model-prompt.js';
import { chatModel, sendingThrough, type ChatModel, type ChatOptions } from './model-provider.js';

/** Characters of one answer that streams; a model that never ends is cut off. */
const TEXT_MAX = 1024 * 1024;

export interface ModelCall {
  readonly candidate: ModelCandidate;
  readonly input: InferInput;
  /** Of the schema in the input. */
  readonly check: SchemaCheck | undefined;
  readonly offered: readonly ToolForModel[];
  readonly wires: ReadonlyMap<string, string>;
  /** Told to the provider with the call: who asks, and the key of the job. */
  readonly headers: { readonly [name: string]: string };
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Present: the answer is streamed, and its text told as it comes. */
  readonly stream?: { readonly onText: (text: string) => void; readonly stallMs: number; readonly prefix: string };
}

/** What a model said in one call. */
export interface ModelTurn {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  /** stop, length, content-filter, tool-calls, other. */
  readonly finishReason: string;
}

export type ModelAnswer =
  | { readonly ok: true; readonly output: Json; readonly turn: ModelTurn; readonly reported: ReportedTokens | undefined }
  /** `turn`: what had come, or what could not be used; absent where the provider sent no answer. */
  | { readonly ok: false; readonly problem: ModelProblem; readonly turn?: ModelTurn; readonly reported?: ReportedTokens | undefined };

/** Calls the model once. Never rejects: every way to fail is a problem of this candidate. */
export async function callModel(egress: EgressClient, secrets: Secrets, call: ModelCall): Promise<ModelAnswer> {
  const { candidate, input, check, offered, wires, timeoutMs, stream } = call;
  const callsAsText = offered.length === 0 && candidate.terms?.dialect === 'anthropic';
  const apiKey = candidate.keySecret === '' ? undefined : secrets(candidate.keySecret);
  if (candidate.keySecret !== '' && apiKey === undefined) return { ok: false, problem: { kind: 'notConfigured', message: secretMissing(candidate.keySecret).message } };
  const sender = { name: `model ${candidate.id}`, origins: [], mayGoAnywherePublic: true };
  const { fetch, last } = egressFetch(egress, sender, { timeoutMs, ...(stream && { stallMs: stream.stallMs }) });
  const partial: Collected = { text: '', calls: [] };
  try {
    if (input.embeds) return await embed(call, apiKey, fetch);
    const options: ChatOptions = { ...chatOptions({ input, offered, wires, prefix: stream?.prefix ?? '', callsAsText }), headers: { ...call.headers }, abortSignal: call.signal };
    const { finishReason, reported } = await sendingThrough(fetch, async () => {
      const model = await chatModel(candidate, apiKey);
      return stream ? streamed(model, options, partial, stream.onText) : generated(model, options, partial);
    });
    const turn = turnOf(partial, call.wires, finishReason);
    const whole = stream ? { ...turn, text: stream.prefix + turn.text } : turn;
    return judged(whole, reported, input, check);
  } catch (error) {
    const turn = partial.text === '' && partial.calls.length === 0 ? undefined : turnOf(partial, call.wires, 'other');
    return { ok: false, problem: problemOf(error, last(), call, turn !== undefined), ...(turn && { turn }) };
  }
}

interface Collected {
  text: string;
  calls: { readonly id: string; readonly name: string; readonly text: string }[];
}

interface Ended {
  readonly finishReason: string;
  readonly reported: ReportedTokens | undefined;
}

async function generated(model: ChatModel, options: ChatOptions, into: Collected): Promise<Ended> {
  const { content, finishReason, usage } = await model.doGenerate(options);
  for (const part of content) {
    if (part.type === 'text') into.text += part.text;
    else if (part.type === 'tool-call') into.calls.push({ id: part.toolCallId, name: part.toolName, text: part.input });
  }
  return { finishReason: finishReason.unified, reported: tokensOf(usage) };
}

/** A stream that ends without a reason has been cut, whatever the connection says. */
async function streamed(model: ChatModel, options: ChatOptions, into: Collected, onText: (text: string) => void): Promise<Ended> {
  const { stream } = await model.doStream(options);
  let ended: Ended | undefined;
  for await (const part of stream as unknown as AsyncIterable<Part>) {
    if (part.type === 'text-delta') {
      into.text += part.delta;
      if (into.text.length > TEXT_MAX) throw new Error(`it is longer than ${TEXT_MAX} characters`);
      if (part.delta !== '') onText(part.delta);
    } else if (part.type === 'tool-call') into.calls.push({ id: part.toolCallId, name: part.toolName, text: part.input });
    else if (part.type === 'error') throw part.error instanceof Error ? part.error : new Error(messageIn(part.error));
    else if (part.type === 'finish' && part.finishReason.raw !== undefined) ended = { finishReason: part.finishReason.unified, reported: tokensOf(part.usage) };
  }
  if (!ended) throw new Error('the stream ended without an end of the answer');
  return ended;
}

type Part = Awaited<ReturnType<ChatModel['doStream']>>['stream'] extends ReadableStream<infer P> ? P : never;
type SdkUsage = Awaited<ReturnType<ChatModel['doGenerate']>>['usage'];

const tokensOf = ({ inputTokens, outputTokens }: SdkUsage): ReportedTokens | undefined =>
  inputTokens.total === undefined && outputTokens.total === undefined ? undefined : { inputTokens: inputTokens.total, outputTokens: outputTokens.total };

const clean = (text: string): string => text.replaceAll('\u0000', '');

function turnOf({ text, calls }: Collected, wires: ReadonlyMap<string, string>, finishReason: string): ModelTurn {
  const names = new Map([...wires].map(([name, wire]) => [wire, name]));
  const toolCalls = calls.map((call) => ({ id: clean(call.id), name: names.get(call.name) ?? clean(call.name), arguments: argumentsOf(clean(call.text)) }));
  return { text: clean(text), toolCalls, finishReason };
}

/** What is no JSON stays the text that it is: the schema of the tool says what is wrong with it. */
function argumentsOf(text: string): Json {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function judged(turn: ModelTurn, reported: ReportedTokens | undefined, input: InferInput, check: SchemaCheck | undefined): ModelAnswer {
  const unfit = (problem: ModelProblem): ModelAnswer => ({ ok: false, problem, turn, reported });
  const { text, toolCalls, finishReason } = turn;
  if (input.tools) {
    if (text === '' && toolCalls.length === 0) return unfit({ kind: 'schema', message: 'it is empty' });
    const asOutput = (content: Json): ModelAnswer => ({
      ok: true,
      output: { content, toolCalls: toolCalls as unknown as Json, finishReason: toolCalls.length > 0 ? 'tool-calls' : finishReason },
      turn,
      reported,
    });
    if (toolCalls.length > 0 || !input.schema) return asOutput(text === '' ? null : text);
    const value = fitting(text, check);
    return value.ok ? asOutput(value.value) : unfit(value.problem);
  }
  if (!input.schema) return text === '' ? unfit({ kind: 'schema', message: 'it is empty' }) : { ok: true, output: text, turn, reported };
  const value = fitting(text, check);
  return value.ok ? { ok: true, output: value.value, turn, reported } : unfit(value.problem);
}

function fitting(text: string, check: SchemaCheck | undefined): ReturnType<typeof jsonInText> {
  const parsed = jsonInText(text);
  const problem = parsed.ok ? check?.(parsed.value) : undefined;
  return problem === undefined ? parsed : { ok: false, problem: { kind: 'schema', message: problem } };
}

function problemOf(error: unknown, result: Observed | undefined, { timeoutMs, stream }: ModelCall, hasBegun: boolean): ModelProblem {
  const message = clean(messageIn(error)).slice(0, 300);
  if (!result) return { kind: 'notConfigured', message };
  if (result.kind === 'notSent') {
    if (result.code === 'timeout') return { kind: 'timeout', afterMs: timeoutMs };
    return { kind: result.code === 'unreachable' ? 'unreachable' : 'notConfigured', message: result.message };
  }
  if (result.kind === 'lost') return result.reason === 'timeout' ? { kind: 'timeout', afterMs: timeoutMs } : { kind: 'unreachable', message: result.message };
  if (result.status >= 400) {
    const waitMs = retryAfterMs(result.headers['retry-after'], Date.now());
    return { kind: 'status', status: result.status, message: providerMessage(result.body) ?? message, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) };
  }
  if (stream) return hasBegun ? { kind: 'broken', message } : { kind: 'unreachable', message };
  return { kind: 'notJson', message };
}

function messageIn(error: unknown): string {
  if (error instanceof Error) return error.message;
  const message = isJsonObject(error as Json) ? (error as { readonly message?: unknown }).message : undefined;
  return typeof message === 'string' ? message : typeof error === 'string' ? error : JSON.stringify(error);
}

/** The sentence in an error answer of the protocols: {"error": {"message": "..."}}. */
function providerMessage(body: string): string | undefined {
  try {
    const parsed = JSON.parse(body) as Json;
    const error = isJsonObject(parsed) ? parsed['error'] : undefined;
    const message = isJsonObject(error) ? error['message'] : undefined;
    return typeof message === 'string' ? clean(message).slice(0, 200) : undefined;
  } catch {
    return undefined;
  }
}
