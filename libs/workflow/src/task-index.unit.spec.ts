import { describe, expect, it } from 'vitest';
import type { Workflow } from './document.js';
import { withTasks } from './documents.testing.js';
import { indexTasks } from './task-index.js';

const index = indexTasks(
  withTasks([
    { a: { try: [{ b: { set: { x: 1 } } }], catch: { as: 'err', do: [{ c: { wait: 'PT1S' } }, { d: { do: [{ 'e/~f': { set: { x: 1 } } }] } }] } } },
    { g: { wait: 'PT1S' } },
  ]) as unknown as Workflow,
);

describe('indexTasks', () => {
  it('finds every task by its pointer, in the order of the document', () => {
    expect([...index.keys()]).toEqual(['/do/0/a', '/do/0/a/try/0/b', '/do/0/a/catch/do/0/c', '/do/0/a/catch/do/1/d', '/do/0/a/catch/do/1/d/do/0/e~1~0f', '/do/1/g']);
  });

  it('knows kind, list, position, siblings, parent and the errors around', () => {
    expect(index.get('/do/0/a/catch/do/1/d')).toMatchObject({ name: 'd', kind: 'do', list: '/do/0/a/catch/do', position: 1, parent: '/do/0/a', variables: ['err'] });
    expect([...index.get('/do/0/a/catch/do/1/d')!.siblings]).toEqual([
      ['c', 0],
      ['d', 1],
    ]);
    expect(index.get('/do/1/g')).toMatchObject({ parent: '', variables: [], task: { wait: 'PT1S' } });
    expect(index.get('/do/0/a/try/0/b')?.variables).toEqual([]);
  });
});
