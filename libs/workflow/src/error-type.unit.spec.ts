import { describe, expect, it } from 'vitest';
import { canonicalErrorType, ERROR_TYPES, errorMatches, STANDARD_ERRORS, type WorkflowErrorFields } from './error-type.js';

const error: WorkflowErrorFields = { type: ERROR_TYPES.communication.type, status: 503, title: 'Unavailable', instance: '/do/0/a' };

describe('canonicalErrorType', () => {
  it.each(['https://serverlessworkflow.io', 'https://open-workflow-specification.org'])('makes both paths of %s one', (host) => {
    for (const name of STANDARD_ERRORS) {
      expect(canonicalErrorType(`${host}/spec/1.0.0/errors/${name}`)).toBe(ERROR_TYPES[name].type);
      expect(canonicalErrorType(`${host}/dsl/errors/types/${name}`)).toBe(ERROR_TYPES[name].type);
    }
  });

  it.each([
    'https://serverlessworkflow.io/errors/types/compliance',
    'https://serverlessworkflow.io/spec/1.0.0/errors/constructor',
    'https://example.com/spec/1.0.0/errors/runtime',
    'https://serverlessworkflow.io/spec/1.0.0/errors/runtime/x',
  ])('leaves %s as it is', (uri) => {
    expect(canonicalErrorType(uri)).toBe(uri);
  });
});

describe('errorMatches', () => {
  it('compares types in their canonical form and other fields as they are', () => {
    expect(errorMatches({ type: 'https://serverlessworkflow.io/dsl/errors/types/communication', status: 503 }, error)).toBe(true);
    expect(errorMatches({ status: 404 }, error)).toBe(false);
    expect(errorMatches({ type: ERROR_TYPES.runtime.type }, error)).toBe(false);
    expect(errorMatches({ detail: 'x' }, error)).toBe(false);
    expect(errorMatches(undefined, error)).toBe(true);
  });
});
