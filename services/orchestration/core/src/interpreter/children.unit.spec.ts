import { describe, expect, it } from 'vitest';
import { Family, TOP } from '../child/family.testing.js';
import { DEPTH_MAX } from '../child/child.state.js';
import { effectsBetween, waitsOf } from '../execution/effects-between.js';
import { decodeEvents, encodeEvents } from '../execution/event.codec.js';
import { foldExecution } from '../execution/execution.evolve.js';
import { initialExecution } from '../execution/execution.state.js';
import { timelineOf } from '../timeline/timeline.js';

const http = (name: string, more: object = {}): object => ({ [name]: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' }, ...more } });
const run = (name = 'low', more: object = {}, task: object = {}): object => ({ called: { run: { workflow: { namespace: 'spec', name, version: '1.0.0', ...more } }, ...task } });
const KEY = '/do/0/called';

describe('run workflow', () => {
  it('gives the output of the execution that it starts', () => {
    const family = new Family({ top: [run('low', { input: { n: '${ .n }' } }), { after: { set: { got: '${ . }' } } }], low: [http('work')] }).start({ n: 7 });
    expect(waitsOf(family.state())).toEqual(new Map([[`${KEY}@children`, { id: `${KEY}@children`, kind: 'child', due: expect.any(Number) as unknown, subject: 'spec/low' }]]));
    family.deliver();
    const [child] = family.children();
    expect(family.state(child)).toMatchObject({ status: 'running', input: { n: 7 }, parent: { execution: TOP, key: KEY, depth: 1, root: TOP, isAwaited: true } });
    family.complete(child!, '/do/0/work', { found: true });
    const before = family.state();
    family.deliver();
    expect(family.state()).toMatchObject({ status: 'completed', output: { got: { found: true } } });
    expect(effectsBetween(before, family.state()).unpark).toEqual([`${KEY}@children`]);
  });

  it('starts it once and takes its end once, however often either is told', () => {
    const family = new Family({ top: [run(), http('after')], low: [{ done: { set: { a: 1 } } }] }).start().deliver(3);
    expect(family.children()).toHaveLength(1);
    expect(family.state().jobs).toHaveProperty([`${TOP}/do/1/after`]);
    expect(family.members.get(TOP)!.rows).toHaveLength(2);
  });

  it('tells its end to whoever started it, and to nobody as a result of a request', () => {
    const family = new Family({ top: [run()], low: [{ done: { set: { a: 1 } } }] }).start().deliver();
    expect(family.told.filter(({ to }) => to === 'results')).toHaveLength(1);
    expect(family.told.filter(({ to }) => to === 'parent')).toHaveLength(1);
  });

  it('stores the output once, and folds to the same through what is stored', () => {
    const family = new Family({ top: [run(), http('after')], low: [{ done: { set: { a: 'marked' } } }] }).start().deliver();
    const { rows, state } = family.members.get(TOP)!;
    expect(JSON.stringify(rows).match(/marked/g)).toHaveLength(1);
    expect(rows.map((events) => decodeEvents(encodeEvents(events, TOP), TOP)).reduce(foldExecution, initialExecution)).toEqual(state);
  });

  it('is written in the timeline, with the execution that it started', () => {
    const family = new Family({ top: [run()], low: [{ done: { set: {} } }] }).start().deliver();
    const [child] = family.children();
    const lines = timelineOf(family.members.get(TOP)!.rows.map((events, sequence) => ({ sequence, at: 0, events }))).map(({ text }) => text);
    expect(lines).toContain(`started spec/low:1.0.0 as execution ${child}`);
    expect(lines).toContain(`execution ${child} completed`);
  });

  it('that is not to be awaited goes on at once with its input, and its execution lives on', () => {
    const task = { called: { run: { await: false, workflow: { namespace: 'spec', name: 'low', version: '1.0.0' } } } };
    const family = new Family({ top: [task], low: [http('work')] }).start({ n: 1 });
    expect(family.state()).toMatchObject({ status: 'completed', output: { n: 1 } });
    family.deliver();
    const [child] = family.children();
    family.complete(child!, '/do/0/work', {});
    expect(family.state(child).status).toBe('completed');
    expect(family.told.filter(({ to }) => to === 'parent' || to === 'stop')).toEqual([]);
  });

  it('that returns nothing has no output', () => {
    const task = { called: { run: { return: 'none', workflow: { namespace: 'spec', name: 'low', version: '1.0.0' } } } };
    expect(new Family({ top: [task], low: [{ done: { set: { a: 1 } } }] }).start().deliver().state()).toMatchObject({ status: 'completed', output: null });
  });

  it('raises the error of its execution at its own task, with that as the cause', () => {
    const raise = { no: { raise: { error: { type: 'https://example.test/errors/no', status: 409, title: 'No', detail: 'not today' } } } };
    const family = new Family({ top: [run()], low: [raise] }).start().deliver();
    const type = 'https://example.test/errors/no';
    expect(family.state().error).toEqual({
      type,
      status: 409,
      title: 'No',
      detail: 'not today',
      instance: KEY,
      causes: [{ type, status: 409, title: 'No', detail: 'not today', instance: '/do/0/no' }],
    });
  });

  it('of what is not deployed is a configuration error', () => {
    const family = new Family({ top: [run('nowhere')] }).start().deliver();
    expect(family.state().error).toMatchObject({ title: 'unknown-workflow', instance: KEY, detail: expect.stringContaining('spec/nowhere:1.0.0 is not deployed') as unknown });
  });

  it('needs names that are texts', () => {
    const family = new Family({ top: [run('low', { namespace: '${ 7 }' })], low: [] }).start();
    expect(family.state().error).toMatchObject({ title: 'input-invalid', instance: KEY });
  });

  it(`goes ${DEPTH_MAX} deep and no deeper`, () => {
    const family = new Family({ top: [run('top')] }).start().deliver();
    expect(family.children()).toHaveLength(DEPTH_MAX);
    expect(family.state().error).toMatchObject({ title: 'too-deep', type: expect.stringContaining('runtime') as unknown });
  });

  it('is tainted with what its execution was', () => {
    const family = new Family({ top: [run(), http('after')], low: [http('work')] }).start().deliver();
    const [child] = family.children();
    family.give(child!, { type: 'CompleteJob', job: `${child}/do/0/work`, generation: 0, output: 1, taint: ['web'] });
    family.deliver();
    expect(family.state().taint).toEqual(['web']);
  });
});

describe('a run workflow that is retried', () => {
  const retried = (tasks: readonly object[]): object => ({ careful: { try: tasks, catch: { errors: {}, retry: { limit: { attempt: { count: 2 } } } } } });

  it('starts another execution when the first has failed', () => {
    const family = new Family({ top: [retried([run()])], low: [http('work')] }).start().deliver();
    family.fail(family.children()[0]!, '/do/0/work');
    family.deliver();
    const [first, second, ...others] = family.children();
    expect([family.state(first).status, others]).toEqual(['faulted', []]);
    family.complete(second!, '/do/0/work', 'second');
    family.deliver();
    expect(family.state().output).toBe('second');
  });

  it('does not run a second time what has completed', () => {
    const family = new Family({ top: [retried([run(), http('next')])], low: [http('work')] }).start().deliver();
    family.complete(family.children()[0]!, '/do/0/work', 1);
    family.deliver();
    family.fail(TOP, '/do/0/careful/try/1/next');
    expect(family.underWay.map(({ told }) => told.to === 'child' && told.begins.execution)).toEqual([family.children()[0]]);
  });
});

describe('an execution that nobody waits for any more', () => {
  const stopped = (family: Family): readonly string[] => family.children().filter((id) => family.state(id).status === 'cancelled');
  const inFork = (compete: boolean): readonly object[] => [{ both: { fork: { compete, branches: [run(), http('other')] } } }];

  it.each(['cancel', 'terminate'] as const)('is cancelled when its parent is stopped by a %s', (operation) => {
    const family = new Family({ top: [run()], low: [run('lowest')], lowest: [http('work')] }).start().deliver();
    family.operate(TOP, operation);
    family.deliver();
    expect(stopped(family)).toEqual(family.children());
    expect(stopped(family)).toHaveLength(2);
  });

  it('is cancelled when it loses a race', () => {
    const family = new Family({ top: inFork(true), low: [http('work')] }).start().deliver();
    family.complete(TOP, '/do/0/both/fork/branches/1/other', 'won');
    family.deliver();
    expect(family.state()).toMatchObject({ status: 'completed', output: 'won' });
    expect(stopped(family)).toHaveLength(1);
  });

  it('is cancelled when a branch beside it fails, and a retry of its parent starts another', () => {
    const family = new Family({ top: inFork(false), low: [http('work')] }).start().deliver();
    family.fail(TOP, '/do/0/both/fork/branches/1/other');
    family.deliver();
    expect(stopped(family)).toHaveLength(1);
    family.operate(TOP, 'retry');
    family.deliver();
    const again = family.children().find((id) => family.state(id).status === 'running')!;
    family.complete(again, '/do/0/work', 'again');
    family.deliver();
    family.complete(TOP, '/do/0/both/fork/branches/1/other', 'other');
    expect(family.state().output).toEqual(['again', 'other']);
  });

  it('never begins when it is stopped before its start arrives', () => {
    const family = new Family({ top: [run()], low: [http('work')] }).start();
    family.operate(TOP, 'terminate');
    family.deliverOnly('stop');
    family.deliver();
    const [child] = family.children();
    expect(family.state(child)).toMatchObject({ status: 'cancelled', jobs: {} });
  });

  it('runs its own handlers of a cancel', () => {
    const handled = { guarded: { try: [http('work')], catch: { errors: { with: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/cancelled' } }, do: [http('undo')] } } };
    const family = new Family({ top: [run()], low: [handled] }).start().deliver();
    family.operate(TOP, 'terminate');
    family.deliver();
    const [child] = family.children();
    expect(Object.keys(family.state(child).jobs)).toEqual([`${child}/do/0/guarded/catch/do/0/undo`]);
  });
});

describe('the end of an execution whose parent is suspended', () => {
  it('is held until the parent is resumed', () => {
    const family = new Family({ top: [run(), http('after')], low: [http('work')] }).start().deliver();
    family.operate(TOP, 'pause');
    family.complete(family.children()[0]!, '/do/0/work', 5);
    family.deliver();
    expect(family.state()).toMatchObject({ status: 'suspended', jobs: {}, children: {} });
    family.operate(TOP, 'resume');
    expect(Object.keys(family.state().jobs)).toEqual([`${TOP}/do/1/after`]);
  });
});

describe('a fork of an execution that waits for another', () => {
  const FORK = '00000000-0000-7000-8000-00000000000f';
  it('starts one of its own, and answers to nobody', () => {
    const family = new Family({ top: [{ both: { fork: { branches: [run(), { two: { do: [http('a'), http('b')] } }] } } }], low: [http('work')] }).start().deliver();
    const inner = '/do/0/both/fork/branches/1/two/do';
    family.complete(TOP, `${inner}/0/a`, 1);
    const events = family.members.get(TOP)!.rows.flat();
    family.give(FORK, { type: 'BeginFork', executionId: FORK, from: { execution: TOP, version: 1, key: `${inner}/1/b`, operation: 'f', kind: 'fork', by: 'x' }, reason: '', events });
    family.deliver();
    const own = family.children().filter((id) => family.state(id).parent?.execution === FORK);
    expect(own).toHaveLength(1);
    expect(family.state(own[0]).status).toBe('running');
    family.complete(own[0]!, '/do/0/work', 'own');
    family.complete(FORK, `${inner}/1/b`, 'b');
    family.deliver();
    expect(family.state(FORK).output).toEqual(['own', 'b']);
    expect(family.state().status).toBe('running');
  });
});
