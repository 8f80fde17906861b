import { Defect } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { Advance } from '../interpreter/advance.js';
import { decidedBy, running, type Running } from '../interpreter/running.testing.js';
import { compileProgram } from '../program/compile.js';
import { ENGINE_FLAGS, releaseWith, requireKnown, THIS_RELEASE, type EngineFlag } from './engine-flags.js';

const FLAG: EngineFlag = { number: 900, name: 'of-a-spec', changes: 'nothing', since: '0.0.0' };
const NEWER = releaseWith([FLAG]);
const call = { a: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } };
const started = (release = THIS_RELEASE): Running => decidedBy(release, () => running({ do: [call] }, {}).start());
const has = ({ state }: Running): boolean =>
  new Advance(state, compileProgram({ document: { dsl: '1.0.3', namespace: 'test', name: 'flow', version: '1.0.0' }, do: [call] }), { now: 0, idOf: String }).has(FLAG);

describe('engine flags', () => {
  it('are numbered from 1 without gaps, each with a name, what it changes and its release', () => {
    expect(ENGINE_FLAGS.map(({ number }) => number)).toEqual(ENGINE_FLAGS.map((_flag, index) => index + 1));
    expect(new Set(ENGINE_FLAGS.map(({ name }) => name)).size).toBe(ENGINE_FLAGS.length);
    for (const { changes, since } of ENGINE_FLAGS) expect([changes.length > 20, /^\d+\.\d+\.\d+$/.test(since)]).toEqual([true, true]);
  });

  it('are recorded by the release that starts an execution, and are its own for ever', () => {
    const run = started(NEWER);
    expect(run.rows[0]![0]).toMatchObject({ type: 'ExecutionStarted', flags: [900] });
    expect(has(run)).toBe(true);
    run.complete('/do/0/a', 1);
    expect(run.state).toMatchObject({ status: 'completed', flags: [900] });
  });

  it('are none of an execution that an older release started', () => {
    const older = started(releaseWith([]));
    expect(older.state).not.toHaveProperty('flags');
    expect(has(older)).toBe(false);
  });

  it('stop the execution, rather than have it go on otherwise, on a release that does not know them', () => {
    expect(() => requireKnown([900], THIS_RELEASE)).toThrow(Defect);
    expect(() => requireKnown([900], NEWER)).not.toThrow();
    const run = started({ ...THIS_RELEASE, starts: [900] });
    expect(() => run.complete('/do/0/a', 1)).toThrow('started by a newer release, with engine flags 900');
  });

  it('of a fork are those of the execution that it comes from', () => {
    const run = started(NEWER);
    const from = { execution: run.state.executionId, version: 0, key: '/do/0/a', operation: 'o', kind: 'fork', by: 'b' } as const;
    const fork = decidedBy({ ...NEWER, starts: [] }, () => run.sibling('00000000-0000-7000-8000-000000000002'));
    fork.accept({ type: 'BeginFork', executionId: fork.executionId, from, reason: '', events: run.rows.flat() });
    expect(fork.state.flags).toEqual([900]);
    const older = decidedBy(THIS_RELEASE, () => run.sibling('00000000-0000-7000-8000-000000000003'));
    expect(() => older.command({ type: 'BeginFork', executionId: older.executionId, from, reason: '', events: run.rows.flat() })).toThrow('newer release');
  });
});
