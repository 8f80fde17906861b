// `subscription` of `call: asyncapi`, as far as it is decided here: when it is over. Source: Open Workflow Specification 1.0.3, dsl-reference.md#asyncapi-subscription-lifetime.
import type { JsonObject } from '@weft/kernel';
import { embeddedExpression } from '@weft/jq';
import { bareExpression, type Evaluate } from './expression.js';

export interface Subscription {
  /** Tested on what was gathered, after each message: whether to go on. */
  readonly while?: Evaluate;
  /** The same: whether to end. */
  readonly until?: Evaluate;
  /** Nothing in it can end it, so that nobody ever sees its output. */
  readonly isEndless: boolean;
}

/** @param consume how long it consumes. @returns undefined for one that a single job can collect, by an amount and a time. */
export function compileSubscription(consume: JsonObject | undefined, isIterated: boolean, names: readonly string[]): Subscription | undefined {
  const conditionOf = (field: 'while' | 'until'): string | undefined => (typeof consume?.[field] === 'string' ? consume[field] : undefined);
  const [goesOn, ends] = [conditionOf('while'), conditionOf('until')];
  if (!isIterated && goesOn === undefined && ends === undefined) return undefined;
  const isAlways = consume?.['amount'] === undefined && consume?.['for'] === undefined && (goesOn === undefined || isLiteral(goesOn, 'true')) && (ends === undefined || isLiteral(ends, 'false'));
  return {
    isEndless: isAlways,
    ...(goesOn === undefined ? {} : { while: bareExpression(goesOn, names) }),
    ...(ends === undefined ? {} : { until: bareExpression(ends, names) }),
  };
}

const isLiteral = (condition: string, value: 'true' | 'false'): boolean => (embeddedExpression(condition) ?? condition).trim() === value;
