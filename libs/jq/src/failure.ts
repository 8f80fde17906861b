import type { Json, Rejection } from '@weft/kernel';
import type { Budget } from './budget.js';

/**
 * Why an expression has no value.
 * - `expression-syntax`: the text is not an expression we accept; details {line, column (both from 1), fragment}.
 * - `expression-failed`: jq's own error; details {error: its value}.
 * - `expression-budget`: it would need more than its budget; details {part: steps | depth | bytes, max}.
 */
export interface ExpressionFailure extends Rejection {
  readonly code: 'expression-syntax' | 'expression-failed' | 'expression-budget';
}

/** A fault in the text of an expression, on its way out of lexer, parser and compiler. */
export class SyntaxFault {
  constructor(
    readonly expected: string,
    readonly found: string,
    /** Offset into the text, in UTF-16 code units. */
    readonly at: number,
  ) {}
}

/** An error raised by an expression: any value, which `catch` receives. */
export class Raised {
  constructor(readonly value: Json) {}
}

/** Levels of nesting that jq follows; deeper is an error of its own, where the budget allows to come so far. */
export const JQ_LEVELS_MAX = 10_000;

/** Raises a text as an error of the expression. */
export function raise(message: string): never {
  throw new Raised(message);
}

const FRAGMENT_CHARACTERS_MAX = 40;

/** The failure for a fault in the text. */
export function syntaxFailure(text: string, fault: SyntaxFault): ExpressionFailure {
  const before = text.slice(0, fault.at);
  const line = before.split('\n').length;
  const column = fault.at - before.lastIndexOf('\n');
  const fragment = (text.slice(fault.at).split('\n')[0] ?? '').slice(0, FRAGMENT_CHARACTERS_MAX);
  return {
    code: 'expression-syntax',
    message: `Expected ${fault.expected} at line ${line}, column ${column} of the expression, but found ${fault.found}.`,
    retryable: false,
    details: { line, column, fragment },
  };
}

/** The failure for an error that nothing in the expression caught. */
export function raisedFailure(description: string, error: Json): ExpressionFailure {
  return {
    code: 'expression-failed',
    message: `Expected the expression to give a value, but it failed: ${description}.`,
    retryable: false,
    details: { error },
  };
}

/** The failure for a used-up budget. */
export function budgetFailure(budget: Budget, part: keyof Budget): ExpressionFailure {
  return {
    code: 'expression-budget',
    message: `Expected the expression to need at most ${budget[part]} ${part}, but it needs more.`,
    retryable: false,
    details: { part, max: budget[part] },
  };
}
