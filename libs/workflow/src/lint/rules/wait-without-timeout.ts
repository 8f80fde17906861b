import { objectOf } from '@weft/kernel';
import { functionNameOf } from '../../functions.js';
import type { PlacedTask } from '../../tasks.js';
import { around, type LintRule } from '../lint-rule.js';

/** Whether a task waits for somebody outside, for as long as that takes. */
function waits({ kind, task }: PlacedTask): boolean {
  if (kind === 'listen') return true;
  const args = objectOf(task['with']);
  if (typeof task['call'] !== 'string') return false;
  const name = functionNameOf(task['call']);
  return (
    (name === 'review' && args['expires'] === undefined) || (name === 'asyncapi' && args['subscription'] !== undefined && objectOf(objectOf(args['subscription'])['consume'])['for'] === undefined)
  );
}

export const waitWithoutTimeout: LintRule = {
  id: 'wait-without-timeout',
  severity: 'info',
  summary: 'A task waits for an event, a message or a person, and nothing says for how long: the execution may stay for ever.',
  check: ({ document, tasks }) =>
    tasks
      .filter((placed) => waits(placed) && ![document, placed.task, ...around(tasks, placed.pointer).map(({ task }) => task)].some((one) => one['timeout'] !== undefined))
      .map(({ pointer }) => ({ pointer, message: `Expected a \`timeout\` of ${pointer} or of what is around it but it may wait for ever` })),
};
