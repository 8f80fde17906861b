import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';

/** What the simulated model says: plain data, as it stands in a JSON or YAML file. The first rule that matches and is not used up answers. */
export interface ModelScript {
  readonly rules: readonly ModelRule[];
}

/** One rule: whom it matches, and what happens then. Without `answer` and `fault` it answers the content "ok". */
export interface ModelRule {
  /** Name of the model; every model when absent. */
  readonly model?: string;
  /** Text, or texts that must all occur, in the messages of the request; case matters. Every request when absent. */
  readonly contains?: string | readonly string[];
  /** How often the rule is used before requests fall through to the next one; without limit when absent. */
  readonly times?: number;
  /** Wait before anything is sent, in milliseconds; default 0. */
  readonly delayMs?: number;
  readonly answer?: ModelAnswer;
  readonly fault?: ModelFault;
}

/** What the assistant's message holds. `json` is sent as its text, the way models send structured output. */
export type ModelAnswer = { readonly content: string } | { readonly json: Json } | { readonly toolCalls: readonly ModelToolCall[]; readonly content?: string };

/** A call that the model asks for. */
export interface ModelToolCall {
  readonly name: string;
  readonly arguments: JsonObject;
}

/**
 * What goes wrong. `status`: an error answer, with `Retry-After` when seconds are given; `badJson`: status 200 and a body that does not parse;
 * `hang`: no byte is ever sent; `closeAfterBytes`: the connection is cut after so many bytes of the answer's body.
 */
export type ModelFault =
  | { readonly status: number; readonly retryAfterSeconds?: number; readonly message?: string }
  | { readonly badJson: true }
  | { readonly hang: true }
  | { readonly closeAfterBytes: number };

/** Finds the rule for a request and counts its use. */
export interface ModelRules {
  /** Answers the rule and its place in the script, or undefined when none matches. */
  readonly take: (model: string, text: string) => { readonly index: number; readonly rule: ModelRule } | undefined;
}

/** The rules of a script, each unused. */
export function modelRules(script: ModelScript): ModelRules {
  const uses = script.rules.map(() => 0);
  return {
    take: (model, text) => {
      const index = script.rules.findIndex((rule, at) => uses[at]! < (rule.times ?? Infinity) && matches(rule, model, text));
      const rule = script.rules[index];
      if (!rule) return undefined;
      uses[index]!++;
      return { index, rule };
    },
  };
}

function matches(rule: ModelRule, model: string, text: string): boolean {
  if (rule.model !== undefined && rule.model !== model) return false;
  const wanted = rule.contains === undefined ? [] : typeof rule.contains === 'string' ? [rule.contains] : rule.contains;
  return wanted.every((part) => text.includes(part));
}

/** A script from parsed JSON or YAML. Throws an `Error` that lists every fault with its JSON pointer. */
export function parseModelScript(value: unknown): ModelScript {
  const faults: string[] = [];
  const script = value as Json;
  const rules = isJsonObject(script) ? script['rules'] : undefined;
  if (!Array.isArray(rules)) throw new Error('Expected a script of the form {"rules": [...]}, but there is no list at /rules');
  rules.forEach((rule: Json, index) => checkRule(rule, `/rules/${index}`, faults));
  if (faults.length > 0) throw new Error(`Expected a script of the model server, but:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  return script as unknown as ModelScript;
}

type Check = readonly [expected: string, holds: (value: Json) => boolean];
const TEXT: Check = ['a text', (value) => typeof value === 'string'];
const COUNT: Check = ['an integer >= 0', (value) => Number.isInteger(value) && (value as number) >= 0];
const TRUE: Check = ['true', (value) => value === true];
const RULE: { readonly [field: string]: Check } = {
  model: TEXT,
  contains: ['a text or a list of texts', (value) => typeof value === 'string' || (Array.isArray(value) && value.every((part) => typeof part === 'string'))],
  times: COUNT,
  delayMs: COUNT,
  answer: ['an object with exactly one of content, json, toolCalls', isAnswer],
  fault: ['an object with exactly one of status, badJson, hang, closeAfterBytes', isJsonObject],
};
const FAULT: { readonly [field: string]: Check } = {
  status: ['an HTTP status from 400 to 599', (value) => Number.isInteger(value) && (value as number) >= 400 && (value as number) <= 599],
  retryAfterSeconds: COUNT,
  message: TEXT,
  badJson: TRUE,
  hang: TRUE,
  closeAfterBytes: COUNT,
};
const FAULT_KINDS = ['status', 'badJson', 'hang', 'closeAfterBytes'];

function checkRule(rule: Json, pointer: string, faults: string[]): void {
  if (!isJsonObject(rule)) {
    faults.push(`${pointer}: expected an object, but got ${JSON.stringify(rule)}`);
    return;
  }
  checkFields(rule, RULE, pointer, faults);
  const fault = rule['fault'];
  if (!isJsonObject(fault)) return;
  checkFields(fault, FAULT, `${pointer}/fault`, faults);
  const kinds = FAULT_KINDS.filter((kind) => kind in fault);
  if (kinds.length !== 1) faults.push(`${pointer}/fault: expected ${RULE['fault']![0]}, but got ${kinds.length === 0 ? 'none' : kinds.join(' and ')}`);
}

function checkFields(object: JsonObject, checks: { readonly [field: string]: Check }, pointer: string, faults: string[]): void {
  for (const [field, value] of Object.entries(object)) {
    const check = checks[field];
    if (!check) faults.push(`${pointer}/${field}: expected one of ${Object.keys(checks).join(', ')}`);
    else if (!check[1](value)) faults.push(`${pointer}/${field}: expected ${check[0]}, but got ${JSON.stringify(value)}`);
  }
}

function isAnswer(value: Json): boolean {
  if (!isJsonObject(value)) return false;
  const { content, json, toolCalls, ...others } = value;
  if (Object.keys(others).length > 0) return false;
  if (toolCalls !== undefined) {
    return json === undefined && (content === undefined || typeof content === 'string') && Array.isArray(toolCalls) && toolCalls.length > 0 && toolCalls.every(isToolCall);
  }
  return json === undefined ? typeof content === 'string' : content === undefined;
}

const isToolCall = (value: Json): boolean => isJsonObject(value) && typeof value['name'] === 'string' && isJsonObject(value['arguments']);
