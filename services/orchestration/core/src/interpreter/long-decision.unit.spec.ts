import { describe, expect, it } from 'vitest';
import { CHARACTERS_PER_DECISION_MAX, STEPS_PER_DECISION_MAX } from './advance.js';
import { running } from './running.testing.js';

const jump = (limit: number) => [{ count: { set: { n: '${ .n + 1 }' } } }, { again: { switch: [{ more: { when: `.n < ${limit}`, then: 'count' } }, { enough: { then: 'exit' } }] } }];

const operate = (run: ReturnType<typeof running>, operation: 'pause' | 'resume') => run.accept({ type: 'OperateExecution', operation, id: operation, tenant: 'default', by: 'ada', reason: '' });

describe('a decision that grows too long', () => {
  it('leaves what is left to the next ones, which go on at once', () => {
    const run = running({ do: jump(3_000) }, { n: 0 }).start();
    expect(run.state.status).toBe('running');
    expect(Object.values(run.state.timers)).toMatchObject([{ purpose: 'yield' }]);
    expect(run.rows[0]!.length).toBeLessThan(STEPS_PER_DECISION_MAX * 2);
    expect(run.goOn()).toBeGreaterThan(4);
    expect(run.state).toMatchObject({ status: 'completed', output: { n: 3_000 } });
  });

  it('counts what it records too', () => {
    const large = 'x'.repeat(400_000);
    const run = running(
      { do: [{ turn: { set: { n: '${ .n + 1 }', s: '${ .s[1:] + "x" }' } } }, { again: { switch: [{ more: { when: '.n < 50', then: 'turn' } }, { enough: { then: 'end' } }] } }] },
      { n: 0, s: large },
    ).start();
    expect(JSON.stringify(run.rows[0]).length).toBeLessThan(2 * CHARACTERS_PER_DECISION_MAX);
    expect(run.goOn()).toBeGreaterThan(2);
    expect(run.state).toMatchObject({ status: 'completed', output: { n: 50 } });
  });

  it('enters the branches that it had not come to', () => {
    const branches = [{ long: { do: jump(1_500) } }, { short: { set: { n: 'short' } } }];
    const run = running({ do: [{ both: { fork: { branches } } }] }, { n: 0 }).start();
    run.goOn();
    expect(run.state).toMatchObject({ status: 'completed', output: [{ n: 1_500 }, { n: 'short' }] });
  });

  it('drops what is left with the branch that lost meanwhile', () => {
    const branches = [{ slow: { do: jump(1_000_000) } }, { job: { call: 'tool', with: { name: 'x' } } }];
    const run = running({ do: [{ race: { fork: { compete: true, branches } } }] }, { n: 0 }).start();
    run.fireTimer();
    run.complete('/do/0/race/fork/branches/1/job', 'won');
    run.goOn();
    expect(run.state).toMatchObject({ status: 'completed', output: 'won' });
  });

  it('waits for the resume when the execution is suspended meanwhile', () => {
    const run = running({ do: jump(3_000) }, { n: 0 }).start();
    operate(run, 'pause');
    expect(run.state.held).toHaveLength(1);
    operate(run, 'resume');
    run.goOn();
    expect(run.state).toMatchObject({ status: 'completed', output: { n: 3_000 } });
  });

  it('ends a jump back for ever at the cap of tasks', () => {
    const run = running({ do: [{ turn: { set: { n: 1 }, then: 'turn' } }] }, {}).start();
    run.goOn();
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'too-many-tasks' } });
  });
});
