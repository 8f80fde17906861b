// The arguments of a call of the standard: policies in place of their names, URI templates, and expressions that wait for the worker.
import { isJsonObject, type Instant, type Json, type JsonObject } from '@weft/kernel';
import { embeddedExpression } from '@weft/jq';
import { DEFERRED_FIELD, fillUri, isDeferred, pointerTo, secretsUsedBy, uriVariables } from '@weft/workflow';
import { expandedAuthentication } from './authentication.js';
import { ExpressionFailed, template, VARIABLE_NAMES, type Evaluate, type Variables } from './expression.js';

export interface CallArguments {
  readonly arguments: Evaluate;
  /** The same with the braces of its endpoint as they stand; absent: it has none. */
  readonly literal?: Evaluate;
}

/** An expression that the worker evaluates, by the JSON Pointer of where its value belongs. */
interface Deferral {
  readonly pointer: string;
  readonly expression: string;
  readonly secrets: readonly string[];
  /** Names of the variables that it may read, without `$`. */
  readonly variables: readonly string[];
  /** Whether it reads more than secrets and credentials. */
  readonly readsInput: boolean;
}

/** @param given the task's `with`. @param use the document's `use`. @param names variables that surrounding tasks add. */
export function callArguments(given: Json, use: JsonObject, names: readonly string[]): CallArguments {
  const expanded = expandedAuthentication(given, use);
  const deferrals: Deferral[] = [];
  const known = withoutDeferred(expanded, '', [...VARIABLE_NAMES, ...names], deferrals);
  const literal = withDeferrals(template(known, names), deferrals);
  const filled = withUriTemplate(known, names);
  return filled ? { arguments: withDeferrals(filled, deferrals), literal } : { arguments: literal };
}

function withDeferrals(known: Evaluate, deferrals: readonly Deferral[]): Evaluate {
  if (deferrals.length === 0) return known;
  return (input, variables, now) => {
    const args = known(input, variables, now) as JsonObject;
    return { ...args, [DEFERRED_FIELD]: Object.fromEntries(deferrals.map((deferral) => [deferral.pointer, deferred(deferral, input, variables, now)])) };
  };
}

/** The value with null where an expression waits. */
function withoutDeferred(value: Json, pointer: string, names: readonly string[], deferrals: Deferral[]): Json {
  if (typeof value === 'string') {
    const expression = embeddedExpression(value);
    if (expression === undefined || !isDeferred(expression)) return value;
    const variables = names.filter((name) => new RegExp(`\\$${name}\\b`).test(expression));
    deferrals.push({ pointer, expression, secrets: secretsUsedBy(expression).filter((name) => name !== undefined), variables, readsInput: !PLAIN.test(expression) });
    return null;
  }
  if (Array.isArray(value)) return (value as readonly Json[]).map((item, position) => withoutDeferred(item, pointerTo(pointer, position), names, deferrals));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withoutDeferred(part, pointerTo(pointer, name), names, deferrals)]));
}

// A path into secrets or credentials reads nothing of the task.
const PLAIN = /^\s*\$(?:secrets|authorization)(?:\s*(?:\.\s*\w+|\.?\s*\[?\s*"[^"\\]+"\s*\]?))*\s*$/;

function deferred({ expression, secrets, variables: read, readsInput }: Deferral, input: Json, variables: Variables, now: Instant): Json {
  return {
    expression,
    secrets,
    now,
    ...(readsInput ? { input } : {}),
    ...(read.length > 0 ? { variables: Object.fromEntries(read.map((name) => [name, variables[name] ?? null])) } : {}),
  };
}

/** A text at `endpoint` or `endpoint.uri` is a URI template over the task's input; undefined: it has no variables. */
function withUriTemplate(args: Json, names: readonly string[]): Evaluate | undefined {
  const { endpoint } = isJsonObject(args) ? args : {};
  const text = isJsonObject(endpoint) ? endpoint['uri'] : endpoint;
  if (typeof text !== 'string' || embeddedExpression(text) !== undefined || uriVariables(text).length === 0) return undefined;
  const plain = template(args, names);
  return (input, variables, now) => {
    const made = plain(input, variables, now) as JsonObject;
    const uri = fillUri(text, (name) => templateText(input, name, text));
    return { ...made, endpoint: isJsonObject(made['endpoint']) ? { ...made['endpoint'], uri } : uri };
  };
}

/** The text of a variable: a top-level property of the task's input, whatever its name; what is missing or null is the empty text. */
function templateText(input: Json, name: string, text: string): string {
  const value = isJsonObject(input) && Object.hasOwn(input, name) ? (input[name] ?? null) : null;
  const unfit = (problem: string): Error =>
    new ExpressionFailed({ code: 'expression-failed', message: `Expected a text, number, boolean or null for {${name}} but ${problem}.`, retryable: false }, text);
  if (typeof value === 'object' && value !== null) throw unfit('it is an object or a list');
  // A path segment of dots would lead to another resource.
  if (value === '.' || value === '..') throw unfit(`it is ${JSON.stringify(value)}, which leads elsewhere`);
  return value === null ? '' : String(value);
}
