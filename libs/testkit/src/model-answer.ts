// The wire form of chat completions. Source: OpenAI API reference, "Create chat completion" and "Streaming".
import { createHash } from 'node:crypto';
import type { ModelAnswer, ModelReply } from './model-script.js';

/** An answer that is known: not one that stands in the request. */
export type GivenAnswer = Exclude<ModelAnswer, { readonly fromRequest: true }>;

/** What a reply says that it has used. */
export type SaidUsage = NonNullable<ModelReply['usage']> | undefined;

/** Marks every answer as not from a real model. */
export const SIMULATED_FINGERPRINT = 'simulated-model';

/** What an answer is for. */
export interface CompletionSubject {
  /** Number of the request at this server, from 1: makes the ids. */
  readonly number: number;
  readonly model: string;
  /** Unix time in seconds. */
  readonly createdSeconds: number;
  /** All text of the request's messages. */
  readonly promptText: string;
}

interface Message {
  readonly role: 'assistant';
  readonly content: string | null;
  readonly tool_calls?: readonly { readonly id: string; readonly type: 'function'; readonly function: { readonly name: string; readonly arguments: string } }[];
}

/** Tokens of a text by a fixed estimate of four characters each, at least one for a non-empty text: deterministic, near enough for budgets. */
export const tokensOf = (text: string): number => Math.ceil(text.length / 4);

/** The body of an answer that is not streamed. */
export function completionBody(answer: GivenAnswer, subject: CompletionSubject, said?: SaidUsage): string {
  const message = messageOf(answer, subject.number);
  const usage = usageOf(message, subject, said);
  return JSON.stringify({
    ...envelope(subject, 'chat.completion'),
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason(message) }],
    ...(usage && { usage }),
  });
}

/** A part of a streamed answer, as the text that is sent. */
export interface CompletionEvent {
  readonly text: string;
  /** The piece of the content in it, if any. */
  readonly piece?: string;
}

/** The server-sent events of a streamed answer: role, content in pieces of 16 characters, tool calls, finish reason, usage when wanted, `[DONE]`. */
export function completionEvents(answer: GivenAnswer, subject: CompletionSubject, wantsUsage: boolean, said?: SaidUsage): readonly CompletionEvent[] {
  const message = messageOf(answer, subject.number);
  const chunk = (delta: object, finish: string | null = null): object => ({
    ...envelope(subject, 'chat.completion.chunk'),
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    ...(wantsUsage && { usage: null }),
  });
  const usage = wantsUsage ? usageOf(message, subject, said) : undefined;
  const event = (data: object): CompletionEvent => ({ text: `data: ${JSON.stringify(data)}\n\n` });
  return [
    event(chunk({ role: 'assistant', content: '' })),
    ...((message.content ?? '').match(/[\s\S]{1,16}/gu) ?? []).map((piece) => ({ ...event(chunk({ content: piece })), piece })),
    ...(message.tool_calls ?? []).map((call, index) => event(chunk({ tool_calls: [{ index, ...call }] }))),
    event(chunk({}, finishReason(message))),
    ...(usage ? [event({ ...envelope(subject, 'chat.completion.chunk'), choices: [], usage })] : []),
    { text: 'data: [DONE]\n\n' },
  ];
}

/** Embeddings of texts: unit vectors made of the hashes of their words, so that texts that share words are near each other. */
export function embeddingsBody(texts: readonly string[], model: string, dimensions: number): string {
  const data = texts.map((text, index) => ({ object: 'embedding', index, embedding: vectorOf(text, dimensions) }));
  const tokens = texts.reduce((sum, text) => sum + tokensOf(text), 0);
  return JSON.stringify({ object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } });
}

function vectorOf(text: string, dimensions: number): readonly number[] {
  const vector = Array.from({ length: dimensions }, () => 0);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ['']) {
    const hash = createHash('sha256').update(word).digest();
    vector[hash.readUInt32BE(0) % dimensions]! += hash[4]! % 2 === 0 ? 1 : -1;
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((part) => part / length);
}

/** The body of an error answer. */
export function errorBody(message: string, type: string, code: string | null = null): string {
  return JSON.stringify({ error: { message, type, param: null, code } });
}

function messageOf(answer: GivenAnswer, number: number): Message {
  if ('json' in answer) return { role: 'assistant', content: JSON.stringify(answer.json) };
  if (!('toolCalls' in answer)) return { role: 'assistant', content: answer.content };
  return {
    role: 'assistant',
    content: answer.content ?? null,
    tool_calls: answer.toolCalls.map((call, index) => ({
      id: call.id ?? `call_simulated_${number}_${index}`,
      type: 'function' as const,
      function: { name: call.name, arguments: call.argumentsText ?? JSON.stringify(call.arguments) },
    })),
  };
}

const finishReason = (message: Message): string => (message.tool_calls ? 'tool_calls' : 'stop');

const envelope = (subject: CompletionSubject, object: string): object => ({
  id: `chatcmpl-simulated-${subject.number}`,
  object,
  created: subject.createdSeconds,
  model: subject.model,
  system_fingerprint: SIMULATED_FINGERPRINT,
});

function usageOf(message: Message, subject: CompletionSubject, said: SaidUsage): object | undefined {
  if (said === 'absent') return undefined;
  const calls = (message.tool_calls ?? []).map((call) => call.function.name + call.function.arguments).join('');
  const prompt = said?.inputTokens ?? tokensOf(subject.promptText);
  const completion = said?.outputTokens ?? tokensOf((message.content ?? '') + calls);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}
