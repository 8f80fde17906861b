// A conversation with a model, in one form for all providers.
import { isJsonObject, type Json } from '@weft/kernel';

/** A call that a model asks for. */
export interface ToolCall {
  /** The model's own name of the call; the answer carries it. */
  readonly id: string;
  readonly name: string;
  /** What the model wrote; a text where that was no JSON. */
  readonly arguments: Json;
}

export type InferMessage =
  | { readonly role: 'system'; readonly content: string }
  | { readonly role: 'user'; readonly content: string; readonly images?: readonly string[] }
  | { readonly role: 'assistant'; readonly content: string; readonly toolCalls?: readonly ToolCall[] }
  /** The answer to a call of an earlier message. `isError`: the call failed, and the content says how. */
  | { readonly role: 'tool'; readonly content: string; readonly toolCallId: string; readonly name: string; readonly isError?: boolean };

/** Reads messages as a workflow or an agent writes them. @returns what is wrong with them, as an end of "... but", when they cannot be read. */
export function readMessages(messages: Json | undefined): readonly InferMessage[] | string {
  if (!Array.isArray(messages)) return 'messages is no list';
  const read: InferMessage[] = [];
  const names = new Map<string, string>();
  for (const [at, message] of (messages as readonly Json[]).entries()) {
    const one = readMessage(message, names);
    if (typeof one === 'string') return `messages[${at}] ${one}`;
    read.push(one);
  }
  return read.some(({ role }) => role === 'user') ? read : 'messages holds no message of the user';
}

function readMessage(message: Json, names: Map<string, string>): InferMessage | string {
  if (!isJsonObject(message)) return 'is no object';
  const { role, content } = message;
  switch (role) {
    case 'system':
    case 'assistant': {
      const calls = role === 'assistant' ? readCalls(message['toolCalls']) : [];
      if (typeof calls === 'string') return calls;
      // A turn that only asks for tools says nothing.
      const said = calls.length > 0 && (content === undefined || content === null) ? '' : textOf(content);
      if (said === undefined) return 'has no content';
      for (const { id, name } of calls) names.set(id, name);
      return role === 'system' ? { role, content: said } : { role, content: said, ...(calls.length > 0 ? { toolCalls: calls } : {}) };
    }
    case 'user':
      return readUser(content);
    case 'tool': {
      const id = message['toolCallId'];
      if (typeof id !== 'string') return 'answers no call: toolCallId is no text';
      const name = names.get(id);
      if (name === undefined) return `answers the call ${JSON.stringify(id)}, which no message before it asks for`;
      return { role, toolCallId: id, name, content: textOf(content) ?? '', ...(message['isError'] === true ? { isError: true } : {}) };
    }
    default:
      return `has the role ${JSON.stringify(role ?? null)}; known are system, user, assistant and tool`;
  }
}

/** Text or data; or a list of `{text}` and `{image}`, an image being a data: or https: URL. */
function readUser(content: Json | undefined): InferMessage | string {
  if (Array.isArray(content) && content.some((part: Json) => isJsonObject(part) && 'image' in part)) {
    const parts = content as readonly Json[];
    const images = parts.flatMap((part) => (isJsonObject(part) && typeof part['image'] === 'string' ? [part['image']] : []));
    const texts = parts.flatMap((part) => (isJsonObject(part) && typeof part['text'] === 'string' ? [part['text']] : []));
    if (images.length + texts.length !== parts.length) return 'has a part that is neither {text} nor {image}';
    if (!images.every((image) => /^(data:image\/[\w.+-]+;base64,|https:\/\/)/.test(image))) return 'has an image that is neither a data: nor an https: URL';
    return { role: 'user', content: texts.join('\n'), images };
  }
  const text = textOf(content);
  return text === undefined ? 'has no content' : { role: 'user', content: text };
}

function textOf(content: Json | undefined): string | undefined {
  if (content === undefined || content === null) return undefined;
  return typeof content === 'string' ? content : JSON.stringify(content);
}

function readCalls(value: Json | undefined): readonly ToolCall[] | string {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return 'has toolCalls that are no list';
  const calls = (value as readonly Json[]).flatMap((call) =>
    isJsonObject(call) && typeof call['id'] === 'string' && typeof call['name'] === 'string' ? [{ id: call['id'], name: call['name'], arguments: call['arguments'] ?? {} }] : [],
  );
  return calls.length === value.length ? calls : 'has a call that is not {id, name, arguments}';
}
