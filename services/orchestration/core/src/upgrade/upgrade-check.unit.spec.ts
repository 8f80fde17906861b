import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { programOf, running, type Running } from '../interpreter/running.testing.js';
import { proposeMap } from './pointer-map.js';
import { upgradeProblems } from './upgrade-check.js';

const job = (name: string, more: object = {}): object => ({ [name]: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' }, ...more } });
const listen = (name: string, type: string): object => ({ [name]: { listen: { to: { one: { with: { type } } } } } });

/** Executions of one document, each parked at another of its tasks. */
function parkedAt(definition: { readonly do: readonly object[] } & object, input: Json = {}): Readonly<Record<string, Running>> {
  const names = definition.do.map((task) => Object.keys(task)[0]!);
  return Object.fromEntries(
    names.map((name) => {
      const run = running(definition, input).start();
      for (let [key] = run.jobs(); key !== undefined && !`${key}/`.includes(`/${name}/`); [key] = run.jobs()) run.complete(key, {});
      return [name, run];
    }),
  );
}

/** By the name of the task that an execution is parked at: what keeps it from going on. */
function breaking(parked: Readonly<Record<string, Running>>, next: object): Readonly<Record<string, readonly string[]>> {
  const to = programOf(next, '2.0.0');
  const found = Object.entries(parked).map(([name, run]) => [name, upgradeProblems(run.state, run.program, to).map(({ reason, pointer }) => `${reason} ${pointer}`)] as const);
  return Object.fromEntries(found.filter(([, problems]) => problems.length > 0));
}

const chain = { do: [job('a'), job('b'), job('c')] };

describe('the check of a new version', () => {
  it('names nobody when nothing that anybody is in has changed', () => {
    expect(breaking(parkedAt(chain), chain)).toEqual({});
    expect(breaking(parkedAt(chain), { do: [job('a'), job('b'), job('c'), job('d')] })).toEqual({});
    expect(breaking(parkedAt(chain), { do: [job('a', { output: { as: '.x' } }), job('b', { then: 'end' }), job('c')], output: { as: '.y' } })).toEqual({});
  });

  it('of a renamed task names those that are in it, not those before or after', () => {
    expect(breaking(parkedAt(chain), { do: [job('a'), job('renamed'), job('c')] })).toEqual({ b: ['task-missing /do/1/b'] });
  });

  it('of a removed task names those in it and those that it moves', () => {
    expect(breaking(parkedAt(chain), { do: [job('a'), job('c')] })).toEqual({ b: ['task-missing /do/1/b'], c: ['task-moved /do/2/c'] });
  });

  it('of a task that is inserted names those that are parked behind it', () => {
    expect(breaking(parkedAt(chain), { do: [job('a'), job('new'), job('b'), job('c')] })).toEqual({ b: ['task-moved /do/1/b'], c: ['task-moved /do/2/c'] });
    expect(breaking(parkedAt({ do: [{ outer: { do: [job('x')] } }, job('b')] }), { do: [{ outer: { do: [job('new'), job('x')] } }, job('b')] })).toEqual({ outer: ['task-moved /do/0/outer/do/0/x'] });
  });

  it('of a task that is something else now names those that are in it', () => {
    expect(breaking(parkedAt(chain), { do: [job('a'), { b: { wait: { seconds: 1 } } }, job('c')] })).toEqual({ b: ['kind-changed /do/1/b'] });
    expect(breaking(parkedAt(chain), { do: [job('a'), { b: { call: 'recall', with: { scope: 's' } } }, job('c')] })).toEqual({ b: ['kind-changed /do/1/b'] });
    const pay = (name: string): object => ({ pay: { call: 'tool', with: { name, arguments: {} } } });
    expect(breaking(parkedAt({ do: [job('a'), pay('card')] }), { do: [job('a'), pay('transfer')] })).toEqual({ pay: ['call-changed /do/1/pay'] });
  });

  it('of a narrowed schema names those whose data no longer fits', () => {
    const narrow = { ...chain, input: { schema: { document: { type: 'object', required: ['n'] } } } };
    expect(breaking(parkedAt(chain, { n: 1 }), narrow)).toEqual({});
    expect(Object.keys(breaking(parkedAt(chain, {}), narrow))).toEqual(['a', 'b', 'c']);
    const ofTask = { do: [job('a'), job('b', { input: { schema: { document: { type: 'array' } } } }), job('c')] };
    expect(breaking(parkedAt(chain), ofTask)).toEqual({ b: ['input-refused /do/1/b'] });
  });

  it('of branches in another order names those in a branch that moved, and those that a branch is lost to', () => {
    const fork = (...names: readonly string[]): { do: readonly object[] } => ({ do: [job('a'), { both: { fork: { branches: names.map((name) => job(name)) } } }, job('z')] });
    const parked = parkedAt(fork('x', 'y'));
    expect(breaking(parked, fork('y', 'x'))).toEqual({ both: ['task-moved /do/1/both/fork/branches/0/x', 'task-moved /do/1/both/fork/branches/1/y'] });
    expect(breaking(parked, fork('x', 'y', 'z'))).toEqual({});
    parked['both']!.complete('/do/1/both/fork/branches/1/y', 1);
    expect(breaking(parked, fork('x'))).toEqual({ both: ['branches-changed /do/1/both'] });
    expect(breaking(parked, { do: [job('a'), { both: { fork: { compete: true, branches: [job('x'), job('y')] } } }, job('z')] })).toEqual({ both: ['branches-changed /do/1/both'] });
  });

  it('of a `listen` for other events names those that wait for the former', () => {
    const parked = { wait: running({ do: [listen('wait', 'one')] }, {}).start() };
    expect(breaking(parked, { do: [listen('wait', 'other')] })).toEqual({ wait: ['events-changed /do/0/wait'] });
    expect(breaking(parked, { do: [listen('wait', 'one'), listen('more', 'other')] })).toEqual({});
  });

  it('names a `catch` that is gone while it runs', () => {
    const guarded = (clause: object): object => ({ do: [{ guard: { try: [job('x')], catch: clause } }] });
    const run = running(guarded({ do: [job('rescue')] }), {}).start();
    run.fail('/do/0/guard/try/0/x', { code: 'timeout', message: 'late', retryable: false });
    expect(breaking({ run }, guarded({}))['run']).toContain('catch-missing /do/0/guard');
  });

  it('says what was expected, and where the task is now', () => {
    const [problem] = upgradeProblems(parkedAt(chain)['b']!.state, programOf(chain), programOf({ do: [job('new'), job('a'), job('b')] }, '2.0.0'));
    expect(problem!.message).toBe('Expected task "b" at /do/1/b, as the execution is in it, but in version 2.0.0 it is at /do/2/b.');
  });
});

describe('the map that is proposed', () => {
  const proposed = (before: object, after: object): unknown => proposeMap(programOf(before), programOf(after));

  it('has tasks that are elsewhere by their names, and what is inside follows', () => {
    expect(proposed({ do: [job('a'), { b: { do: [job('x'), job('y')] } }] }, { do: [job('new'), job('a'), { b: { do: [job('x'), job('y')] } }] })).toEqual({
      map: { '/do/0/a': '/do/1/a', '/do/1/b': '/do/2/b' },
      doubts: [],
    });
    expect(proposed({ do: [{ b: { do: [job('x')] } }] }, { do: [{ b: { do: [job('new'), job('x')] } }] })).toEqual({ map: { '/do/0/b/do/0/x': '/do/0/b/do/1/x' }, doubts: [] });
  });

  it('has a task under another name when it is the very same, and asks where it is not', () => {
    const b = { b: { call: 'recall', with: { scope: 'b' } } };
    expect(proposed({ do: [job('a'), b] }, { do: [job('a'), { renamed: b.b }] })).toEqual({ map: { '/do/1/b': '/do/1/renamed' }, doubts: [] });
    expect(proposed({ do: [job('a'), b] }, { do: [job('a'), { other: { call: 'recall', with: { scope: 'other' } } }] })).toMatchObject({ map: {}, doubts: [{ from: '/do/1/b', to: '/do/1/other' }] });
  });

  it('is empty for the same document', () => {
    expect(proposed(chain, chain)).toEqual({ map: {}, doubts: [] });
  });
});
