import { isJsonObject, objectOf, type Json } from '@weft/kernel';
import { around, type LintRule } from '../lint-rule.js';

const isFalse = (until: Json | undefined): boolean => typeof until === 'string' && /^\s*(?:\$\{\s*false\s*\}|false)\s*$/.test(until);
const isTrue = (condition: Json | undefined): boolean => typeof condition === 'string' && /^\s*\$\{\s*true\s*\}\s*$/.test(condition);

export const listenForever: LintRule = {
  id: 'listen-forever',
  severity: 'warning',
  summary: 'Nothing ends a task that takes events or messages: its condition never changes and no timeout is around it.',
  check: ({ document, tasks }) =>
    tasks.flatMap(({ pointer, task }) => {
      const consume = objectOf(objectOf(objectOf(task['with'])['subscription'])['consume']);
      const isEndless =
        isFalse(objectOf(objectOf(task['listen'])['to'])['until']) || (task['call'] === 'asyncapi' && consume['for'] === undefined && (isTrue(consume['while']) || isFalse(consume['until'])));
      const isBounded = [document, task, ...around(tasks, pointer).map((outer) => outer.task)].some((one) => one['timeout'] !== undefined);
      return isEndless && !isBounded && isJsonObject(task) ? [{ pointer, message: `Expected a condition that can end ${pointer}, or a \`timeout\` around it, but it goes on for ever` }] : [];
    }),
};
