// `call: asyncapi`: what is asked of each message is left to whoever collects them, with what it reads.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { embeddedExpression } from '@weft/jq';
import { callArguments, type CallArguments } from './call-arguments.js';
import { VARIABLE_NAMES, type Evaluate } from './expression.js';

/** @param given the task's `with`. @param use the document's `use`. @param names variables that surrounding tasks add. */
export function asyncApiArguments(given: JsonObject, use: JsonObject, names: readonly string[]): CallArguments {
  const subscription = isJsonObject(given['subscription']) ? given['subscription'] : undefined;
  const filter = subscription?.['filter'];
  if (!subscription || typeof filter !== 'string') return callArguments(given, use, names);
  const { filter: _filter, ...others } = subscription;
  const known = callArguments({ ...given, subscription: others }, use, names);
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
