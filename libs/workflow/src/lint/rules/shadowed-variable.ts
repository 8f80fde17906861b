import { isJsonObject } from '@weft/kernel';
import { errorVariableOf, iteratorOf, iteratorVariablesOf, loopVariablesOf, type PlacedTask } from '../../tasks.js';
import type { LintRule } from '../lint-rule.js';

function added({ task, kind }: PlacedTask): readonly string[] {
  const iterator = iteratorOf(task);
  const clause = task['catch'];
  return [
    ...(kind === 'for' ? loopVariablesOf(task) : []),
    ...(iterator ? iteratorVariablesOf(iterator.fields) : []),
    // A `catch` that does nothing hides nothing.
    ...(kind === 'try' && isJsonObject(clause) && clause['do'] !== undefined ? [errorVariableOf(clause)] : []),
  ];
}

export const shadowedVariable: LintRule = {
  id: 'shadowed-variable',
  severity: 'warning',
  summary: 'A loop or a `catch` inside another one takes a variable of the same name, which hides the outer one.',
  check: ({ tasks }) =>
    tasks.flatMap((placed) =>
      added(placed)
        .filter((name) => placed.variables.includes(name))
        .map((name) => ({ pointer: placed.pointer, message: `Expected a name of its own for the variable $${name} of ${placed.pointer} but a task around it has one of that name` })),
    ),
};
