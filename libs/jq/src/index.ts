/** jq for workflows: text in, closures out, every evaluation within a budget. */
export { DEFAULT_BUDGET, type Budget } from './budget.js';
export { embeddedExpression, isRuntimeExpression } from './embedded.js';
export { compile, type Compilation, type CompileOptions, type EvaluateOptions, type Evaluation, type Evaluations, type Expression } from './expression.js';
export type { ExpressionFailure } from './failure.js';
export { runSuite, type Miss, type SuiteResult } from './suite.js';
