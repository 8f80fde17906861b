import { cases } from '../../references.js';
import type { LintRule } from '../lint-rule.js';

export const switchWithoutDefault: LintRule = {
  id: 'switch-without-default',
  severity: 'warning',
  summary: 'No case of a `switch` holds for everything, so what fits none silently goes on to the next task.',
  check: ({ tasks }) =>
    tasks
      .filter(({ kind, task }) => kind === 'switch' && task['then'] === undefined && cases(task).every(({ fields }) => fields['when'] !== undefined))
      .map(({ pointer }) => ({
        pointer: `${pointer}/switch`,
        message: `Expected a case without \`when\` at ${pointer}/switch, or a \`then\` of the task, but what fits no case goes on to the next task`,
      })),
};
