import { describe, expect, it } from 'vitest';
import { running, type Running } from '../interpreter/running.testing.js';
import { evolveExecution } from './execution.evolve.js';
import { initialExecution } from './execution.state.js';
import { taskAnnouncements } from './task-lifecycle.js';

const http = (name: string): object => ({ [name]: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } });
const GONE = { code: 'unreachable', message: 'gone', retryable: false };

/** What is told of tasks, row by row. */
function told(run: Running): readonly (readonly string[])[] {
  let state = initialExecution;
  return run.rows.map((events, sequence) => {
    const before = state;
    state = events.reduce(evolveExecution, state);
    return taskAnnouncements('e', sequence, events, before, state).map((each) => ('task' in each ? `${each.type.split('.')[3]} ${each.task?.split('/').at(-1)}` : each.to));
  });
}

describe('the lifecycle of tasks', () => {
  it('is created, started and completed, with the output that the row has', () => {
    const run = running({ do: [http('a'), { b: { set: { n: 1 } } }] }, {}).start();
    run.complete('/do/0/a', { got: 1 });
    expect(told(run)).toEqual([
      ['created a', 'started a'],
      ['completed a', 'created b', 'started b', 'completed b'],
    ]);
    const outputs = taskAnnouncements('e', 1, run.rows[1]!, { activations: {} }, run.state).flatMap((each) => (each.to === 'lifecycle' ? [each.standard?.output] : []));
    expect(outputs.filter((output) => output !== undefined)).toEqual([{ got: 1 }, { n: 1 }]);
  });

  it('is faulted and retried', () => {
    const run = running({ do: [{ guard: { try: [http('a')], catch: { errors: {}, retry: { limit: { attempt: { count: 1 } } } } } }] }, {}).start();
    run.fail('/do/0/guard/try/0/a', GONE);
    expect(told(run)[1]).toEqual(['faulted a', 'retried guard', 'created a', 'started a']);
  });

  it('is faulted for what is around the task that ends the execution, and cancelled for what is beside it', () => {
    const run = running({ do: [{ both: { fork: { branches: [{ one: { do: [http('a')] } }, http('b')] } } }] }, {}).start();
    run.fail('/do/0/both/fork/branches/0/one/do/0/a', GONE);
    expect(told(run)[1]!.toSorted()).toEqual(['cancelled b', 'faulted a', 'faulted both', 'faulted one']);
  });

  it('is cancelled for the losers of a race', () => {
    const run = running({ do: [{ race: { fork: { compete: true, branches: [http('a'), http('b')] } } }] }, {}).start();
    run.complete('/do/0/race/fork/branches/0/a', 1);
    expect(told(run)[1]).toEqual(['completed a', 'completed race', 'cancelled b']);
  });

  it('is suspended and resumed with its execution', () => {
    const run = running({ do: [http('a')] }, {}).start();
    for (const operation of ['pause', 'resume'] as const) run.accept({ type: 'OperateExecution', tenant: 'default', operation, id: operation, by: 'user:eva', reason: '' });
    expect(told(run).slice(1)).toEqual([['suspended a'], ['resumed a']]);
  });
});
