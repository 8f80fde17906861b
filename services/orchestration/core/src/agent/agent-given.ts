// What an agent is given, read once more for each decision: defaults filled in, durations in milliseconds.
import { isJsonObject, objectOf, rejection, type Json, type JsonObject, type Rejection } from '@weft/kernel';
import { parseDuration, schemaFault } from '@weft/workflow';

/** Turns, unless `limits.turns` says otherwise. */
export const TURNS_MAX_DEFAULT = 20;
/** Calls of one agent task, those of agents that it asks included, unless `limits.calls` says otherwise. */
export const CALLS_MAX_DEFAULT = 200;
/** The same turns so often are a circle, unless `limits.repeats` says otherwise. */
export const REPEATS_MAX_DEFAULT = 3;
/** Final answers refused before the agent fails, unless `repairs` says otherwise. */
export const REPAIRS_MAX_DEFAULT = 2;
/** Calls of one turn that run at the same time, unless `parallel` says otherwise. */
export const PARALLEL_DEFAULT = 8;
/** Estimated tokens of a conversation above which older turns are summed up, unless `context.tokensMax` says otherwise. */
export const CONTEXT_TOKENS_MAX_DEFAULT = 100_000;
/** Agents inside agents. */
export const AGENT_DEPTH_MAX = 3;

export interface AgentLimits {
  readonly turns: number;
  readonly calls: number;
  readonly repeats: number;
  readonly tokens?: number;
  readonly moneyMicros?: number;
  readonly timeMs?: number;
}

/** An agent that another one may ask, or hand over to. */
export interface OtherAgent {
  readonly name: string;
  readonly description: string;
  readonly instructions: string;
  readonly tools: readonly string[];
  /** As it was written: what it is given when it is asked. */
  readonly given: JsonObject;
}

export type HandOff = { readonly agent: OtherAgent } | { readonly person: { readonly description: string; /** What the review is asked with, besides its subject. */ readonly review: JsonObject } };

export interface AgentGiven {
  readonly instructions: string;
  /** What was said before the first turn, as `infer` takes it. */
  readonly messages: readonly JsonObject[];
  readonly tools: readonly string[];
  readonly schema?: JsonObject;
  readonly repairs: number;
  readonly limits: AgentLimits;
  readonly onLimit: 'fail' | 'answer';
  readonly parallel: number;
  readonly contextTokensMax: number;
  readonly agents: readonly OtherAgent[];
  readonly handOff: readonly HandOff[];
  /** What every turn says besides: `temperature`, `maxTokens`, `stream`. */
  readonly more: JsonObject;
}

export type GivenReading = { readonly ok: true; readonly given: AgentGiven; readonly name: string } | { readonly ok: false; readonly failure: Rejection };

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,39}$/;

/** Reads the evaluated arguments of `agent`. @param taskName names an agent that has no name of its own. Code: `input-invalid`. */
export function readAgent(value: Json, taskName: string): GivenReading {
  const fields = isJsonObject(value) ? value : {};
  const name = typeof fields['name'] === 'string' ? fields['name'] : agentNameOf(taskName);
  const problem = problemOf(fields, name);
  if (problem !== undefined) return { ok: false, failure: rejection('input-invalid', `Expected ${problem}.`) };
  return { ok: true, given: givenOf(fields), name };
}

/** What was checked when the agent began. */
export function givenOf(value: Json): AgentGiven {
  const fields = isJsonObject(value) ? value : {};
  const context = objectOf(fields['context']);
  const schema = fields['schema'];
  return {
    instructions: text(fields['instructions']),
    messages: messagesOf(fields),
    tools: textsOf(fields['tools']),
    ...(isJsonObject(schema) ? { schema } : {}),
    repairs: number(fields['repairs']) ?? REPAIRS_MAX_DEFAULT,
    limits: limitsOf(objectOf(fields['limits'])),
    onLimit: fields['onLimit'] === 'answer' ? 'answer' : 'fail',
    parallel: number(fields['parallel']) ?? PARALLEL_DEFAULT,
    contextTokensMax: number(context['tokensMax']) ?? CONTEXT_TOKENS_MAX_DEFAULT,
    agents: listOf(fields['agents']).map(otherAgent),
    handOff: listOf(fields['handOff']).map((entry): HandOff => {
      if (isJsonObject(entry['agent'])) return { agent: otherAgent(entry['agent']) };
      const { description, ...review } = objectOf(entry['person']);
      return { person: { description: text(description), review } };
    }),
    more: Object.fromEntries(['temperature', 'maxTokens', 'stream'].flatMap((field) => (fields[field] === undefined ? [] : [[field, fields[field]]]))) as JsonObject,
  };
}

function problemOf(fields: JsonObject, name: string): string | undefined {
  if (!NAME.test(name)) return `a name of an agent of at most 40 letters, digits, \`_\` and \`-\` that begins with a letter but got ${JSON.stringify(name.slice(0, 60))}`;
  if (typeof fields['instructions'] !== 'string' || fields['instructions'] === '') return 'the instructions of the agent as text';
  if (messagesOf(fields).length === 0) return 'a prompt, or messages { role, content }, for the agent but there is nothing that it is asked';
  const schema = fields['schema'];
  if (schema !== undefined && !isJsonObject(schema)) return 'schema to be an object';
  const fault = schema === undefined ? undefined : schemaFault(schema);
  if (fault !== undefined) return `schema to be a JSON Schema but ${fault}`;
  const { time } = objectOf(fields['limits']);
  if (time !== undefined && !parseDuration(time).ok) return `limits.time to be a duration but got ${JSON.stringify(time).slice(0, 60)}`;
  return namesProblem(fields, 1);
}

/** Names are unique among those that an agent may ask or hand over to: tools are named by them. */
function namesProblem(fields: JsonObject, depth: number): string | undefined {
  const others = [...listOf(fields['agents']), ...listOf(fields['handOff']).flatMap((entry) => (isJsonObject(entry['agent']) ? [entry['agent']] : []))];
  const names = others.map((other) => text(other['name']));
  const wrong = names.find((name, at) => !NAME.test(name) || names.indexOf(name) !== at);
  if (wrong !== undefined) return `agents with names of their own but got ${JSON.stringify(wrong.slice(0, 60))}`;
  if (others.length > 0 && depth >= AGENT_DEPTH_MAX) return `at most ${AGENT_DEPTH_MAX} agents inside each other`;
  return others.reduce<string | undefined>((problem, other) => problem ?? namesProblem(other, depth + 1), undefined);
}

/** A task may be called by any text; what is left of it names its agent. */
function agentNameOf(task: string): string {
  const name = task.replaceAll(/[^A-Za-z0-9_-]+/g, '-').slice(0, 40);
  return NAME.test(name) ? name : 'agent';
}

function messagesOf({ prompt, messages }: JsonObject): AgentGiven['messages'] {
  if (prompt !== undefined && prompt !== null) return [{ role: 'user', content: contentOf(prompt) }];
  return listOf(messages);
}

function limitsOf({ turns, calls, repeats, tokens, money, time }: JsonObject): AgentLimits {
  const duration = time === undefined ? undefined : parseDuration(time);
  return {
    turns: number(turns) ?? TURNS_MAX_DEFAULT,
    calls: number(calls) ?? CALLS_MAX_DEFAULT,
    repeats: number(repeats) ?? REPEATS_MAX_DEFAULT,
    ...(typeof tokens === 'number' ? { tokens } : {}),
    ...(typeof money === 'number' ? { moneyMicros: Math.round(money * 1_000_000) } : {}),
    ...(duration?.ok ? { timeMs: duration.ms } : {}),
  };
}

function otherAgent(given: JsonObject): OtherAgent {
  return { name: text(given['name']), description: text(given['description']), instructions: text(given['instructions']), tools: textsOf(given['tools']), given };
}

/** What is said, as text: data as its JSON. */
export const contentOf = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
const number = (value: Json | undefined): number | undefined => (typeof value === 'number' ? value : undefined);
const listOf = (value: Json | undefined): readonly JsonObject[] => (Array.isArray(value) ? (value as readonly Json[]).filter(isJsonObject) : []);
const textsOf = (value: Json | undefined): readonly string[] => (Array.isArray(value) ? (value as readonly Json[]).filter((each) => typeof each === 'string') : []);
