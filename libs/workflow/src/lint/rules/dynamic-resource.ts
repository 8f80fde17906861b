import { textsIn, type LintRule } from '../lint-rule.js';

const RESOURCE = /\/(?:document|proto|agentCard|resource|source)\/endpoint(?:\/uri)?$/;

export const dynamicResource: LintRule = {
  id: 'dynamic-resource',
  severity: 'info',
  summary: 'The address of a document is an expression: it is fetched when the task runs, and cannot be locked when the workflow is published.',
  check: ({ document }) =>
    textsIn(document, '')
      .filter(({ pointer, text }) => RESOURCE.test(pointer) && text.includes('${'))
      .map(({ pointer }) => ({ pointer, message: `Expected an address that is known at publish at ${pointer} but found an expression: what it leads to is not locked` })),
};
