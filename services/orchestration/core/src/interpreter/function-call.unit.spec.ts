import type { Json } from '@weft/kernel';
import type { Resources } from '../program/program.js';
import { Defect } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { running } from './running.testing.js';

const http = { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } };
const LOST = { code: 'http-status', message: 'It is away.', retryable: true, details: { status: 503 } };
const greet = { set: { greeting: '${ "Hello \\(.name)" }' } };

describe('a call of a function', () => {
  it('runs its task on the arguments, and has its output', () => {
    const run = running({ use: { functions: { greet } }, do: [{ welcome: { call: 'greet', with: { name: '${ .who }' }, output: { as: '.greeting' } } }] }, { who: 'Eva' }).start();
    expect(run.state).toMatchObject({ status: 'completed', output: 'Hello Eva' });
  });

  it('gives a function that is called without arguments an empty object', () => {
    const run = running({ use: { functions: { same: { do: [{ nothing: { if: 'false', set: {} } }] } } }, do: [{ a: { call: 'same' } }] }, 7).start();
    expect(run.state.output).toEqual({});
  });

  it('goes before a function of the default catalogue that has its name', () => {
    const run = running({ use: { functions: { recall: greet } }, do: [{ a: { call: 'recall', with: { name: 'Eva' } } }] }, {}).start();
    expect(run.state.output).toEqual({ greeting: 'Hello Eva' });
  });

  it('raises what the function raises, at the task that calls it', () => {
    const functions = { fetch: { do: [{ first: http }] } };
    const run = running({ use: { functions }, do: [{ load: { call: 'fetch' } }] }, {}).start();
    run.fail('/do/0/load/call/fetch/do/0/first', LOST);
    expect(run.state).toMatchObject({ status: 'faulted', error: { instance: '/do/0/load', status: 503 }, interrupted: { task: { key: '/do/0/load/call/fetch/do/0/first' } } });
  });

  it('lets a function catch its own errors, which it knows by its own tasks', () => {
    const functions = { careful: { try: [{ first: http }], catch: { do: [{ told: { set: '${ $error.instance }' } }] } } };
    const run = running({ use: { functions }, do: [{ load: { call: 'careful' } }] }, {}).start();
    run.fail('/do/0/load/call/careful/try/0/first', LOST);
    expect(run.state.output).toBe('/do/0/load/call/careful/try/0/first');
  });

  it('keeps the idempotency keys of what a function does when the call is retried', () => {
    const definition = { use: { functions: { fetch: http } }, do: [{ guard: { try: [{ load: { call: 'fetch' } }], catch: { retry: { limit: { attempt: { count: 1 } } } } } }] };
    const run = running(definition, {}).start();
    const [first] = Object.values(run.state.jobs);
    run.fail('/do/0/guard/try/0/load/call/fetch', LOST);
    expect(Object.values(run.state.jobs)).toMatchObject([{ id: first!.id, generation: first!.generation, attempt: 2 }]);
  });

  it('has another key in each pass of a loop', () => {
    const run = running({ use: { functions: { fetch: http } }, do: [{ each: { for: { in: '[1, 2]' }, do: [{ load: { call: 'fetch' } }] } }] }, {}).start();
    expect(run.jobs()).toEqual(['/do/0/each/do/0/load/call/fetch#2[0]']);
    run.complete('/do/0/each/do/0/load/call/fetch#2[0]', 1);
    expect(run.jobs()).toEqual(['/do/0/each/do/0/load/call/fetch#2[1]']);
  });

  it('leaves the function at `exit`, and the workflow at `end`', () => {
    const functions = { early: { do: [{ out: { set: 1, then: 'exit' } }, { never: { set: 2 } }] }, last: { do: [{ over: { set: 'over', then: 'end' } }] } };
    const after = { after: { set: '${ { after: . } }' } };
    expect(running({ use: { functions }, do: [{ a: { call: 'early' } }, after] }, {}).start().state.output).toEqual({ after: 1 });
    expect(running({ use: { functions }, do: [{ a: { call: 'last' } }, after] }, {}).start().state.output).toBe('over');
  });

  it('may call functions, but not itself, and sees no variable of where it is called', () => {
    const call = (name: string): object => ({ do: [{ on: { call: name, with: '${ . }' } }] });
    expect(running({ use: { functions: { a: call('b'), b: greet } }, do: [{ x: { call: 'a', with: { name: 'Eva' } } }] }, {}).start().state.output).toEqual({ greeting: 'Hello Eva' });
    expect(() => running({ use: { functions: { a: call('b'), b: call('a') } }, do: [{ x: { call: 'a' } }] }, {})).toThrow('function a calls itself');
    const looped = { use: { functions: { a: { set: '${ $item }' } } }, do: [{ each: { for: { in: '[1]' }, do: [{ x: { call: 'a' } }] } }] };
    expect(() => running(looped, {})).toThrow(Defect);
  });

  it('exports to the `$context` of the workflow', () => {
    const functions = { note: { set: 5, export: { as: '{ noted: . }' } } };
    expect(running({ use: { functions }, do: [{ a: { call: 'note' } }, { b: { set: '${ $context.noted }' } }] }, {}).start().state.output).toBe(5);
  });

  it('takes a function of a catalogue or an address from what publish locked', () => {
    const resources = (content: Json): Resources => new Map([['https://catalog.test/functions/greet/1.0.0/function.yaml', { digest: 'd', content }]]);
    const definition = { use: { catalogs: { ours: { endpoint: { uri: 'https://catalog.test/' } } } }, do: [{ a: { call: 'greet:1.0.0@ours', with: { name: 'Eva' } } }] };
    const byAddress = { do: [{ a: { call: 'https://catalog.test/functions/greet/1.0.0/function.yaml', with: { name: 'Eva' } } }] };
    for (const given of [definition, byAddress]) {
      expect(running(given, {}, resources(greet)).start().state.output).toEqual({ greeting: 'Hello Eva' });
      expect(() => running(given, {})).toThrow('no function is locked for https://catalog.test/functions/greet/1.0.0/function.yaml');
    }
  });

  it('does not see the functions of the definition that calls it, when it comes from elsewhere', () => {
    const locked = (content: Json): Resources => new Map([['https://catalog.test/f.yaml', { digest: 'd', content }]]);
    const definition = { use: { functions: { validate: greet } }, do: [{ a: { call: 'https://catalog.test/f.yaml' } }, { b: { call: 'validate', with: { name: 'Eva' } } }] };
    const run = running(definition, {}, locked({ call: 'validate', with: { value: 1, schema: {} } })).start();
    expect(run.jobs()).toEqual([expect.stringContaining('/do/0/a')]);
  });

  it('is of the built-in catalogue by the name `default`', () => {
    expect(
      running({ do: [{ a: { call: 'validate:1.0.0@default', with: { value: 1, schema: {} } } }] }, {})
        .start()
        .jobs(),
    ).toEqual(['/do/0/a']);
  });
});
