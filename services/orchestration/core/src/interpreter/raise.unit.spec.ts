import { describe, expect, it } from 'vitest';
import { running } from './running.testing.js';

const TIMEOUT = 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout';
const OF_THE_SUITE = 'https://open-workflow-specification.org/dsl/errors/types/timeout';

/** What becomes of a raised error whose `catch` filters by these fields. */
const statusWith = (filter: object, error: object = { type: TIMEOUT, status: 408, title: 'late' }): string =>
  running({ do: [{ guard: { try: [{ fail: { raise: { error } } }], catch: { errors: { with: filter } } } }] }, {}).start().state.status;

describe('the error filter of a catch', () => {
  it.each([
    ['nothing', {}],
    ['the type', { type: TIMEOUT }],
    ['the type in another of its forms', { type: OF_THE_SUITE }],
    ['the status', { status: 408 }],
    ['several fields', { type: TIMEOUT, status: 408, title: 'late' }],
    ['the task that raised it', { instance: '/do/0/guard/try/0/fail' }],
  ])('takes an error that has %s it asks for', (_what, filter) => {
    expect(statusWith(filter)).toBe('completed');
  });

  it.each([
    ['another type', { type: 'https://example.test/errors/own' }],
    ['another status', { type: TIMEOUT, status: 500 }],
    ['a field that the error lacks', { detail: 'x' }],
  ])('lets an error pass that has %s', (_what, filter) => {
    expect(statusWith(filter)).toBe('faulted');
  });

  it('compares types of its own as they stand', () => {
    expect(statusWith({ type: 'https://example.test/errors/own' }, { type: 'https://example.test/errors/own', status: 422 })).toBe('completed');
  });
});
