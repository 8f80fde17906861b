import type { Pool } from '@weft/adapter-postgres';
import type { Delivery, Envelope } from '@weft/contracts';
import { encodeEvents, type ExecutionEvent } from '@weft/orchestration/core';
import { Fault, type Bus, type Outgoing } from '@weft/pipeline';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Children } from '../handle/children.js';
import type { ExecutionEngine } from '../handle/execution-engine.js';
import { CommandConsumer } from '../consume/command.consumer.js';
import type { ExecutionStore } from '../persist/execution-store.js';
import { ForkHistory } from '../persist/fork-history.js';
import { PublishedCommits } from '../persist/published-commits.js';
import type { Dispatch, JobDispatcher } from './job-dispatcher.js';
import { ONLY_REPLICA } from '../replicas/replica-presence.js';
import { ProgressWatch } from './progress-watch.js';
import { Recovery } from './recovery.js';

const ID = (n: number): string => `00000000-0000-7000-8000-00000000000${n}`;
const FIRST = '00000000-0000-0000-0000-000000000000';
const DEFINITION = { namespace: 'n', name: 'w', version: '1.0.0', digest: 'd' };
const CONTEXT = { tenant: 'default', actor: 'a', purpose: 'p', traceparent: '', tracestate: '', deadlineMs: 0 };
const clock = { now: () => 5_000 };

const started = (execution: string): ExecutionEvent => ({
  type: 'ExecutionStarted',
  executionId: execution,
  at: 1_000,
  definition: DEFINITION,
  request: { source: 's', id: `r-${execution}`, type: 't' },
  context: CONTEXT,
  taint: ['request:s'],
  models: [],
  input: {},
});

/** Answers statements by name; what is not listed has no rows. */
function poolOf(answers: Readonly<Record<string, (values: unknown[]) => object[]>>): { readonly pool: Pool; readonly asked: { name: string; values: unknown[] }[] } {
  const asked: { name: string; values: unknown[] }[] = [];
  const query = async ({ name, values }: { name: string; values: unknown[] }): Promise<object> => {
    asked.push({ name, values });
    return { rows: answers[name]?.(values) ?? [] };
  };
  return { pool: { query } as unknown as Pool, asked };
}

function busOf(refuses: (message: Outgoing) => Fault | undefined = () => undefined): { readonly bus: Bus; readonly sent: Envelope[] } {
  const sent: Envelope[] = [];
  const publish = async (messages: readonly Outgoing[]): Promise<void> => {
    for (const message of messages) {
      const fault = refuses(message);
      if (fault) throw fault;
    }
    sent.push(...messages.map(({ envelope }) => envelope));
  };
  return { bus: { publish } as unknown as Bus, sent };
}

interface Made {
  readonly recovery: Recovery;
  readonly faults: string[];
  readonly published: PublishedCommits;
}

function make(
  pool: Pool,
  bus: Bus,
  { load = async () => new Map(), dispatch = async () => undefined }: { load?: ExecutionStore['load']; dispatch?: (batch: readonly Dispatch[]) => Promise<void> } = {},
): Made {
  const faults: string[] = [];
  const published = new PublishedCommits();
  const recovery = new Recovery(
    pool,
    { load } as unknown as ExecutionStore,
    { dispatch } as unknown as JobDispatcher,
    new ProgressWatch(),
    published,
    bus,
    clock,
    ONLY_REPLICA,
    { busIsVolatile: true, sweepMs: 1_000, silentMs: 1_000, takeOverSilentMs: 500 },
    (_fault, what) => faults.push(what),
  );
  return { recovery, faults, published };
}

afterEach(() => void vi.useRealTimers());

describe('recovery', () => {
  it('goes on looking when the first look failed, as thoroughly as the first time', async () => {
    vi.useFakeTimers();
    let isAway = true;
    const looks: unknown[] = [];
    const { pool } = poolOf({
      'orchestration-silent-6': (values) => {
        if (isAway) throw new Error('the store is away');
        looks.push(values);
        return [];
      },
    });
    const { recovery, faults } = make(pool, busOf().bus);
    recovery.start();
    await vi.advanceTimersByTimeAsync(500);
    expect(faults).toEqual(['sweeping']);
    isAway = false;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(looks).toEqual([
      [0, FIRST, true, 0, 4096, ['infer', 'embed']],
      [1_000, FIRST, false, 0, 4096, ['infer', 'embed']],
    ]);
    await recovery.stop();
  });

  it('dispatches what it can read when one history of the page cannot be read', async () => {
    const job: ExecutionEvent = { type: 'JobScheduled', key: '/do/0/a', job: `${ID(2)}/do/0/a`, kind: 'tool', generation: 0, attempt: 1, at: 1_000, input: {} };
    const dispatched: string[] = [];
    const { recovery, faults } = make(poolOf({}).pool, busOf().bus, {
      load: async () =>
        new Map([
          [ID(1), { version: 0, events: [], unreadable: new Error('an event of tomorrow') }],
          [ID(2), { version: 0, events: [started(ID(2)), job] }],
        ]),
      dispatch: async (batch) => void dispatched.push(...batch.map(({ state }) => state.executionId)),
    });
    await recovery.redispatch([ID(1), ID(2)]);
    expect(dispatched).toEqual([ID(2)]);
    expect(faults).toEqual([`reading the history of execution ${ID(1)}`]);
  });
});

/** Two commits, each with one execution that started and ended. */
function leftBehind(): { readonly pool: Pool; readonly asked: { name: string; values: unknown[] }[] } {
  const rows = [1, 2].flatMap((n) => [
    {
      execution_id: ID(n),
      sequence: 0,
      at: 1_000,
      ...encodeEvents([started(ID(n)), { type: 'JobScheduled', key: '', job: 'j', kind: 'tool', generation: 0, attempt: 1, at: 1_000, input: {} }], ID(n)),
    },
    {
      execution_id: ID(n),
      sequence: 1,
      at: 2_000,
      ...encodeEvents(
        [
          { type: 'JobCompleted', key: '', job: 'j', generation: 0, taint: ['model:m'], output: 1 },
          { type: 'ExecutionCompleted', at: 2_000, output: 1 },
        ],
        ID(n),
      ),
    },
  ]);
  return poolOf({
    'orchestration-unpublished-3': ([, after]) => [1, 2].filter((n) => ID(n) > String(after)).map((n) => ({ id: ID(n), members: JSON.stringify([[ID(n), 1]]), at: '2026-01-01' })),
    'orchestration-rows-2': ([executions]) => rows.filter((row) => (executions as string[]).includes(row.execution_id)),
  });
}

describe('publishing what was left', () => {
  it('tells the same as the first time: ids, time, and the taint that had grown by then', async () => {
    const { bus, sent } = busOf();
    const { pool, asked } = leftBehind();
    await make(pool, bus).recovery.publishUnpublished();
    expect(sent.filter(({ type }) => type.startsWith('ai.weft.result')).map(({ id, time, context }) => [id, time, context.taint])).toEqual(
      [1, 2].map((n) => [`${ID(n)}/1/1`, 2_000, ['request:s', 'model:m']]),
    );
    expect(asked.filter(({ name }) => name === 'orchestration-mark-1').map(({ values }) => values)).toEqual([[[ID(1), ID(2)]]]);
  });

  it('is not held up by a commit that the bus refuses', async () => {
    const { bus, sent } = busOf((message) => (message.envelope.key === ID(1) ? new Fault('too large', false) : undefined));
    const { pool, asked } = leftBehind();
    const { recovery, faults } = make(pool, bus);
    await recovery.publishUnpublished();
    expect([...new Set(sent.map(({ key }) => key))]).toEqual([ID(2)]);
    expect(asked.filter(({ name }) => name === 'orchestration-mark-1').map(({ values }) => values)).toEqual([[[ID(2)]]]);
    expect(faults).toEqual([`publishing what commit ${ID(1)} announces`]);
  });

  it('leaves a bus that is away alone until the next look', async () => {
    const { pool } = leftBehind();
    await expect(make(pool, busOf(() => new Fault('no broker', true)).bus).recovery.publishUnpublished()).rejects.toThrow('no broker');
  });

  it('does not tell again what this process is telling', async () => {
    const { bus, sent } = busOf();
    const { recovery, published } = make(leftBehind().pool, bus);
    void published.track(ID(1), new Promise(() => undefined));
    await published.track(ID(2), Promise.resolve({ messages: 1 }));
    await recovery.publishUnpublished();
    expect(sent).toEqual([]);
  });
});

const NO_CHILDREN = { resolved: async (starts: readonly object[]) => starts, endAgain: async () => undefined } as unknown as Children;

describe('a start that is delivered again', () => {
  it('is answered by the announcement of the beginning, so that nobody asks for ever', async () => {
    const { bus, sent } = busOf();
    const engine = { submit: async (items: readonly object[]) => items.map(() => ({ kind: 'ignored', reason: 'duplicate' })) } as unknown as ExecutionEngine;
    const body = {
      id: 'c',
      executionId: ID(1),
      context: { ...CONTEXT, executionId: '', jobId: '', attempt: 0, taint: [] },
      start: { requestSource: 's', requestId: 'r1', requestType: 't', definition: DEFINITION, inputJson: '{}', models: [] },
    };
    const delivery = { ok: true, envelope: { id: 'c', source: '/weft/routing', type: 'x', time: 1, key: ID(1), context: body.context, body } } as unknown as Delivery;
    await new CommandConsumer(engine, bus, clock, new ForkHistory(leftBehind().pool), NO_CHILDREN).handle([delivery]);
    expect(sent).toMatchObject([{ id: `${ID(1)}/0/0`, type: 'io.serverlessworkflow.workflow.started.v1', body: { executionId: ID(1) } }]);
  });
});
