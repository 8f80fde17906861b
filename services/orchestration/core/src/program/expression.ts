// Expressions of a definition, compiled once: bare jq where the specification wants an expression, `${ }` elsewhere.
import { Defect, type Instant, type Json } from '@weft/kernel';
import { compile, embeddedExpression, type ExpressionFailure } from '@weft/jq';
import { EvaluationFailed } from './evaluation-failed.js';
import { standardError, type WorkflowError } from './workflow-error.js';

/** Values that expressions may name, without the `$`. */
export interface Variables {
  readonly context: Json;
  readonly input: Json;
  readonly output: Json;
  readonly task: Json;
  readonly workflow: Json;
  readonly runtime: Json;
  readonly [name: string]: Json;
}

/** What of the variables an evaluation reads: none, all but the descriptors (`$task`, `$workflow`, `$runtime`), which take some making, or all. */
export type Reads = 'nothing' | 'values' | 'all';

/** Evaluates to one value. @throws ExpressionFailed with the place and the reason. */
export interface Evaluate {
  (input: Json, variables: Variables, now: Instant): Json;
  /** What need not be there is null. Default `all`. */
  readonly reads?: Reads;
}

/** An expression that failed or exceeded its budget: becomes a workflow error of type `expression`. */
export class ExpressionFailed extends EvaluationFailed {
  constructor(
    readonly failure: ExpressionFailure,
    readonly text: string,
  ) {
    super(`${failure.message} In: ${text}`);
    this.name = 'ExpressionFailed';
  }

  override errorAt(instance: string): WorkflowError {
    return standardError('expression', instance, 'expression-failed', this.message);
  }
}

/** Names that every expression may use; `catch` adds its own. */
export const VARIABLE_NAMES = ['context', 'input', 'output', 'task', 'workflow', 'runtime'] as const;

/** Compiles bare jq. `${ }` around the whole text is accepted too. A text that publish let through compiles: else a defect. */
export function bareExpression(text: string, extraNames: readonly string[] = []): Evaluate {
  const source = embeddedExpression(text) ?? text;
  const compiled = compile(source, { variables: [...VARIABLE_NAMES, ...extraNames] });
  if (!compiled.ok) throw new Defect(`a published expression does not compile: ${compiled.failure.message} In: ${text}`);
  const { expression } = compiled;
  const evaluate: Evaluate = (input, variables, now) => {
    const evaluation = expression.first(input, variables, { now });
    if (!evaluation.ok) throw new ExpressionFailed(evaluation.failure, text);
    return evaluation.value;
  };
  return Object.assign(evaluate, { reads: DESCRIPTORS.test(source) ? 'all' : 'values' } as const);
}

// A name in a text literal counts too: what is made for nothing does no harm.
const DESCRIPTORS = /\$\s*(?:task|workflow|runtime)\b/;

/** Compiles any JSON value: whole-string `${ }` texts inside it are evaluated, the rest is taken as it stands. */
export function template(value: Json, extraNames: readonly string[] = []): Evaluate {
  if (typeof value === 'string') {
    return embeddedExpression(value) === undefined ? constant(value) : bareExpression(value, extraNames);
  }
  if (Array.isArray(value)) {
    if (isConstant(value)) return constant(value);
    const items = value.map((item: Json) => template(item, extraNames));
    return together(items, (input, variables, now) => items.map((item) => item(input, variables, now)));
  }
  if (typeof value === 'object' && value !== null) {
    if (isConstant(value)) return constant(value);
    const fields = Object.entries(value).map(([name, field]) => [name, template(field as Json, extraNames)] as const);
    return together(
      fields.map(([, field]) => field),
      (input, variables, now) => Object.fromEntries(fields.map(([name, field]) => [name, field(input, variables, now)])),
    );
  }
  return constant(value);
}

const constant = (value: Json): Evaluate => Object.assign(() => value, { reads: 'nothing' } as const);

/** Reads what its parts read; one of them is no constant. */
const together = (parts: readonly Evaluate[], evaluate: Evaluate): Evaluate => Object.assign(evaluate, { reads: parts.some(({ reads = 'all' }) => reads === 'all') ? 'all' : 'values' } as const);

function isConstant(value: Json): boolean {
  if (typeof value === 'string') return embeddedExpression(value) === undefined;
  if (typeof value !== 'object' || value === null) return true;
  return Object.values(value).every((item) => isConstant(item as Json));
}
