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

  it.each([600, 700, 1_500])('enters all of them, also where those before have ended by then: after %i rounds', (rounds) => {
    const short = { set: { n: 'short' } };
    const branches = [{ long: { do: jump(rounds) } }, { a: short }, { skipped: { if: '${ false }', ...short } }, { b: short }, { last: { do: jump(rounds) } }, { c: short }];
    const run = running({ do: [{ all: { fork: { branches } } }] }, { n: 0 }).start();
    run.goOn();
    const [long, one] = [{ n: rounds }, { n: 'short' }];
    expect(run.state).toMatchObject({ status: 'completed', output: [long, one, { n: 0 }, one, long, one] });
    const entered = run.rows.flat().flatMap((event) => (event.type === 'TaskEntered' ? [event.key] : []));
    expect(new Set(entered).size).toBe(entered.length);
  });

  it.each(Array.from({ length: 32 }, (_, more) => more))('enters no branch of a fork again whose branches have all ended: %i steps later', (more) => {
    const some = (prefix: string, count: number, common: object = {}) => Array.from({ length: count }, (_, n) => ({ [`${prefix}${n}`]: { set: { n }, ...common } }));
    // Of five steps each.
    const rounds = { rounds: { for: { in: `[range(${Math.floor(STEPS_PER_DECISION_MAX / 5) - 6})]` }, do: some('s', 1) } };
    // What is skipped takes one step.
    const before = some('before', more, { if: '${ false }' });
    const run = running({ do: [rounds, ...before, { both: { fork: { branches: some('b', 2) } } }, ...some('after', 16)] }, {}).start();
    run.goOn();
    const entered = run.rows.flat().flatMap((event) => (event.type === 'TaskEntered' ? [event.key] : []));
    expect([run.state.status, new Set(entered).size]).toEqual(['completed', entered.length]);
  });

  it.each([
    [0, 'one'],
    [1, 'other'],
  ])('goes on with all of its branches in a fork from a task of the next one: branch %i', (index, name) => {
    const branch = (rounds: number) => ({ do: [{ rounds: { do: jump(rounds) } }, { after: { wait: 'PT1S' } }] });
    const run = running({ do: [{ both: { fork: { branches: [{ one: branch(1_200) }, { other: branch(1_800) }] } } }] }, { n: 0 }).start();
    const isLong = () => Object.values(run.state.timers).some(({ purpose }) => purpose === 'yield');
    while (isLong()) run.fireTimer('yield');
    const key = `/do/0/both/fork/branches/${index}/${name}/do/1/after`;
    const version = run.rows.findIndex((events) => events.some((event) => event.type === 'TaskEntered' && event.key === key));
    expect(run.rows[version]?.[0]).toMatchObject({ type: 'TimerFired' });
    const fork = run.sibling('00000000-0000-7000-8000-000000000002');
    const from = { execution: run.executionId, version, key, operation: 'f', kind: 'fork', by: 'me' } as const;
    fork.accept({ type: 'BeginFork', executionId: fork.executionId, from, reason: '', events: run.rows.slice(0, version + 1).flat() });
    while (Object.keys(fork.state.timers).length > 0) fork.fireTimer();
    expect(fork.state).toMatchObject({ status: 'completed', output: [{ n: 1_200 }, { n: 1_800 }] });
  });

  it('leaves nothing of an attempt whose time is over before it goes on', () => {
    const retry = { limit: { attempt: { count: 1, duration: { milliseconds: 1 } } } };
    const run = running({ do: [{ guard: { try: jump(3_000), catch: { retry, do: [{ saved: { set: { saved: true } } }] } } }] }, { n: 0 }).start();
    run.passUntil(1_000_001);
    run.fireTimer('attempt');
    expect(run.state.activations['/do/0/guard']).toMatchObject({ attempt: 2 });
    run.passUntil(1_000_002);
    run.fireTimer('attempt');
    expect(run.state).toMatchObject({ status: 'completed', output: { saved: true }, timers: {} });
  });

  it('counts what it exports too', () => {
    const turn = { turn: { do: [{ same: { set: '${ . }' } }], export: { as: '.' } } };
    const run = running({ do: [{ rounds: { for: { in: '[range(60)]' }, do: [turn] } }] }, { s: 'x'.repeat(400_000) }).start();
    expect(JSON.stringify(run.rows[0]).length).toBeLessThan(3 * CHARACTERS_PER_DECISION_MAX);
    run.goOn();
    expect(run.state.status).toBe('completed');
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
