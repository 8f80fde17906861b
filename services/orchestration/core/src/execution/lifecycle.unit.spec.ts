import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { running, type Running } from '../interpreter/running.testing.js';

const AT = 1_000_000;
const http = { work: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } };
const byOrder = (type: string): object => ({ with: { type }, correlate: { order: { from: '.data.order' } } });
const told = (run: Running): readonly (readonly [string, unknown])[] =>
  run.announcements().flatMap((announcement) => (announcement.to === 'lifecycle' ? [[announcement.type.replace('io.serverlessworkflow.workflow.', ''), announcement.standard] as const] : []));
const operate = (run: Running, operation: 'pause' | 'resume' | 'cancel'): unknown => run.accept({ type: 'OperateExecution', tenant: 'default', operation, id: operation, by: 'user:eva', reason: '' });

describe('the lifecycle of a workflow', () => {
  it('is told as the standard has it: started and completed', () => {
    const run = running({ do: [{ a: { set: { n: 1 } } }] }, {}).start();
    expect(told(run)).toEqual([
      ['started.v1', { when: 'startedAt', at: AT, fields: { definition: { namespace: 'test', name: 'flow', version: '1.0.0' } } }],
      ['completed.v1', { when: 'completedAt', at: AT, output: { n: 1 } }],
    ]);
  });

  it('is told as the standard has it: suspended, resumed, cancelled', () => {
    const run = running({ do: [http] }, {}).start();
    for (const operation of ['pause', 'resume', 'cancel'] as const) operate(run, operation);
    expect(told(run).slice(1)).toEqual([
      ['suspended.v1', { when: 'suspendedAt', at: AT }],
      ['resumed.v1', { when: 'resumedAt', at: AT }],
      ['cancelled.v1', { when: 'cancelledAt', at: AT }],
    ]);
  });

  it('is told with the error of a fault', () => {
    const run = running({ do: [http] }, {}).start();
    run.fail('/do/0/work', { code: 'unreachable', message: 'gone', retryable: false });
    expect(told(run).at(-1)).toEqual(['faulted.v1', { when: 'faultedAt', at: AT, fields: { error: run.state.error } }]);
  });
});

describe('a correlation', () => {
  const keys = (order: Json): unknown => ({ when: 'completedAt', fields: { correlationKeys: { order } } });
  const tellings = (run: Running): readonly unknown[] => told(run).filter(([type]) => type.startsWith('correlation'));

  it('starts when its listen is reached and completes with the values that were bound', () => {
    const one = running({ do: [{ hear: { listen: { to: { one: byOrder('paid') } } } }] }, {}).start();
    const all = running({ do: [{ hear: { listen: { to: { all: [byOrder('paid'), byOrder('sent')] } } } }] }, {}).start();
    for (const [run, type] of [
      [one, 'paid'],
      [all, 'paid'],
      [all, 'sent'],
    ] as const)
      run.signal({ id: type, type, data: { order: 7 } });
    for (const run of [one, all])
      expect(tellings(run)).toEqual([
        ['correlation-started.v1', { when: 'startedAt', at: AT }],
        ['correlation-completed.v1', keys(7)],
      ]);
  });

  it('starts and completes at once where its event came before, under two ids', () => {
    const run = running({ do: [http, { hear: { listen: { to: { one: byOrder('paid') } } } }] }, {}).start();
    run.signal({ id: 'e', type: 'paid', data: { order: 7 } });
    run.complete('/do/0/work', {});
    expect(tellings(run)).toEqual([
      ['correlation-started.v1', { when: 'startedAt' }],
      ['correlation-completed.v1', keys(7)],
    ]);
    const ids = run.announcements().map(({ id, to }) => `${to} ${id}`);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is not told of where a listen correlates nothing', () => {
    const run = running({ do: [{ hear: { listen: { to: { one: { with: { type: 'x' } } } } } }] }, {}).start();
    run.signal({ id: 'e', type: 'x' });
    expect(tellings(run)).toEqual([]);
  });
});
