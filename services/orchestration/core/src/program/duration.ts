// Durations of a definition: fixed when it is compiled, or an expression that is evaluated when its task gets there.
import { invariant, type Json } from '@weft/kernel';
import { embeddedExpression } from '@weft/jq';
import { endOfDuration, parseCalendarDuration } from '@weft/workflow';
import { bareExpression, ExpressionFailed, type Evaluate } from './expression.js';

/** Milliseconds that a duration takes from an instant on. @throws ExpressionFailed also where an expression gives no duration. */
export type DurationMs = (...given: Parameters<Evaluate>) => number;

export function compileDuration(given: Json, names: readonly string[]): DurationMs {
  if (typeof given === 'string' && embeddedExpression(given) !== undefined) return evaluatedDuration(given, names);
  const duration = parseCalendarDuration(given);
  invariant(duration.ok, 'a published duration parses');
  return duration.months === 0 ? () => duration.ms : (_input, _variables, now) => endOfDuration(now, duration) - now;
}

function evaluatedDuration(text: string, names: readonly string[]): DurationMs {
  const evaluate = bareExpression(text, names);
  return (input, variables, now) => {
    const duration = parseCalendarDuration(evaluate(input, variables, now));
    if (!duration.ok) throw new ExpressionFailed({ ...duration.rejection, code: 'expression-failed' }, text);
    return endOfDuration(now, duration) - now;
  };
}
