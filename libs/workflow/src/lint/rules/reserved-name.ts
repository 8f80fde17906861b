import { FLOW_DIRECTIVES } from '../../references.js';
import type { LintRule } from '../lint-rule.js';

export const reservedName: LintRule = {
  id: 'reserved-name',
  severity: 'warning',
  summary: 'A task is named as a flow directive: it runs where it stands, but a `then` of that name is the directive and never leads to it.',
  check: ({ tasks }) =>
    tasks
      .filter(({ name }) => FLOW_DIRECTIVES.includes(name))
      .map(({ pointer, name }) => ({ pointer, message: `Expected a name that a \`then\` may lead to but ${pointer} has that of the flow directive \`${name}\`` })),
};
