// `call: asyncapi`: what is asked of each message is left to whoever collects them, with what it reads. What comes of one is not their business.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { embeddedExpression } from '@weft/jq';
import { callArguments, type CallArguments } from './call-arguments.js';
import { VARIABLE_NAMES, type Evaluate } from './expression.js';

/** @param given the task's `with`. @param use the document's `use`. @param names variables that surrounding tasks add. */
export function asyncApiArguments(given: JsonObject, use: JsonObject, names: readonly string[]): CallArguments {
  const subscription = isJsonObject(given['subscription']) ? given['subscription'] : undefined;
  if (!subscription) return callArguments(given, use, names);
  const { filter, foreach: _foreach, consume, ...others } = subscription;
  const { while: _while, until: _until, ...lifetime } = isJsonObject(consume) ? consume : {};
  const known = callArguments({ ...given, subscription: { ...others, consume: lifetime } }, use, names);
  if (typeof filter !== 'string') return known;
  const expression = embeddedExpression(filter) ?? filter;
  const read = [...VARIABLE_NAMES, ...names].filter((name) => new RegExp(`\\$${name}\\b`).test(expression));
  const withFilter =
    (evaluate: Evaluate): Evaluate =>
    (input, variables, now) => {
      const args = evaluate(input, variables, now) as JsonObject;
      const values: JsonObject = Object.fromEntries(read.map((name): [string, Json] => [name, variables[name] ?? null]));
      return { ...args, subscription: { ...(args['subscription'] as JsonObject), filter: { expression, variables: values } } };
    };
  return { ...known, arguments: withFilter(known.arguments) };
}
