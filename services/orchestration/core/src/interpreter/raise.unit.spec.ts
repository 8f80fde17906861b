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
    ['a member of its own that no such error has', { code: 42 }],
  ])('lets an error pass that has %s', (_what, filter) => {
    expect(statusWith(filter)).toBe('faulted');
  });

  it('takes an error by what it carries beside the fields that all have', () => {
    const causes = [
      { type: TIMEOUT, status: 408, instance: '/do/0/guard/try/0/race/fork/branches/0/one' },
      { type: TIMEOUT, status: 408, instance: '/do/0/guard/try/0/race/fork/branches/1/two' },
    ];
    const branches = ['one', 'two'].map((name) => ({ [name]: { raise: { error: { type: TIMEOUT, status: 408 } } } }));
    const withCauses = (wanted: object): string =>
      running({ do: [{ guard: { try: [{ race: { fork: { compete: true, branches } } }], catch: { errors: { with: { causes: wanted } } } } }] }, {}).start().state.status;
    expect([withCauses(causes.slice(0, 1)), withCauses([]), withCauses(causes.toReversed())]).toEqual(['completed', 'faulted', 'faulted']);
  });

  it('compares types of its own as they stand', () => {
    expect(statusWith({ type: 'https://example.test/errors/own' }, { type: 'https://example.test/errors/own', status: 422 })).toBe('completed');
  });
});

describe('the type of a raised error', () => {
  const raised = (type: string) => running({ do: [{ fail: { raise: { error: { type, status: 418 } } } }] }, { kind: 'teapot', standard: OF_THE_SUITE }).start().state;

  it('may be an expression, whose text is read as if it stood there', () => {
    expect(raised('${ "https://example.test/errors/" + .kind }').error).toMatchObject({ type: 'https://example.test/errors/teapot', status: 418 });
    expect(raised('${ .standard }').error).toMatchObject({ type: TIMEOUT });
  });

  it('is an expression error where it comes to no URI', () => {
    for (const type of ['${ .kind }', '${ .nothing }']) expect(raised(type).error).toMatchObject({ type: expect.stringMatching(/expression$/) as string, instance: '/do/0/fail' });
  });
});
