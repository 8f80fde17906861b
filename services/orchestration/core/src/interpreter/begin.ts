import { ROOT } from '../execution/execution.state.js';
import { ExpressionFailed } from '../program/expression.js';
import { standardError } from '../program/workflow-error.js';
import type { Advance, Step } from './advance.js';

/** Checks the workflow's input and enters its first task. `input.from` of the workflow shapes what the first task sees. */
export function beginWorkflow(advance: Advance): Step {
  const { program, state } = advance;
  const problem = program.inputProblem?.(state.input);
  if (problem !== undefined) return advance.fault(standardError('validation', '/input', 'input-invalid', problem));
  if (program.inputFrom) {
    try {
      advance.record({ type: 'InputTransformed', input: advance.evaluate(program.inputFrom, state.input, { key: ROOT }) });
    } catch (fault) {
      if (!(fault instanceof ExpressionFailed)) throw fault;
      return advance.fault(standardError('expression', '/input/from', 'expression-failed', fault.message));
    }
  }
  return { go: 'enter', scope: ROOT, position: 0 };
}
