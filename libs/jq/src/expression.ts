import type { Json } from '@weft/kernel';
import { amplification } from './amplification.js';
import { BudgetExhausted, DEFAULT_BUDGET, Meter, type Budget } from './budget.js';
import { collect, firstOf, type Code } from './code.js';
import { compileNode } from './compile.js';
import { describe } from './dump.js';
import { budgetFailure, Raised, raisedFailure, SyntaxFault, syntaxFailure, type ExpressionFailure } from './failure.js';
import { parse } from './parser.js';
import { rootScope } from './scope.js';
import { settle } from './settle.js';

/** Outputs up to this many times the inputs are handed over without walking through them. */
const UNWALKED_AMPLIFICATION_MAX = 64;

/** What an evaluation may know and use besides input and variables. */
export interface EvaluateOptions {
  /** The instant that `now` gives, in milliseconds since the epoch. Without it `now` fails. */
  readonly now?: number;
  /** Defaults to `DEFAULT_BUDGET`. */
  readonly budget?: Budget;
}

/** The first output of an expression, or why there is none. */
export type Evaluation = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly failure: ExpressionFailure };

/** All outputs of an expression in order, or why there are none. */
export type Evaluations = { readonly ok: true; readonly values: Json[] } | { readonly ok: false; readonly failure: ExpressionFailure };

/** A compiled expression. Evaluating is pure: inputs are never changed, though outputs may share parts with them. */
export interface Expression {
  readonly text: string;
  /**
   * The first output; null when there is none. What would follow it is not computed.
   * @param variables values of the declared variables, by name without `$`; a missing one is null.
   * Failures: `expression-failed`, `expression-budget`.
   */
  first(input: Json, variables: Readonly<Record<string, Json>>, options?: EvaluateOptions): Evaluation;
  /** All outputs, within one budget. Failures as for `first`. */
  all(input: Json, variables: Readonly<Record<string, Json>>, options?: EvaluateOptions): Evaluations;
}

/** Which names an expression may use. */
export interface CompileOptions {
  /** Names of global variables, without `$`. Any other variable must be bound inside the expression. */
  readonly variables?: readonly string[];
}

/** What compiling gives: an expression, or an `expression-syntax` failure that says where and what was expected. */
export type Compilation = { readonly ok: true; readonly expression: Expression } | { readonly ok: false; readonly failure: ExpressionFailure };

/** Compiles jq text into an expression: once for a text, for any number of evaluations. */
export function compile(text: string, options: CompileOptions = {}): Compilation {
  try {
    const node = parse(text);
    const scope = rootScope({ variables: new Set(options.variables), supplied: new Map(), assumptions: 0 });
    const isSmall = amplification(node) <= UNWALKED_AMPLIFICATION_MAX;
    return { ok: true, expression: expressionOf(text, compileNode(node, scope), isSmall) };
  } catch (thrown) {
    if (thrown instanceof SyntaxFault) return { ok: false, failure: syntaxFailure(text, thrown) };
    if (thrown instanceof RangeError) return { ok: false, failure: syntaxFailure(text, new SyntaxFault('less nesting', 'more than the stack holds', 0)) };
    throw thrown;
  }
}

function expressionOf(text: string, code: Code, isSmall: boolean): Expression {
  const finish = isSmall ? (_meter: Meter, value: Json): Json => (typeof value === 'number' ? settle(_meter, value) : value) : settle;
  return {
    text,
    first: (input, variables, options) => {
      const meter = new Meter(options?.budget ?? DEFAULT_BUDGET, variables, options?.now);
      try {
        const value = firstOf(code, meter, null, input);
        return { ok: true, value: value === undefined ? null : finish(meter, value) };
      } catch (thrown) {
        return { ok: false, failure: failureOf(meter, thrown) };
      }
    },
    all: (input, variables, options) => {
      const meter = new Meter(options?.budget ?? DEFAULT_BUDGET, variables, options?.now);
      try {
        return { ok: true, values: collect(code, meter, null, input).map((value) => finish(meter, value)) };
      } catch (thrown) {
        return { ok: false, failure: failureOf(meter, thrown) };
      }
    },
  };
}

/** The failure for whatever ended an evaluation; anything unforeseen is a defect and thrown on. */
function failureOf(meter: Meter, thrown: unknown): ExpressionFailure {
  if (thrown instanceof BudgetExhausted) return budgetFailure(meter.budget, thrown.part);
  // The last resort: the depth budget is meant to end an evaluation before the stack does.
  if (thrown instanceof RangeError) return budgetFailure(meter.budget, 'depth');
  if (!(thrown instanceof Raised)) throw thrown;
  const { value } = thrown;
  try {
    return raisedFailure(typeof value === 'string' ? value : `${describe(meter, value)} (not a string)`, settle(meter, value));
  } catch (unsettled) {
    if (unsettled instanceof BudgetExhausted) return budgetFailure(meter.budget, unsettled.part);
    throw unsettled;
  }
}
