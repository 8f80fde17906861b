// What an agent may call: registered tools by name or pattern, and what the platform offers besides.
import { matchesName, type Json, type JsonObject } from '@weft/kernel';
import type { AgentGiven, HandOff, OtherAgent } from './agent-given.js';

/** The tool by which an answer with a schema is given. */
export const FINAL_ANSWER = 'final_answer';
/** The tool by which a person is asked. */
export const ASK_PERSON = 'ask_person';
const askName = (agent: string): string => `ask_${agent}`;
const handOverName = (agent: string): string => `hand_over_to_${agent}`;

/** What both lists allow, as patterns. Never more than either: a pattern that only a `*` of the other takes in is inside it; of two that merely overlap nothing is left. */
export function narrowedTools(outer: readonly string[], inner: readonly string[]): readonly string[] {
  const both = inner.flatMap((pattern) => {
    if (outer.some((wide) => matchesName(wide, pattern))) return [pattern];
    return outer.filter((narrow) => matchesName(pattern, narrow));
  });
  return [...new Set(both)];
}

/** What a call of a model is about. */
export type CallMeaning =
  | { readonly kind: 'answer' }
  | { readonly kind: 'tool' }
  | { readonly kind: 'agent'; readonly agent: OtherAgent }
  | { readonly kind: 'handOver'; readonly to: number; readonly agent: OtherAgent }
  | { readonly kind: 'person'; readonly person: Extract<HandOff, { person: unknown }>['person'] }
  | { readonly kind: 'unknown' };

/** @param tools what may be called at most by whoever speaks. */
export function meaningOf(given: AgentGiven, tools: readonly string[], speaker: number | undefined, name: string): CallMeaning {
  if (given.schema && name === FINAL_ANSWER) return { kind: 'answer' };
  const asked = given.agents.find((other) => askName(other.name) === name);
  if (asked) return { kind: 'agent', agent: asked };
  const to = given.handOff.findIndex((option) => ('agent' in option ? handOverName(option.agent.name) : ASK_PERSON) === name);
  const option = given.handOff[to];
  if (option && to !== speaker) return 'agent' in option ? { kind: 'handOver', to, agent: option.agent } : { kind: 'person', person: option.person };
  return tools.some((pattern) => matchesName(pattern, name)) ? { kind: 'tool' } : { kind: 'unknown' };
}

/** What the platform offers a model besides registered tools. */
export function platformTools(given: AgentGiven, speaker: number | undefined): readonly JsonObject[] {
  const message = (title: string): JsonObject => ({ type: 'object', required: ['message'], properties: { message: { type: 'string', description: title } }, additionalProperties: false });
  return [
    ...given.agents.map((other) => definition(askName(other.name), `Asks another agent. ${other.description}`, message('What it is to do, with everything that it needs to know.'))),
    ...given.handOff.flatMap((option, at) => {
      if (at === speaker) return [];
      if ('agent' in option) return [definition(handOverName(option.agent.name), `Hands the conversation over to another agent. ${option.agent.description}`, message('What that agent is to know.'))];
      return [definition(ASK_PERSON, `Asks a person and waits for the answer. ${option.person.description}`, message('What the person is asked.'))];
    }),
    ...(given.schema ? [definition(FINAL_ANSWER, 'Gives the final answer. Call it alone, once everything is done.', answerInput(given.schema))] : []),
  ];
}

/** Tools take objects: an answer of another shape is wrapped. */
const isWrapped = (schema: JsonObject): boolean => schema['type'] !== 'object';
const answerInput = (schema: JsonObject): JsonObject => (isWrapped(schema) ? { type: 'object', required: ['answer'], properties: { answer: schema }, additionalProperties: false } : schema);

/** The answer in what the tool was called with. */
export function answerIn(schema: JsonObject, given: Json): Json {
  if (!isWrapped(schema)) return given;
  const fields = typeof given === 'object' && given !== null && !Array.isArray(given) ? (given as JsonObject) : {};
  return Object.hasOwn(fields, 'answer') ? fields['answer']! : given;
}

const definition = (name: string, description: string, input: JsonObject): JsonObject => ({ name, description, input });
