// The wire form of chat completions. Source: OpenAI API reference, "Create chat completion" and "Streaming".
import type { ModelAnswer } from './model-script.js';

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
export function completionBody(answer: ModelAnswer, subject: CompletionSubject): string {
  const message = messageOf(answer, subject.number);
  return JSON.stringify({
    ...envelope(subject, 'chat.completion'),
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason(message) }],
    usage: usageOf(message, subject),
  });
}

/** The server-sent events of a streamed answer: role, content in pieces of 16 characters, tool calls, finish reason, usage when wanted, `[DONE]`. */
export function completionEvents(answer: ModelAnswer, subject: CompletionSubject, wantsUsage: boolean): readonly string[] {
  const message = messageOf(answer, subject.number);
  const chunk = (delta: object, finish: string | null = null): object => ({
    ...envelope(subject, 'chat.completion.chunk'),
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    ...(wantsUsage && { usage: null }),
  });
  const pieces = (message.content ?? '').match(/[\s\S]{1,16}/gu) ?? [];
  const chunks = [
    chunk({ role: 'assistant', content: '' }),
    ...pieces.map((content) => chunk({ content })),
    ...(message.tool_calls ?? []).map((call, index) => chunk({ tool_calls: [{ index, ...call }] })),
    chunk({}, finishReason(message)),
    ...(wantsUsage ? [{ ...envelope(subject, 'chat.completion.chunk'), choices: [], usage: usageOf(message, subject) }] : []),
  ];
  return [...chunks.map((data) => `data: ${JSON.stringify(data)}\n\n`), 'data: [DONE]\n\n'];
}

/** The body of an error answer. */
export function errorBody(message: string, type: string, code: string | null = null): string {
  return JSON.stringify({ error: { message, type, param: null, code } });
}

function messageOf(answer: ModelAnswer, number: number): Message {
  if ('json' in answer) return { role: 'assistant', content: JSON.stringify(answer.json) };
  if (!('toolCalls' in answer)) return { role: 'assistant', content: answer.content };
  return {
    role: 'assistant',
    content: answer.content ?? null,
    tool_calls: answer.toolCalls.map((call, index) => ({
      id: `call_simulated_${number}_${index}`,
      type: 'function' as const,
      function: { name: call.name, arguments: JSON.stringify(call.arguments) },
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

function usageOf(message: Message, subject: CompletionSubject): object {
  const calls = (message.tool_calls ?? []).map((call) => call.function.name + call.function.arguments).join('');
  const prompt = tokensOf(subject.promptText);
  const completion = tokensOf((message.content ?? '') + calls);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}
