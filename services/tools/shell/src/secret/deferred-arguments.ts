// Expressions that waited for the worker: filled in right before a job is sent, and told to nobody.
import { isJsonObject, rejection, type Failure, type Json, type JsonObject } from '@weft/kernel';
import { compile, type Compilation } from '@weft/jq';
import { DEFERRED_FIELD, DEFERRED_VARIABLES, segmentsOf } from '@weft/workflow';
import type { Secrets } from './secrets.js';
import { Withheld } from './withheld.js';

/** The credentials of a task, as `$authorization`. */
export interface AuthorizationDescriptor {
  readonly scheme: string;
  readonly parameter: string;
}

/** Arguments of a job whose expressions are still to be evaluated. */
export interface DeferredArguments {
  /** As history, ledger, policies and people see them: each expression as it is written. */
  readonly shown: Json;
  /** Names of the secrets that the job uses. */
  readonly secrets: readonly string[];
  readonly isEmpty: boolean;
  /** The arguments with their values. @param authorization missing: expressions that name it stand as they are written. */
  fill(secrets: Secrets, authorization?: AuthorizationDescriptor): Filling;
  /** Whether an expression names `$authorization`. */
  readonly needsAuthorization: boolean;
}

export type Filling = { readonly ok: true; readonly args: Json; readonly withheld: Withheld } | { readonly ok: false; readonly failure: Failure };

interface Expression {
  readonly pointer: string;
  readonly text: string;
  readonly secrets: readonly string[];
  readonly input: Json;
  readonly variables: JsonObject;
  readonly now: number;
}

/** Reads what waits in a job's arguments. */
export function deferredArguments(args: Json): DeferredArguments {
  const waiting = isJsonObject(args) ? args[DEFERRED_FIELD] : undefined;
  if (!isJsonObject(args) || !isJsonObject(waiting)) return { shown: args, secrets: [], isEmpty: true, needsAuthorization: false, fill: () => ({ ok: true, args, withheld: new Withheld() }) };
  const { [DEFERRED_FIELD]: _waiting, ...rest } = args;
  const expressions = Object.entries(waiting).map(([pointer, given]) => expressionOf(pointer, isJsonObject(given) ? given : {}));
  return {
    shown: expressions.reduce<Json>((shown, expression) => placed(shown, segmentsOf(expression.pointer), asWritten(expression)), rest),
    secrets: [...new Set(expressions.flatMap(({ secrets }) => secrets))],
    isEmpty: false,
    needsAuthorization: expressions.some(({ text }) => NAMES_AUTHORIZATION.test(text)),
    fill: (secrets, authorization) => filled(rest, expressions, secrets, authorization),
  };
}

const asWritten = ({ text }: Expression): string => `\${ ${text.trim()} }`;
const NAMES_AUTHORIZATION = /\$authorization\b/;

function expressionOf(pointer: string, { expression, secrets, input = null, variables, now }: JsonObject): Expression {
  return {
    pointer,
    text: String(expression),
    secrets: Array.isArray(secrets) ? secrets.map(String) : [],
    input,
    variables: isJsonObject(variables) ? variables : {},
    now: Number(now),
  };
}

function filled(rest: Json, expressions: readonly Expression[], secrets: Secrets, authorization: AuthorizationDescriptor | undefined): Filling {
  const withheld = new Withheld();
  let args = rest;
  for (const expression of expressions) {
    if (authorization === undefined && NAMES_AUTHORIZATION.test(expression.text)) {
      args = placed(args, segmentsOf(expression.pointer), asWritten(expression));
      continue;
    }
    const values: Record<string, Json> = {};
    for (const name of expression.secrets) {
      const text = secrets(name);
      if (text === undefined) return { ok: false, failure: secretUnknown(name) };
      values[name] = secretValue(text);
      withheld.add(`secret ${name}`, values[name]);
      withheld.add(`secret ${name}`, text);
    }
    if (authorization) withheld.add('authorization', authorization.parameter);
    const evaluated = evaluate(expression, { secrets: values, authorization: authorization ? { ...authorization } : null });
    if (!evaluated.ok) return evaluated;
    args = placed(args, segmentsOf(expression.pointer), evaluated.value);
  }
  return { ok: true, args, withheld };
}

/** What a job meets that uses a secret which nobody configured. */
const secretUnknown = (name: string): Failure =>
  rejection('secret-missing', `Expected a secret named ${JSON.stringify(name.slice(0, 64))} but there is none: an operator sets the variable WEFT_SECRET_${name.slice(0, 64)}.`, {
    details: { secret: name },
  });

/** A secret with parts is written as a JSON object; anything else is a text. */
function secretValue(text: string): Json {
  if (!text.trimStart().startsWith('{')) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

const COMPILED_MAX = 1_000;
const compiledOnes = new Map<string, Compilation>();

function compiledOnce(text: string, names: readonly string[]): Compilation {
  const key = `${names.join(',')} ${text}`;
  const known = compiledOnes.get(key);
  if (known) return known;
  if (compiledOnes.size >= COMPILED_MAX) compiledOnes.clear();
  const compiled = compile(text, { variables: [...names] });
  compiledOnes.set(key, compiled);
  return compiled;
}

/** jq's own words may hold the value that it could not work with: only the place is told. */
function evaluate({ text, pointer, input, variables, now }: Expression, secret: JsonObject): { readonly ok: true; readonly value: Json } | Extract<Filling, { ok: false }> {
  const compiled = compiledOnce(text, [...DEFERRED_VARIABLES, ...Object.keys(variables)]);
  const evaluation = compiled.ok ? compiled.expression.first(input, { ...variables, ...secret }, { now }) : undefined;
  if (evaluation?.ok) return { ok: true, value: evaluation.value };
  return {
    ok: false,
    failure: rejection('expression-failed', `Expected the expression at ${pointer} of the call's arguments to have a value but it failed. What it failed on is not told, as it may be a secret.`),
  };
}

/** The value with another one at a place that it has. */
function placed(value: Json, [name, ...rest]: readonly string[], part: Json): Json {
  if (name === undefined) return part;
  if (Array.isArray(value)) return (value as readonly Json[]).map((item, position) => (String(position) === name ? placed(item, rest, part) : item));
  return isJsonObject(value) ? { ...value, [name]: placed(value[name] ?? null, rest, part) } : value;
}
