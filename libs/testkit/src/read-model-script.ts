// A script of the model server from a file, with every fault named at its place.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import type { ModelScript } from './model-script.js';

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
  lastContains: TEXT,
  turn: COUNT,
  offers: TEXT,
  times: COUNT,
  delayMs: COUNT,
  pieceDelayMs: COUNT,
  answer: ['an object with exactly one of content, json, toolCalls, fromRequest', isAnswer],
  fault: ['an object with exactly one of status, badJson, hang, closeAfterBytes, errorBody, endless, afterPieces', isJsonObject],
  usage: ['"absent", or {inputTokens, outputTokens}', (value) => value === 'absent' || (isJsonObject(value) && typeof value['inputTokens'] === 'number' && typeof value['outputTokens'] === 'number')],
};
const FAULT: { readonly [field: string]: Check } = {
  status: ['an HTTP status from 400 to 599', (value) => Number.isInteger(value) && (value as number) >= 400 && (value as number) <= 599],
  retryAfterSeconds: COUNT,
  message: TEXT,
  badJson: TRUE,
  hang: TRUE,
  closeAfterBytes: COUNT,
  errorBody: TEXT,
  endless: TRUE,
  afterPieces: COUNT,
  then: ['one of cut, bad-chunk, stall, error', (value) => typeof value === 'string' && ['cut', 'bad-chunk', 'stall', 'error'].includes(value)],
};
const FAULT_KINDS = ['status', 'badJson', 'hang', 'closeAfterBytes', 'errorBody', 'endless', 'afterPieces'];

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
  if ('afterPieces' in fault !== 'then' in fault) faults.push(`${pointer}/fault: expected afterPieces and then together, but got one of them`);
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
  if (value['fromRequest'] === true) return Object.keys(value).length === 1;
  const { content, json, toolCalls, ...others } = value;
  if (Object.keys(others).length > 0) return false;
  if (toolCalls !== undefined) {
    return json === undefined && (content === undefined || typeof content === 'string') && Array.isArray(toolCalls) && toolCalls.length > 0 && toolCalls.every(isToolCall);
  }
  return json === undefined ? typeof content === 'string' : content === undefined;
}

const isToolCall = (value: Json): boolean => isJsonObject(value) && typeof value['name'] === 'string' && isJsonObject(value['arguments']);
