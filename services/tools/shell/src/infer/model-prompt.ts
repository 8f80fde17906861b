// A conversation in the form of the SDK, which knows the forms of the providers.
import { isJsonObject, type Json } from '@weft/kernel';
import { plainName, type InferInput, type InferMessage, type ToolForModel } from '@weft/tools/core';
import type { ChatOptions } from './model-provider.js';

type Prompt = ChatOptions['prompt'];
type ToolChoiceOption = NonNullable<ChatOptions['toolChoice']>;

export interface PromptParts {
  readonly input: InferInput;
  /** Tools that the model is told of. */
  readonly offered: readonly ToolForModel[];
  /** Name of each tool on the wire. */
  readonly wires: ReadonlyMap<string, string>;
  /** What the answer has begun with, in a call that goes on with it. */
  readonly prefix: string;
  /** Calls of before and their results are told as text: some providers take them only beside tools that may be called. */
  readonly callsAsText: boolean;
}

/** The options of a call. Messages of tools are put together where several answer one turn, as some providers want it. */
export function chatOptions({ input, offered, wires, prefix, callsAsText }: PromptParts): ChatOptions {
  const prompt = promptOf(callsAsText ? input.messages.map(withoutCalls) : input.messages, wires);
  if (prefix !== '') prompt.push({ role: 'assistant', content: [{ type: 'text', text: prefix }] });
  const { schema, temperature, tokensMax, toolChoice } = input;
  return {
    prompt,
    ...(temperature === undefined ? {} : { temperature }),
    ...(tokensMax === undefined ? {} : { maxOutputTokens: tokensMax }),
    ...(schema === undefined ? {} : { responseFormat: { type: 'json', schema: schema as never } }),
    ...(offered.length === 0
      ? {}
      : {
          tools: offered.map(({ name, description, input: inputSchema }) => ({ type: 'function' as const, name: wires.get(name) ?? name, description, inputSchema: inputSchema as never })),
          ...(toolChoice === undefined ? {} : { toolChoice: choiceOf(toolChoice, wires) }),
        }),
  };
}

function choiceOf(choice: NonNullable<InferInput['toolChoice']>, wires: ReadonlyMap<string, string>): ToolChoiceOption {
  return typeof choice === 'string' ? { type: choice } : { type: 'tool', toolName: wires.get(choice.tool) ?? choice.tool };
}

function promptOf(messages: readonly InferMessage[], wires: ReadonlyMap<string, string>): Prompt {
  const prompt: Prompt = [];
  for (const message of messages) {
    switch (message.role) {
      case 'system':
        prompt.push({ role: 'system', content: message.content });
        break;
      case 'user':
        prompt.push({ role: 'user', content: [{ type: 'text', text: message.content }, ...(message.images ?? []).map(imagePart)] });
        break;
      case 'assistant':
        prompt.push({
          role: 'assistant',
          content: [
            ...(message.content === '' ? [] : [{ type: 'text' as const, text: message.content }]),
            ...(message.toolCalls ?? []).map((call) => ({ type: 'tool-call' as const, toolCallId: call.id, toolName: wires.get(call.name) ?? plainName(call.name), input: objectOf(call.arguments) })),
          ],
        });
        break;
      case 'tool': {
        const { toolCallId, name, content, isError } = message;
        const part = {
          type: 'tool-result' as const,
          toolCallId,
          toolName: wires.get(name) ?? plainName(name),
          output: { type: isError ? ('error-text' as const) : ('text' as const), value: content },
        };
        const last = prompt.at(-1);
        if (last?.role === 'tool') last.content.push(part);
        else prompt.push({ role: 'tool', content: [part] });
      }
    }
  }
  return prompt;
}

/** What a model called a tool with: providers take nothing but objects back, whatever the model said. */
const objectOf = (given: Json): Json => (isJsonObject(given) ? given : { arguments: given });

function withoutCalls(message: InferMessage): InferMessage {
  if (message.role === 'tool') return { role: 'user', content: `Result of ${message.name}${message.isError ? ', which failed' : ''}: ${message.content}` };
  if (message.role !== 'assistant' || !message.toolCalls || message.toolCalls.length === 0) return message;
  const calls = message.toolCalls.map((call) => `Call of ${call.name}: ${JSON.stringify(call.arguments)}`);
  return { role: 'assistant', content: [...(message.content === '' ? [] : [message.content]), ...calls].join('\n') };
}

type FilePart = Extract<Extract<Prompt[number], { role: 'user' }>['content'][number], { type: 'file' }>;

function imagePart(image: string): FilePart {
  const inline = /^data:([^;]+);base64,(.*)$/s.exec(image);
  const data = inline ? { type: 'data', data: inline[2]! } : { type: 'url', url: new URL(image) };
  return { type: 'file', mediaType: inline?.[1] ?? 'image/*', data: data as FilePart['data'] };
}
