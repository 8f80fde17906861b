import { describe, expect, it } from 'vitest';
import { authoriser, type Grant, type Wanted } from './grant.js';

const GRANTS: readonly Grant[] = [
  { tenant: 'default', workflow: 'acme/complaints', tools: ['send-mail'], kinds: ['infer'] },
  { tenant: '*', workflow: 'bench/*', tools: ['*'], kinds: [] },
];
const wanted = (more: Partial<Wanted>): Wanted => ({ tenant: 'default', workflow: 'acme/complaints:1.0.0', kind: 'tool', tool: 'send-mail', ...more });

describe('grants', () => {
  const authorise = authoriser(GRANTS);

  it.each([
    ['a named tool to a workflow of any version', wanted({})],
    ['a kind', wanted({ kind: 'infer', tool: '' })],
    ['every tool of a wildcard, to every tenant', wanted({ tenant: 'other', workflow: 'bench/chain:2.0.0', tool: 'echo' })],
  ])('give %s', (_what, question) => {
    expect(authorise(question)).toBeUndefined();
  });

  it.each([
    ['another tool', wanted({ tool: 'delete-all' })],
    ['another tenant', wanted({ tenant: 'other' })],
    ['another workflow', wanted({ workflow: 'acme/complaints-2:1.0.0' })],
    ['a deeper name than the wildcard', wanted({ workflow: 'bench/a/b:1.0.0' })],
    ['a kind that is not listed', wanted({ kind: 'http', tool: '' })],
    ['a name that a pattern could be read into', wanted({ workflow: 'acmeXcomplaints:1' })],
  ])('deny %s', (_what, question) => {
    expect(authorise(question)).toMatchObject({ code: 'denied', retryable: false });
  });

  it('deny everything when there are none', () => {
    expect(authoriser([])(wanted({}))?.code).toBe('denied');
  });

  it('say what to add to the file', () => {
    const { message } = authorise(wanted({ tool: 'delete-all' }))!;
    expect(message).toContain('{tenant: default, workflow: acme/complaints, tools: [delete-all]}');
  });

  it('answer the same the second time', () => {
    expect(authorise(wanted({ tool: 'delete-all' }))).toBe(authorise(wanted({ tool: 'delete-all' })));
  });
});
