// The arguments of `infer`: a model call with an optional JSON Schema for its answer.
import { isJsonObject, rejection, type Failure, type Json, type JsonObject } from '@weft/kernel';

export interface InferMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface InferInput {
  /** System messages first; at least one other. */
  readonly messages: readonly InferMessage[];
  /** JSON Schema of the answer; absent: the answer is text. */
  readonly schema?: JsonObject;
  readonly temperature?: number;
  readonly tokensMax?: number;
}

export type InferReading = { readonly ok: true; readonly input: InferInput } | { readonly ok: false; readonly failure: Failure };

const FIELDS = ['instructions', 'prompt', 'messages', 'schema', 'temperature', 'maxTokens'];
const ROLES: readonly string[] = ['system', 'user', 'assistant'];

/**
 * Reads `{instructions?, prompt? | messages?, schema?, temperature?, maxTokens?}`. `instructions` is the system message;
 * `prompt` is the user's, and data in it that is no text is written as JSON; `messages` is a whole conversation.
 * Failure code: `input-invalid`.
 */
export function readInferInput(args: Json): InferReading {
  if (!isJsonObject(args)) return invalid('they are no object');
  const unknown = Object.keys(args).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) return invalid(`there is a field ${JSON.stringify(unknown)}; known are ${FIELDS.join(', ')}`);
  const { instructions, prompt, messages, schema, temperature, maxTokens } = args;
  if (instructions !== undefined && typeof instructions !== 'string') return invalid('instructions is no text');
  if ((prompt === undefined) === (messages === undefined)) return invalid('there must be either prompt or messages');
  const conversation = prompt === undefined ? conversationOf(messages) : [{ role: 'user' as const, content: typeof prompt === 'string' ? prompt : JSON.stringify(prompt) }];
  if (!conversation) return invalid('messages is no list of {role: system | user | assistant, content: text} with at least one message of the user');
  if (schema !== undefined && !isJsonObject(schema)) return invalid('schema is no JSON Schema object');
  if (temperature !== undefined && !(typeof temperature === 'number' && temperature >= 0 && temperature <= 2)) return invalid('temperature is no number from 0 to 2');
  if (maxTokens !== undefined && !(Number.isInteger(maxTokens) && (maxTokens as number) >= 1)) return invalid('maxTokens is no integer >= 1');
  return {
    ok: true,
    input: {
      messages: instructions === undefined ? conversation : [{ role: 'system', content: instructions }, ...conversation],
      ...(schema === undefined ? {} : { schema }),
      ...(temperature === undefined ? {} : { temperature: temperature as number }),
      ...(maxTokens === undefined ? {} : { tokensMax: maxTokens as number }),
    },
  };
}

function conversationOf(messages: Json | undefined): readonly InferMessage[] | undefined {
  if (!Array.isArray(messages)) return undefined;
  const read = (messages as readonly Json[]).flatMap((message) => {
    if (!isJsonObject(message) || typeof message['content'] !== 'string' || typeof message['role'] !== 'string' || !ROLES.includes(message['role'])) return [];
    return [{ role: message['role'] as InferMessage['role'], content: message['content'] }];
  });
  return read.length === messages.length && read.some(({ role }) => role === 'user') ? read : undefined;
}

function invalid(what: string): InferReading {
  return { ok: false, failure: rejection('input-invalid', `Expected the arguments of infer but ${what}.`) };
}
