import { isJsonObject, objectOf } from '@weft/kernel';
import { pointerTo } from '../../pointer.js';
import type { LintRule } from '../lint-rule.js';

export const retryWithoutLimit: LintRule = {
  id: 'retry-without-limit',
  severity: 'warning',
  summary: 'A retry policy says no limit, so the one of the deployment holds: 100 retries unless it is set.',
  check: ({ use, tasks }) => {
    const named = Object.entries(objectOf(use['retries'])).map(([name, policy]) => ({ pointer: pointerTo('/use/retries', name), policy }));
    const own = tasks.filter(({ kind }) => kind === 'try').map(({ pointer, task }) => ({ pointer: `${pointer}/catch/retry`, policy: objectOf(task['catch'])['retry'] }));
    return [...named, ...own].flatMap(({ pointer, policy }) =>
      isJsonObject(policy) && Object.keys(objectOf(policy['limit'])).length === 0 ? [{ pointer, message: `Expected a \`limit\` of retries at ${pointer} but found none` }] : [],
    );
  },
};
