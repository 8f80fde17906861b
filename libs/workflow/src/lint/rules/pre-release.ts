import { objectOf } from '@weft/kernel';
import type { LintRule } from '../lint-rule.js';

export const preRelease: LintRule = {
  id: 'pre-release',
  severity: 'info',
  summary: 'A document for a version of the specification before 1.0.0: it is read as one of 1.0.0, and runs by its rules.',
  check: ({ document }) => {
    const { dsl } = objectOf(document['document']);
    return typeof dsl === 'string' && dsl.includes('-')
      ? [{ pointer: '/document/dsl', message: `Expected a released version of the specification at /document/dsl but found ${JSON.stringify(dsl.slice(0, 40))}: it is read as 1.0.0` }]
      : [];
  },
};
