import { flowsOf, reached } from '../task-flow.js';
import type { LintRule } from '../lint-rule.js';

export const unreachableTask: LintRule = {
  id: 'unreachable-task',
  severity: 'warning',
  summary: 'No way through its list leads to a task: what stands before it always goes on elsewhere.',
  check: ({ tasks }) =>
    flowsOf(tasks).flatMap((flow) => {
      const found = reached(flow);
      return flow.filter(({ position }) => !found.has(position)).map(({ pointer, name }) => ({ pointer, message: `Expected a way to the task \`${name}\` but nothing in its list goes on to it` }));
    }),
};
