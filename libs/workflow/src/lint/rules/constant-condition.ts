import { textsIn, type LintRule } from '../lint-rule.js';

const CONDITION = /\/(?:if|when|exceptWhen|while|until)$/;
// What an expression can read: its input, a variable, the time.
const READS = /[.$]|\b(?:now|input|inputs|length|keys|not|empty|type|add|any|all|first|last|has|error)\b/;

export const constantCondition: LintRule = {
  id: 'constant-condition',
  severity: 'warning',
  summary: 'A condition reads nothing, so it is the same each time.',
  check: ({ document, tasks }) => {
    const pointers = new Set(tasks.map(({ pointer }) => pointer));
    return textsIn(document, '').flatMap(({ pointer, text }) => {
      // Data may have fields of these names: a condition stands in a task, or in what is part of its definition.
      const isOfTask = CONDITION.test(pointer) && ([...pointers].some((one) => pointer.startsWith(`${one}/`)) || pointer.startsWith('/use/')) && !/\/(?:set|body|with)\/[^/]+/.test(pointer);
      const jq = text.trim().replace(/^\$\{([\s\S]*)\}$/, '$1');
      return isOfTask && !READS.test(jq) ? [{ pointer, message: `Expected a condition that reads something at ${pointer} but found ${JSON.stringify(text)}, which is the same each time` }] : [];
    });
  },
};
