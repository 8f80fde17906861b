import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { running, type Running } from '../../interpreter/running.testing.js';
import { idempotencyKeyOf } from '../idempotency-key.js';
import type { Operation } from '../operation.js';
import { decodeEvents, encodeEvents } from '../event.codec.js';
import { forkPointOf } from '../fork-point.js';

const job = (name: string, more: object = {}): object => ({ [name]: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' }, ...more } });
const wait = (name: string): object => ({ [name]: { wait: { seconds: 5 } } });
const AWAY = { code: 'http-status', message: 'It is away.', retryable: true };

function parked(tasks: readonly object[], input: Json = {}, ...done: readonly string[]): Running {
  const run = running({ do: tasks }, input).start();
  for (const key of done) run.complete(key, key);
  return run;
}

const keys = (run: Running): readonly string[] => Object.values(run.state.jobs).map((outstanding) => idempotencyKeyOf(run.state, outstanding));

function operate(run: Running, operation: Operation): void {
  run.accept({ type: 'OperateExecution', tenant: 'default', operation, id: operation, by: 'key:k1', reason: '' });
}

describe('migrateExecution', () => {
  it('goes on in the new version where the map says, and notes who did it', () => {
    const run = parked([job('a'), job('b')], {}, '/do/0/a');
    run.migrate({ do: [job('a'), job('new'), job('b'), job('c')] }, { '/do/1/b': '/do/2/b' });
    expect(run.rows.at(-1)).toMatchObject([{ type: 'DefinitionMigrated', by: 'key:k1', from: { version: '1.0.0' }, to: { version: '2.0.0' }, pointers: { '/do/1/b': '/do/2/b' } }]);
    expect(run.state.definition.version).toBe('2.0.0');
    expect(run.jobs()).toEqual(['/do/2/b']);
    const [outstanding] = Object.values(run.state.jobs);
    run.accept({ type: 'CompleteJob', job: outstanding!.id, generation: 0, output: 'b', taint: [] });
    expect(run.jobs()).toEqual(['/do/3/c']);
  });

  it('is refused with the reasons when the execution could not go on', () => {
    const run = parked([job('a'), job('b')], {}, '/do/0/a');
    const refused = run.migrate({ do: [job('a'), job('c')] });
    expect(refused).toMatchObject({ kind: 'rejected', rejection: { code: 'cannot-resume', details: { problems: [{ reason: 'task-missing', pointer: '/do/1/b' }] } } });
    expect(run.migrate({ do: [job('a'), job('c')] }, { '/do/9/x': '/do/1/c', '/do/0/a': '/do/1/c' })).toMatchObject({
      rejection: { details: { problems: expect.arrayContaining([expect.objectContaining({ reason: 'map-invalid', pointer: '/do/9/x' })]) } },
    });
    expect(run.state.definition.version).toBe('1.0.0');
  });

  it('does nothing a second time, nor what is over or being cancelled', () => {
    const run = parked([job('a')]);
    run.migrate({ do: [job('a'), job('b')] });
    expect(run.migrate({ do: [job('a'), job('b')] })).toEqual({ kind: 'ignored', reason: 'duplicate' });
    run.complete('/do/0/a', 1);
    run.complete('/do/1/b', 1);
    expect(run.migrate({ do: [job('a')] }, {}, '3.0.0')).toMatchObject({ rejection: { code: 'operation-not-possible', message: expect.stringContaining('this one is completed') } });
  });

  it('keeps the idempotency key of a job that is under way, and of one that a retry asks for again', () => {
    const guarded = (...tasks: readonly object[]): object => ({ guard: { try: tasks, catch: { retry: { limit: { attempt: { count: 3 } } } } } });
    const run = parked([guarded(job('pay'), job('send'))]);
    const [pay] = keys(run);
    run.complete('/do/0/guard/try/0/pay', 1);
    const [send] = keys(run);
    run.migrate({ do: [guarded(job('check'), job('charge'), job('send'))] }, { '/do/0/guard/try/0/pay': '/do/0/guard/try/1/charge', '/do/0/guard/try/1/send': '/do/0/guard/try/2/send' });
    expect(keys(run)).toEqual([send]);
    const { id } = Object.values(run.state.jobs)[0]!;
    run.accept({ type: 'FailJob', job: id, generation: 0, failure: AWAY, outcome: 'none', needsPerson: false, platform: false });
    expect(run.jobs()).toEqual(['/do/0/guard/try/0/check']);
    run.complete('/do/0/guard/try/0/check', 1);
    expect(run.jobs()).toEqual(['/do/0/guard/try/1/charge']);
    expect(keys(run)).toEqual([pay]);
  });

  it('never gives a new task the key of one that has been in its place', () => {
    const guarded = (...tasks: readonly object[]): object => ({ guard: { try: tasks, catch: { retry: { limit: { attempt: { count: 3 } } } } } });
    const run = parked([guarded(job('a'), job('b'))]);
    const [old] = keys(run);
    run.complete('/do/0/guard/try/0/a', 1);
    run.migrate({ do: [guarded(job('x'), job('b'))] }, { '/do/0/guard/try/0/a': '/do/0/guard/try/0/x' });
    run.migrate({ do: [guarded(job('a'), job('b'), job('x'))] }, { '/do/0/guard/try/0/x': '/do/0/guard/try/2/x' }, '3.0.0');
    run.fail('/do/0/guard/try/1/b', AWAY);
    expect(run.jobs()).toEqual(['/do/0/guard/try/0/a']);
    expect(keys(run)).not.toEqual([old]);
  });

  it('keeps timers and listens: they are waited for under the ids that they had', () => {
    const listening = { hear: { listen: { to: { one: { with: { type: 'com.example.paid.v1' } } } } } };
    const timed = parked([wait('rest'), job('after')]);
    timed.migrate({ do: [job('before'), wait('rest'), job('after')] }, { '/do/0/rest': '/do/1/rest' });
    timed.fireTimer();
    expect(timed.jobs()).toEqual(['/do/2/after']);
    const heard = parked([listening, job('after')]);
    const [id] = Object.keys(heard.state.listens);
    heard.migrate({ do: [job('before'), listening, job('after')] }, { '/do/0/hear': '/do/1/hear' });
    expect(Object.keys(heard.state.listens)).toEqual([id]);
    heard.signal({ id: 'e1' });
    expect(heard.jobs()).toEqual(['/do/2/after']);
  });

  it('keeps branches in the order of the new version, and enters those that are new', () => {
    const fork = (...names: readonly string[]): object => ({ both: { fork: { branches: names.map((name) => job(name)) } } });
    const run = parked([fork('x', 'y')], {}, '/do/0/both/fork/branches/0/x');
    const at = (index: number, name: string): string => `/do/0/both/fork/branches/${index}/${name}`;
    run.migrate({ do: [fork('y', 'z', 'x')] }, { [at(0, 'x')]: at(2, 'x'), [at(1, 'y')]: at(0, 'y') });
    expect(run.jobs()).toEqual([at(0, 'y'), at(1, 'z')]);
    run.complete(at(1, 'z'), 'z');
    run.accept({ type: 'CompleteJob', job: run.jobId(at(1, 'y')), generation: 0, output: 'y', taint: [] });
    expect(run.state.output).toEqual(['y', 'z', at(0, 'x')]);
  });

  it('takes a suspended one over with what it holds, and a faulted one to be retried there', () => {
    const held = parked([job('a'), job('b')]);
    operate(held, 'pause');
    held.complete('/do/0/a', 'done');
    held.migrate({ do: [job('new'), job('a'), job('b')] }, { '/do/0/a': '/do/1/a' });
    expect(held.state.status).toBe('suspended');
    operate(held, 'resume');
    expect(held.jobs()).toEqual(['/do/2/b']);
    const faulted = parked([job('a'), job('b')], {}, '/do/0/a');
    faulted.fail('/do/1/b', AWAY);
    faulted.migrate({ do: [job('b', { output: { as: '"mended"' } })] }, { '/do/1/b': '/do/0/b' });
    operate(faulted, 'retry');
    const [outstanding] = Object.values(faulted.state.jobs);
    expect(outstanding).toMatchObject({ key: '/do/0/b', id: faulted.jobId('/do/1/b') });
    faulted.accept({ type: 'CompleteJob', job: outstanding!.id, generation: 0, output: 1, taint: [] });
    expect(faulted.state.output).toBe('mended');
  });

  it('counts the rounds of a task on, and each keeps its key', () => {
    const again = (target: string): object => ({ again: { switch: [{ more: { when: '. < 3', then: target } }, { over: { then: 'end' } }] } });
    const run = running({ do: [job('count'), again('count')] }, 0).start();
    run.complete('/do/0/count', 1);
    run.migrate({ do: [job('tally'), again('tally')] }, { '/do/0/count': '/do/0/tally' });
    expect(Object.values(run.state.jobs)).toMatchObject([{ key: '/do/0/tally#1.count:1', id: run.jobId('/do/0/count#1.count:1') }]);
  });

  it('is part of the history: stored, read and forked like everything else', () => {
    const run = parked([job('a'), job('b')], {}, '/do/0/a');
    run.migrate({ do: [job('a'), job('new'), job('b'), job('c')] }, { '/do/1/b': '/do/2/b' });
    run.accept({ type: 'CompleteJob', job: run.jobId('/do/1/b'), generation: 0, output: 'b', taint: [] });
    const stored = (events: Parameters<typeof encodeEvents>[0]): ReturnType<typeof decodeEvents> => decodeEvents(encodeEvents(events, run.executionId), run.executionId);
    expect(run.refold(stored)).toEqual(run.state);
    const reading = forkPointOf(
      run.rows.map((events, sequence) => ({ sequence, events })),
      'c',
    );
    expect(reading.ok && reading.point.key).toBe('/do/3/c');
  });
});
