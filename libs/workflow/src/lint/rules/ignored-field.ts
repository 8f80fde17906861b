import { pointerTo } from '../../pointer.js';
import { objectOf } from '../../references.js';
import type { LintRule } from '../lint-rule.js';

export const ignoredField: LintRule = {
  id: 'ignored-field',
  severity: 'warning',
  summary: 'A field is taken and has no effect: the `instance` of a raised error is always the pointer of its task.',
  check: ({ use, tasks }) => {
    const declared = Object.entries(objectOf(use['errors'])).map(([name, error]) => ({ pointer: pointerTo('/use/errors', name), error: objectOf(error) }));
    const raised = tasks.filter(({ kind }) => kind === 'raise').map(({ pointer, task }) => ({ pointer: `${pointer}/raise/error`, error: objectOf(objectOf(task['raise'])['error']) }));
    return [...declared, ...raised]
      .filter(({ error }) => error['instance'] !== undefined)
      .map(({ pointer }) => ({ pointer: `${pointer}/instance`, message: `Expected no \`instance\` at ${pointer}, as it is always the pointer of the task that raises, but found one` }));
  },
};
