// jq as publish checks it.
import { compile, embeddedExpression } from '@weft/jq';
import { rejection, type Rejection } from '@weft/kernel';
import type { ExpressionPorts } from './expression-texts.js';

/** Checks one expression for publish: says what is wrong with it, or nothing. `variables` without the `$`. */
export function checkExpression(text: string, variables: readonly string[]): Rejection | undefined {
  const compiled = compile(text, { variables });
  return compiled.ok ? undefined : rejection(compiled.failure.code, compiled.failure.message, compiled.failure.details ? { details: compiled.failure.details } : {});
}

/** How publish reads the expressions of a document. */
export const PUBLISHED_EXPRESSIONS: ExpressionPorts = { checkExpression, embeddedExpression };
