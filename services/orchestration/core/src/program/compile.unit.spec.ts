import { indexTasks, type Workflow } from '@weft/workflow';
import { describe, expect, it } from 'vitest';
import { running } from '../interpreter/running.testing.js';
import { timelineOf } from '../timeline/timeline.js';
import { compileProgram } from './compile.js';

const call = { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } };
const document = { dsl: '1.0.3', namespace: 'test', name: 'flow', version: '1.0.0' };
const definition = { document, do: [{ 'a/b': { do: [{ '~c': call }] } }, { plain: { try: [{ '/': call }], catch: { do: [{ '~1': { set: {} } }] } } }] };

describe('compileProgram', () => {
  it('names tasks by the pointers that publish checked them under, whatever is in their names', () => {
    const { tasks } = compileProgram(definition);
    expect([...tasks.keys()].toSorted()).toEqual(['/do/0/a~1b', '/do/0/a~1b/do/0/~0c', '/do/1/plain', '/do/1/plain/catch/do/0/~01', '/do/1/plain/try/0/~1']);
    expect([...tasks.keys()].toSorted()).toEqual([...indexTasks(definition as unknown as Workflow).keys()].toSorted());
  });

  it('runs such tasks, and the timeline calls them by their own names', () => {
    const run = running({ do: definition.do }, {}).start();
    expect(run.jobs()).toEqual(['/do/0/a~1b/do/0/~0c']);
    run.complete('/do/0/a~1b/do/0/~0c', 1);
    run.fail('/do/1/plain/try/0/~1', { code: 'timeout', message: 'late', retryable: true });
    expect(run.state.status).toBe('completed');
    const lines = timelineOf(run.rows.map((events, sequence) => ({ sequence, at: 0, events })));
    expect(new Set(lines.map(({ task }) => task))).toEqual(new Set(['', 'a/b', '~c', 'plain', '/', '~1']));
  });
});
