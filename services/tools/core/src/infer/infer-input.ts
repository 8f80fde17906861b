// The arguments of `infer`: a model call with an optional JSON Schema for its answer, or tools that the model may ask for.
import { isJsonObject, rejection, type Failure, type Json, type JsonObject } from '@weft/kernel';
import { readMessages, type InferMessage } from './infer-messages.js';
import type { ToolForModel } from './tool-offer.js';

/** Which tool the model has to ask for, if any. */
export type ToolChoice = 'auto' | 'none' | 'required' | { readonly tool: string };

/**
 * What happens when a stream breaks after a part of the answer was shown. `abort`: the job fails with `stream-broken`; `restart-visible`: the answer begins anew,
 * and whoever reads is told; `continue-from-prefix`: another call goes on where it broke, where a candidate can, and begins anew visibly where none can.
 */
export type StreamFailure = 'abort' | 'restart-visible' | 'continue-from-prefix';
export const STREAM_FAILURES: readonly StreamFailure[] = ['abort', 'restart-visible', 'continue-from-prefix'];

export interface InferInput {
  /** System messages first; at least one of the user. */
  readonly messages: readonly InferMessage[];
  /** JSON Schema of the answer; absent: the answer is text. */
  readonly schema?: JsonObject;
  readonly temperature?: number;
  readonly tokensMax?: number;
  /** Names of tools, `*` standing for any text. With it, even empty, the output is a turn: content, calls and why the model stopped. */
  readonly tools?: readonly string[];
  /** Tools that whoever asks carries out itself: the model is told of them as they are. */
  readonly ownTools?: readonly ToolForModel[];
  readonly toolChoice?: ToolChoice;
  /** The texts of the messages are to be embedded; nothing is answered. */
  readonly embeds?: true;
  /** The answer is shown while it comes. */
  readonly stream?: { readonly onFailure: StreamFailure };
}

export type InferReading = { readonly ok: true; readonly input: InferInput } | { readonly ok: false; readonly failure: Failure };

const FIELDS = ['instructions', 'prompt', 'messages', 'schema', 'temperature', 'maxTokens', 'tools', 'toolChoice', 'stream'];
const CHOICES: readonly Json[] = ['auto', 'none', 'required'];
const TOOLS_MAX = 512;

/**
 * Reads `{instructions?, prompt? | messages?, schema?, temperature?, maxTokens?, tools?, toolChoice?, stream?}`. `instructions` is the system message;
 * `prompt` is the user's, and data in it that is no text is written as JSON; `messages` is a whole conversation.
 * Failure code: `input-invalid`.
 */
export function readInferInput(args: Json): InferReading {
  if (!isJsonObject(args)) return invalid('they are no object');
  const unknown = Object.keys(args).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) return invalid(`there is a field ${JSON.stringify(unknown)}; known are ${FIELDS.join(', ')}`);
  const { instructions, prompt, messages, schema, temperature, maxTokens, tools } = args;
  if (instructions !== undefined && typeof instructions !== 'string') return invalid('instructions is no text');
  if ((prompt === undefined) === (messages === undefined)) return invalid('there must be either prompt or messages');
  const conversation = prompt === undefined ? readMessages(messages) : [{ role: 'user' as const, content: typeof prompt === 'string' ? prompt : JSON.stringify(prompt) }];
  if (typeof conversation === 'string') return invalid(conversation);
  if (schema !== undefined && !isJsonObject(schema)) return invalid('schema is no JSON Schema object');
  if (temperature !== undefined && !(typeof temperature === 'number' && temperature >= 0 && temperature <= 2)) return invalid('temperature is no number from 0 to 2');
  if (maxTokens !== undefined && !(Number.isInteger(maxTokens) && (maxTokens as number) >= 1)) return invalid('maxTokens is no integer >= 1');
  if (tools !== undefined && !isToolList(tools)) return invalid(`tools is no list of at most ${TOOLS_MAX} names and definitions {name, description, input}`);
  const toolChoice = readToolChoice(args['toolChoice']);
  if (toolChoice === 'invalid') return invalid('toolChoice is none of auto, none, required and {tool: name}');
  if (toolChoice !== undefined && tools === undefined) return invalid('there is a toolChoice but no tools');
  const stream = readStream(args['stream']);
  if (stream === 'invalid') return invalid(`stream is neither true or false nor {onFailure: ${STREAM_FAILURES.join(' | ')}}`);
  return {
    ok: true,
    input: {
      messages: instructions === undefined ? conversation : [{ role: 'system', content: instructions }, ...conversation],
      ...(schema === undefined ? {} : { schema }),
      ...(temperature === undefined ? {} : { temperature: temperature as number }),
      ...(maxTokens === undefined ? {} : { tokensMax: maxTokens as number }),
      ...(tools === undefined ? {} : toolsOf(tools as readonly Json[])),
      ...(toolChoice === undefined ? {} : { toolChoice }),
      ...(stream === undefined ? {} : { stream }),
    },
  };
}

const isToolList = (value: Json): boolean => Array.isArray(value) && value.length <= TOOLS_MAX && value.every((tool: Json) => (typeof tool === 'string' && tool !== '') || isDefinition(tool));

const isDefinition = (tool: Json): boolean =>
  isJsonObject(tool) && typeof tool['name'] === 'string' && tool['name'] !== '' && typeof tool['description'] === 'string' && isJsonObject(tool['input']) && Object.keys(tool).length === 3;

function toolsOf(tools: readonly Json[]): Pick<InferInput, 'tools' | 'ownTools'> {
  const own = tools.filter(isJsonObject) as unknown as readonly ToolForModel[];
  return { tools: tools.filter((tool) => typeof tool === 'string'), ...(own.length > 0 ? { ownTools: own } : {}) };
}

function readToolChoice(value: Json | undefined): ToolChoice | undefined | 'invalid' {
  if (value === undefined || value === null) return undefined;
  if (CHOICES.includes(value)) return value as ToolChoice;
  return isJsonObject(value) && typeof value['tool'] === 'string' && Object.keys(value).length === 1 ? { tool: value['tool'] } : 'invalid';
}

/** True stands for what is safe with every reader: a broken answer begins anew, and the reader is told. */
function readStream(value: Json | undefined): InferInput['stream'] | 'invalid' {
  if (value === undefined || value === null || value === false) return undefined;
  if (value === true) return { onFailure: 'restart-visible' };
  if (!isJsonObject(value) || Object.keys(value).some((field) => field !== 'onFailure')) return 'invalid';
  const onFailure = value['onFailure'] ?? 'restart-visible';
  return STREAM_FAILURES.includes(onFailure as StreamFailure) ? { onFailure: onFailure as StreamFailure } : 'invalid';
}

function invalid(what: string): InferReading {
  return { ok: false, failure: rejection('input-invalid', `Expected the arguments of infer but ${what}.`) };
}
