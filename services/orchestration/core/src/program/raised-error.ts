// The error of a `raise` task.
import type { Json, JsonObject } from '@weft/kernel';
import { embeddedExpression } from '@weft/jq';
import { canonicalErrorType } from '@weft/workflow';
import { bareExpression, ExpressionFailed, template, type Evaluate } from './expression.js';
import type { RaisedError } from './program.js';

export function compileRaised({ type, status, title, detail, instance }: JsonObject, names: readonly string[]): RaisedError {
  return {
    type: compileType(String(type), names),
    status: Number(status),
    ...(title === undefined ? {} : { title: template(title, names) }),
    ...(detail === undefined ? {} : { detail: template(detail, names) }),
    ...(instance === undefined ? {} : { instance: template(instance, names) }),
  };
}

function compileType(text: string, names: readonly string[]): string | Evaluate {
  if (embeddedExpression(text) === undefined) return canonicalErrorType(text);
  const evaluate = bareExpression(text, names);
  return (...given) => {
    const type: Json = evaluate(...given);
    if (typeof type === 'string' && URL.canParse(type)) return canonicalErrorType(type);
    throw new ExpressionFailed({ code: 'expression-failed', message: 'Expected an absolute URI as the type of an error but found something else.', retryable: false }, text);
  };
}
