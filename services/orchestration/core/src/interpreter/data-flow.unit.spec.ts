import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { releaseWith } from '../upgrade/engine-flags.js';
import { decidedBy, running, type Running } from './running.testing.js';

const VALIDATION = 'https://serverlessworkflow.io/spec/1.0.0/errors/validation';
const start = (tasks: readonly object[], input: Json = {}, more: object = {}): Running => running({ do: tasks, ...more }, input).start();
const of = (properties: object): object => ({ format: 'json', document: { type: 'object', properties, required: Object.keys(properties) } });
const problem = (run: Running): Json => (run.state.error as { readonly detail: Json }).detail;

describe('the schema of a task', () => {
  it('judges its raw input, before `input.from`', () => {
    const task = { input: { schema: of({ id: { type: 'string' } }), from: '{ id: (.id | tonumber) }' }, set: { got: '${ .id }' } };
    expect(start([{ task }], { id: '7' }).state).toMatchObject({ status: 'completed', output: { got: 7 } });
    const run = start([{ task }], { id: 7 });
    expect(run.state).toMatchObject({ status: 'faulted', error: { type: VALIDATION, status: 400, title: 'input-invalid', instance: '/do/0/task' } });
    expect(problem(run)).toBe('Expected the input of /do/0/task to fit its schema but it does not. Expected text at /id but found number.');
  });

  it('judges its output after `output.as`', () => {
    const task = { set: { n: '${ .n }' }, output: { as: '{ text: (.n | tostring) }', schema: of({ text: { type: 'string', maxLength: 1 } }) } };
    expect(start([{ task }], { n: 1 }).state).toMatchObject({ status: 'completed', output: { text: '1' } });
    const run = start([{ task }], { n: 22 });
    expect(run.state).toMatchObject({ status: 'faulted', error: { type: VALIDATION, title: 'output-invalid', instance: '/do/0/task' } });
    expect(problem(run)).toBe('Expected the output of /do/0/task to fit its schema but it does not. Expected /text to not have more than 1 characters but found text.');
  });

  it('judges what it exports after `export.as`', () => {
    const task = { set: { n: 1 }, export: { as: '{ count: .n }', schema: of({ count: { type: 'string' } }) } };
    const run = start([{ task }]);
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'output-invalid', instance: '/do/0/task' } });
    expect(problem(run)).toBe('Expected the export of /do/0/task to fit its schema but it does not. Expected text at /count but found number.');
  });

  it.each([
    ['input', { input: { schema: of({ id: {} }) }, set: { a: 1 } }],
    ['output', { set: { a: 1 }, output: { schema: of({ id: {} }) } }],
  ])('raises what a `try` around it catches: %s', (_what, task) => {
    expect(start([{ guard: { try: [{ task }], catch: { errors: { with: { type: VALIDATION } }, do: [{ saved: { set: { saved: true } } }] } } }]).state.output).toEqual({ saved: true });
  });

  it('is not asked of a task that is skipped', () => {
    expect(start([{ task: { if: 'false', input: { schema: of({ id: {} }) }, set: { a: 1 } } }], { raw: 1 }).state.output).toEqual({ raw: 1 });
  });

  it('judges the input of a branch too', () => {
    expect(start([{ both: { fork: { branches: [{ task: { input: { schema: of({ id: {} }) }, set: { a: 1 } } }] } } }]).state).toMatchObject({
      status: 'faulted',
      error: { instance: '/do/0/both/fork/branches/0/task' },
    });
  });

  it('judges what comes of each item of a `foreach`', () => {
    const foreach = { output: { as: '.n', schema: { document: { type: 'number' } } } };
    const run = start([{ hear: { listen: { to: { any: [{ with: { type: 'com.example.paid.v1' } }], until: 'false' } }, foreach } }]);
    run.signal({ id: '1', data: { n: 1 } });
    expect(run.state.status).toBe('running');
    run.signal({ id: '2', data: { n: 'x' } });
    expect(problem(run)).toBe('Expected the output of /do/0/hear/foreach to fit its schema but it does not. Expected a number at the value but found text.');
  });

  it('may lie elsewhere, where publish has locked it', () => {
    const endpoint = 'https://example.test/schema.json';
    const locked = new Map([[endpoint, { digest: 'd', content: { type: 'object', required: ['id'] } }]]);
    const task = { input: { schema: { resource: { endpoint: { uri: endpoint } } } }, set: { a: 1 } };
    expect(running({ do: [{ task }] }, {}, locked).start().state).toMatchObject({ status: 'faulted', error: { title: 'input-invalid' } });
    expect(running({ do: [{ task }] }, { id: 1 }, locked).start().state.status).toBe('completed');
  });

  it('may be retried by a person after its input was refused', () => {
    const run = start([{ task: { input: { schema: of({ id: {} }) }, set: { a: 1 } } }]);
    run.accept({ type: 'OperateExecution', tenant: 'default', operation: 'retry', id: 'r', by: 'me', reason: '' });
    expect(run.state).toMatchObject({ status: 'faulted', error: { title: 'input-invalid' } });
  });
});

describe('the output schema of a workflow', () => {
  it('judges the output after `output.as`', () => {
    const more = { output: { as: '{ id: .n }', schema: of({ id: { type: 'string' } }) } };
    expect(start([{ task: { set: { n: 'x' } } }], {}, more).state).toMatchObject({ status: 'completed', output: { id: 'x' } });
    const run = start([{ task: { set: { n: 1 } } }], {}, more);
    expect(run.state).toMatchObject({ status: 'faulted', error: { type: VALIDATION, title: 'output-invalid', instance: '/output' } });
    expect(problem(run)).toBe('Expected the output of the workflow to fit its schema but it does not. Expected text at /id but found number.');
  });
});

describe('the data flow of a task', () => {
  it('passes the raw input of a skipped task on, without `as`, `export` and `then`', () => {
    const skipped = { if: 'false', set: { never: true }, output: { as: '{ never: true }' }, export: { as: '{ never: true }' }, then: 'end' };
    expect(start([{ skipped }, { after: { set: '${ { input: ., context: $context } }' } }], { raw: 1 }).state.output).toEqual({ input: { raw: 1 }, context: {} });
  });

  it('exports from the transformed output', () => {
    const task = { set: { a: 1 }, output: { as: '{ b: .a }' }, export: { as: '{ from: . }' } };
    expect(start([{ task }, { after: { set: '${ $context }' } }]).state.output).toEqual({ from: { b: 1 } });
  });

  it('begins with `{}` as `$context`, which an export replaces', () => {
    const exporting = (name: string, as: string): object => ({ [name]: { set: { x: '${ $context }' }, export: { as } } });
    expect(start([exporting('a', '{ a: $output }'), exporting('b', '{ b: . }'), { c: { set: '${ $context }' } }]).state.output).toEqual({ b: { x: { a: { x: {} } } } });
  });

  it('replaces with `set`, rather than merging', () => {
    expect(start([{ task: { set: { b: 2 } } }], { a: 1 }).state.output).toEqual({ b: 2 });
  });

  it('follows the own `then` of a switch when no case holds', () => {
    const choose = { switch: [{ never: { when: 'false', then: 'end' } }], then: 'last' };
    expect(start([{ choose }, { between: { set: { never: true } } }, { last: { set: '${ { got: . } }' } }], { raw: 1 }).state.output).toEqual({ got: { raw: 1 } });
  });
});

describe('a duration', () => {
  it('of a wait may be an expression', () => {
    const run = start([{ pause: { wait: '${ { minutes: .n } }' } }], { n: 2 });
    expect(Object.values(run.state.timers)).toMatchObject([{ purpose: 'wait', due: 1_120_000 }]);
  });

  it('of months is as long as they are from where it begins', () => {
    const run = running({ do: [{ pause: { wait: 'P1M' } }] }, {});
    run.passUntil(Date.parse('2027-01-31T12:00:00Z'));
    run.start();
    expect(Object.values(run.state.timers)).toMatchObject([{ due: Date.parse('2027-02-28T12:00:00Z') }]);
  });
});

describe('the descriptors', () => {
  const AT = { iso8601: '1970-01-01T00:16:40.000Z', epoch: { seconds: 1_000, milliseconds: 1_000_000 } };
  const described = (what: string): Json => start([{ task: { input: { from: '{ shaped: . }' }, set: `\${ ${what} }` } }], { raw: 1 }).state.output ?? null;

  it('of a task say its name, place, definition, raw input and start', () => {
    expect(described('$task | del(.definition)')).toEqual({ name: 'task', reference: '/do/0/task', input: { raw: 1 }, output: null, startedAt: AT });
    expect(described('$task.definition.input.from')).toBe('{ shaped: . }');
  });

  it('of a task say its raw output, to `output.as` and `export.as`', () => {
    const task = { set: { a: 1 }, output: { as: '{ b: $task.output }' }, export: { as: '{ c: $task.output }' } };
    expect(start([{ task }, { after: { set: '${ [., $context] }' } }]).state.output).toEqual([{ b: { a: 1 } }, { c: { a: 1 } }]);
  });

  it('of a task say its raw input to `if` and `input.from`', () => {
    expect(start([{ task: { if: '$task.input.raw == 1', input: { from: '$task.input' }, set: '${ . }' } }], { raw: 1 }).state.output).toEqual({ raw: 1 });
  });

  it('of the workflow say its id, definition, raw input and start', () => {
    expect(described('$workflow | del(.definition)')).toEqual({ id: '00000000-0000-7000-8000-000000000001', input: { raw: 1 }, startedAt: AT });
    expect(described('$workflow.definition.document.name')).toBe('flow');
  });

  it('of the runtime say its name, version and metadata', () => {
    expect(described('$runtime')).toEqual({ name: 'weft', version: expect.any(String), metadata: {} });
  });

  it('stay as they were for executions that an older release started', () => {
    const of = (what: string): Json => decidedBy(releaseWith([]), () => described(what));
    expect(of('$task | keys')).toEqual(['definition', 'input', 'name', 'reference']);
    expect(of('$task.input')).toEqual({ shaped: { raw: 1 } });
    expect(of('$workflow.startedAt | keys')).toEqual(['epoch']);
    expect(of('$runtime | keys')).toEqual(['name', 'version']);
  });
});

describe('the instance of a raised error', () => {
  const raised = (instance?: string): Json => {
    const error = { type: 'https://example.test/no', status: 500, ...(instance === undefined ? {} : { instance }) };
    return (start([{ fail: { raise: { error } } }], { at: '/orders/7' }).state.error as { readonly instance: Json }).instance;
  };

  it('is what its author gives, in place or by expression, else the task', () => {
    expect([raised(), raised('/do/0/other'), raised('${ .at }')]).toEqual(['/do/0/fail', '/do/0/other', '/orders/7']);
  });

  it('is always the task in executions that an older release started', () => {
    expect(decidedBy(releaseWith([]), () => raised('/do/0/other'))).toBe('/do/0/fail');
  });

  it('null is what an expression gave, not the absence of it', () => {
    const run = (...tasks: object[]) => running({ do: tasks, output: { as: '{ output: ., context: $context }' } }, { n: 1 }).start().state.output;
    expect(run({ a: { set: '${ null }' } })).toEqual({ output: null, context: {} });
    expect(run({ a: { set: { n: 2 }, output: { as: 'null' } } })).toEqual({ output: null, context: {} });
    expect(run({ a: { input: { from: '.missing' }, do: [{ b: { set: { got: '${ . }' } } }] } })).toEqual({ output: { got: null }, context: {} });
    const inBranch = { a: { set: { n: 1 }, export: { as: '{ x: 1 }' } } };
    expect(run({ f: { fork: { branches: [{ both: { do: [inBranch], export: { as: 'null' } } }] } } })).toEqual({ output: [{ n: 1 }], context: null });
  });

  it('descriptors are there wherever an expression names them, deep in a value too', () => {
    const seen = (value: Json) => start([{ look: { set: { value } } }]).state.output;
    const described = { name: 'look', id: '00000000-0000-7000-8000-000000000001', runtime: 'weft' };
    expect(seen({ name: '${ $task.name }', id: '${ $workflow.id }', runtime: '${ $runtime.name }' })).toEqual({ value: described });
    expect(seen(['a', '${ .none }', { deep: '${ "\\($task.name)" }' }])).toEqual({ value: ['a', null, { deep: 'look' }] });
    expect(seen('${ {name: $task.name, id: $workflow.id, runtime: $runtime.name} }')).toEqual({ value: described });
  });
});
