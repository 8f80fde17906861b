import { ROOT } from '../execution/execution.state.js';
import { EvaluationFailed } from '../program/evaluation-failed.js';
import { standardError, type WorkflowError } from '../program/workflow-error.js';
import type { Advance, Step } from './advance.js';
import { limitTime } from './time-limit.js';

/** Checks the workflow's input and enters its first task. `input.from` of the workflow shapes what the first task sees. */
export function beginWorkflow(advance: Advance): Step {
  const { program, state } = advance;
  const problem = program.inputProblem?.(state.input);
  if (problem !== undefined) return advance.fault(standardError('validation', '/input', 'input-invalid', problem));
  const fault =
    faultOf('/input/from', () => {
      if (program.inputFrom) advance.record({ type: 'InputTransformed', input: advance.evaluate(program.inputFrom, state.input, { key: ROOT }) });
    }) ??
    faultOf('/timeout/after', () => {
      if (program.timeout) limitTime(advance, ROOT, 'timeout', advance.evaluate(program.timeout, advance.activation(ROOT).value, { key: ROOT }));
    });
  return fault ? advance.fault(fault) : { go: 'enter', scope: ROOT, position: 0 };
}

/** What an expression of the workflow itself fails on. */
function faultOf(place: string, evaluate: () => void): WorkflowError | undefined {
  try {
    evaluate();
    return undefined;
  } catch (fault) {
    if (!(fault instanceof EvaluationFailed)) throw fault;
    return fault.errorAt(place);
  }
}
