import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { running, type Running } from './running.testing.js';

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
