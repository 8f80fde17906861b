// The wire form of Anthropic's messages, for the same script. Source: Anthropic API reference, "Create a Message" and "Streaming Messages".
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { tokensOf, type CompletionEvent, type CompletionSubject, type GivenAnswer } from './model-answer.js';
import type { ModelSubject } from './model-script.js';

type Block = { readonly type: 'text'; readonly text: string } | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: JsonObject };

/** What a rule is matched against. */
export function messagesSubject(body: JsonObject): ModelSubject {
  const messages = Array.isArray(body['messages']) ? (body['messages'] as readonly Json[]) : [];
  const tools = Array.isArray(body['tools']) ? (body['tools'] as readonly Json[]) : [];
  return {
    model: String(body['model'] ?? ''),
    text: [textIn(body['system']), ...messages.map((message) => (isJsonObject(message) ? textIn(message['content']) : ''))].filter((text) => text !== '').join('\n'),
    lastText: textIn((messages.at(-1) as JsonObject | undefined)?.['content']),
    turn: messages.filter((message) => isJsonObject(message) && message['role'] === 'assistant').length,
    tools: tools.flatMap((tool) => (isJsonObject(tool) && typeof tool['name'] === 'string' ? [tool['name']] : [])),
  };
}

/** Text of a content: itself, or that of its blocks, results of tools included. */
function textIn(content: Json | undefined): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return (content as readonly Json[]).map((block) => (!isJsonObject(block) ? '' : typeof block['text'] === 'string' ? block['text'] : textIn(block['content']))).join('\n');
}

/** The body of an answer that is not streamed. */
export function messageBody(answer: GivenAnswer, subject: CompletionSubject): string {
  const content = blocksOf(answer, subject.number);
  return JSON.stringify({ ...envelope(subject), content, stop_reason: stopReason(content), usage: usageOf(content, subject) });
}

/** The server-sent events of a streamed answer, its text in pieces of 16 characters. */
export function messageEvents(answer: GivenAnswer, subject: CompletionSubject): readonly CompletionEvent[] {
  const content = blocksOf(answer, subject.number);
  const usage = usageOf(content, subject);
  const event = (type: string, data: object): CompletionEvent => ({ text: `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n` });
  return [
    event('message_start', { message: { ...envelope(subject), content: [], stop_reason: null, usage: { ...usage, output_tokens: 0 } } }),
    ...content.flatMap((block, index) => [
      event('content_block_start', { index, content_block: block.type === 'text' ? { type: 'text', text: '' } : { ...block, input: {} } }),
      ...(block.type === 'text'
        ? (block.text.match(/[\s\S]{1,16}/gu) ?? []).map((piece) => ({ ...event('content_block_delta', { index, delta: { type: 'text_delta', text: piece } }), piece }))
        : [event('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: JSON.stringify(block.input) } })]),
      event('content_block_stop', { index }),
    ]),
    event('message_delta', { delta: { stop_reason: stopReason(content), stop_sequence: null }, usage: { output_tokens: usage.output_tokens } }),
    event('message_stop', {}),
  ];
}

const envelope = ({ number, model }: CompletionSubject): object => ({ id: `msg_simulated_${number}`, type: 'message', role: 'assistant', model, stop_sequence: null });

function blocksOf(answer: GivenAnswer, number: number): readonly Block[] {
  if ('json' in answer) return [{ type: 'text', text: JSON.stringify(answer.json) }];
  const text: readonly Block[] = answer.content === undefined || answer.content === '' ? [] : [{ type: 'text', text: answer.content }];
  if (!('toolCalls' in answer)) return text;
  return [...text, ...answer.toolCalls.map((call, index) => ({ type: 'tool_use' as const, id: call.id ?? `toolu_simulated_${number}_${index}`, name: call.name, input: call.arguments }))];
}

const stopReason = (content: readonly Block[]): string => (content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn');

function usageOf(content: readonly Block[], { promptText }: CompletionSubject): { readonly input_tokens: number; readonly output_tokens: number } {
  const said = content.map((block) => (block.type === 'text' ? block.text : block.name + JSON.stringify(block.input))).join('');
  return { input_tokens: tokensOf(promptText), output_tokens: tokensOf(said) };
}
