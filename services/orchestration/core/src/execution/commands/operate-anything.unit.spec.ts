// Whatever people ask in whatever order: no execution gets stuck, and none ends twice without being asked.
import { seededRandom } from '@weft/testkit';
import { describe, expect, it } from 'vitest';
import { running, type Running } from '../../interpreter/running.testing.js';
import { effectsBetween, waitsOf } from '../effects-between.js';
import { evolveExecution } from '../execution.evolve.js';
import { initialExecution, isEnded } from '../execution.state.js';
import { forkPointOf } from '../fork-point.js';
import { OPERATIONS } from '../operation.js';
import { possibleOperations } from './operate-execution.js';

const CANCELLED = 'https://serverlessworkflow.io/spec/1.0.0/errors/cancelled';
const http = (name: string): object => ({ [name]: { call: 'http', with: { method: 'post', endpoint: 'https://example.test' } } });
const guarded = (name: string, tasks: readonly object[], handler: readonly object[]): object => ({ [name]: { try: tasks, catch: { errors: { with: { type: CANCELLED } }, do: handler } } });
const careful = (name: string, tasks: readonly object[], retry: object = { delay: { seconds: 1 }, limit: { attempt: { count: 1 } } }): object => ({
  [name]: { try: tasks, catch: { errors: { with: { status: 500 } }, retry, do: [http('instead')] } },
});

const WORKFLOW = {
  do: [
    http('first'),
    guarded(
      'all',
      [
        {
          both: {
            fork: {
              branches: [
                guarded('a', [careful('tried', [http('x')]), { ask: { call: 'review', with: { title: 'ok?', subject: {} } } }], [http('undoA')]),
                { b: { for: { in: '[1, 2]' }, do: [http('y'), { rest: { wait: { seconds: 5 } } }] } },
                { c: { fork: { compete: true, branches: [http('p'), http('q')] } } },
                { d: { listen: { to: { one: { with: { type: 'com.example.paid.v1' } } } } } },
                // Tried again at once: what is held for one try meets the next one.
                careful('e', [{ pair: { fork: { branches: [http('u'), { v: { do: [http('v1'), http('v2')] } }] } } }], { limit: { attempt: { count: 2 } } }),
              ],
            },
          },
        },
      ],
      [http('undoAll')],
    ),
    http('last'),
  ],
};
const STEPS_MAX = 60;
const FAILURE = { code: 'http-status', message: 'Expected 2xx but got 500.', retryable: false };

interface Driver {
  readonly pick: <T>(from: readonly T[]) => T;
  readonly chance: (share: number) => boolean;
}

/** Lets the outside answer something that waits; false when nothing does. */
function answer(run: Running, { pick, chance }: Driver, failing: number): boolean {
  const { jobs, timers, reviews, listens } = run.state;
  const waiting = [...Object.values(jobs).filter(({ asked }) => !asked), ...Object.values(timers), ...Object.values(reviews), ...Object.values(listens)];
  if (waiting.length === 0) return false;
  const one = pick(waiting);
  if (one.id in jobs) {
    const { generation, attempt } = jobs[one.id]!;
    if (chance(failing))
      run.accept({ type: 'FailJob', job: one.id, generation, attempt, failure: FAILURE, outcome: pick(['none', 'failed', 'unknown']), needsPerson: chance(0.2), platform: chance(0.2) });
    else run.accept({ type: 'CompleteJob', job: one.id, generation, output: { by: one.key }, taint: [] });
  } else if (one.id in timers) {
    if (run.state.status === 'suspended') return false;
    run.passUntil(timers[one.id]!.due);
    run.command({ type: 'FireTimer', timer: one.id });
    if (run.command({ type: 'FireTimer', timer: one.id }).kind === 'accepted') run.accept({ type: 'FireTimer', timer: one.id });
  } else if (one.id in reviews) {
    const outcome = reviews[one.id]!.kind === 'approval' ? 'approved' : pick(['happened', 'did-not-happen']);
    run.accept({ type: 'DecideReview', tenant: 'default', review: one.id, outcome, comment: '', form: null, decidedBy: 'user:eva' });
  } else run.signal({ id: `e${run.decisions}` });
  return true;
}

/** Asks for something; what is possible is accepted, anything else is refused or changes nothing. */
function operate(run: Running, { pick }: Driver, ordinal: number): Running {
  const operation = pick(OPERATIONS);
  const isPossible = possibleOperations(run.state).includes(operation);
  const command = { type: 'OperateExecution', tenant: 'default', operation, id: `op-${ordinal}`, by: 'user:eva', reason: '' } as const;
  if (operation !== 'fork' && operation !== 'reset') {
    const { kind } = run.command(command);
    expect(kind === 'accepted', `${operation} of one that is ${run.state.status}`).toBe(isPossible);
    if (kind === 'accepted') run.accept(command);
    expect(run.command(command).kind).toBe(isPossible ? 'ignored' : kind);
    return run;
  }
  const rows = run.rows.map((events, sequence) => ({ sequence, events }));
  const entered = rows.flatMap(({ events }) => events.flatMap((event) => (event.type === 'TaskEntered' ? [event.key] : [])));
  const reading = forkPointOf(rows, pick(entered));
  if (!reading.ok) return run;
  const execution = `00000000-0000-7000-8000-${String(ordinal + 100).padStart(12, '0')}`;
  run.accept({ ...command, fork: { ...reading.point, execution } });
  const fork = run.sibling(execution);
  const from = { execution: run.state.executionId, ...reading.point, operation: command.id, kind: operation, by: 'user:eva' };
  fork.accept({ type: 'BeginFork', executionId: execution, from, reason: '', events: rows.slice(0, reading.point.version + 1).flatMap(({ events }) => events) });
  return fork;
}

describe('operations in any order, while results come in any order', () => {
  it.each(Array.from({ length: 300 }, (_, seed) => seed + 1))('seed %d', (seed) => {
    const random = seededRandom(seed);
    const driver: Driver = { pick: (from) => from[Math.floor(random.next() * from.length)]!, chance: (share) => random.next() < share };
    let run = running(WORKFLOW, {}).start();
    for (let step = 0; step < STEPS_MAX; step++) {
      if (driver.chance(0.25)) run = operate(run, driver, step);
      else answer(run, driver, 0.3);
      const { state } = run;
      if (isEnded(state)) expect(waitsOf(state).size).toBe(0);
      if (state.status === 'suspended') expect([...waitsOf(state).values()].some(({ kind }) => kind === 'timer')).toBe(false);
      expect(new Set(Object.keys(state.jobs).map((id) => id.slice(0, 36)))).toEqual(new Set(Object.keys(state.jobs).length > 0 ? [state.executionId] : []));
    }
    const asked = run.decisions;
    // Nobody asks any more: what is suspended is resumed, what faulted is tried again, and all of it comes to an end.
    for (let step = 0; step < 400 && run.state.status !== 'completed' && run.state.status !== 'cancelled'; step++) {
      const operation = run.state.status === 'suspended' ? 'resume' : run.state.status === 'faulted' ? 'retry' : undefined;
      if (operation) run.accept({ type: 'OperateExecution', tenant: 'default', operation, id: `end-${step}`, by: 'user:eva', reason: '' });
      else expect(answer(run, driver, 0), `stuck after ${run.decisions} decisions: ${JSON.stringify(Object.keys(run.state.activations))}`).toBe(true);
    }
    expect(['completed', 'cancelled']).toContain(run.state.status);
    expect(run.refold((events) => events)).toEqual(run.state);
    expect(run.rows.flat().reduce(evolveExecution, initialExecution)).toEqual(run.state);
    const ends = run.announcements().filter(({ to }) => to === 'results').length;
    const retries = run.rows
      .flatMap((events) => (events[0]?.type === 'ExecutionStarted' ? events.slice(1 + (events[0].carried ?? 0)) : events))
      .filter(({ type }) => type === 'ExecutionRetried').length;
    const carriedFaults = ((first) => (first?.type === 'ExecutionStarted' ? run.rows[0]!.slice(1, 1 + (first.carried ?? 0)) : []))(run.rows[0]?.[0]);
    expect(carriedFaults.filter(({ type }) => type === 'ExecutionFaulted')).toHaveLength(carriedFaults.filter(({ type }) => type === 'ExecutionRetried').length);
    expect(ends).toBe(retries + 1);
    expect(effectsBetween(initialExecution, run.state).dispatch).toEqual([]);
    expect(run.decisions).toBeGreaterThanOrEqual(asked);
  });
});
