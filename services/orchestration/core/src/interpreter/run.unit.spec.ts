import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { running } from './running.testing.js';

const KEY = '/do/0/run';
const run = (fields: object, more: object = {}) => running({ do: [{ run: { run: fields, ...more } }] }, { who: 'ada', n: 2 }).start();
const inputOf = ({ rows }: { readonly rows: readonly (readonly { readonly type: string }[])[] }): Json =>
  (rows.flat().find(({ type }) => type === 'JobScheduled') as unknown as { readonly input: Json }).input;

describe('run: script, shell and container', () => {
  it.each([
    ['script', { language: 'js', code: 'console.log(process.argv[2])', arguments: ['${ .who }'] }, { language: 'js', code: 'console.log(process.argv[2])', arguments: ['ada'] }],
    ['shell', { command: 'cat', stdin: '${ . }' }, { command: 'cat', stdin: { who: 'ada', n: 2 } }],
    ['container', { image: 'alpine', environment: { N: '${ .n }' } }, { image: 'alpine', environment: { N: 2 } }],
  ])('a %s is a job with its fields as they are evaluated', (kind, fields, evaluated) => {
    const execution = run({ [kind]: fields });
    expect(execution.rows.flat().find(({ type }) => type === 'JobScheduled')).toMatchObject({ kind });
    expect(inputOf(execution)).toEqual({ ...evaluated, return: 'stdout', await: true });
  });

  it('the process gives the output of the task', () => {
    const execution = run({ shell: { command: 'date' }, return: 'code' });
    expect(inputOf(execution)).toMatchObject({ return: 'code' });
    execution.complete(KEY, 0);
    expect(execution.state).toMatchObject({ status: 'completed', output: 0 });
  });

  it('a process that nobody waits for leaves the task its own input', () => {
    const execution = run({ shell: { command: 'date' }, await: false });
    expect(inputOf(execution)).toMatchObject({ await: false });
    execution.complete(KEY, null);
    expect(execution.state.output).toEqual({ who: 'ada', n: 2 });
  });

  it('and what its `output.as` makes of that input', () => {
    const execution = run({ shell: { command: 'date' }, await: false }, { input: { from: '.who' }, output: { as: '{ greeted: . }' } });
    execution.complete(KEY, null);
    expect(execution.state.output).toEqual({ greeted: 'ada' });
  });

  it('a secret in its environment is left to whoever runs it', () => {
    const execution = running({ use: { secrets: ['token'] }, do: [{ run: { run: { shell: { command: 'id', environment: { TOKEN: '${ $secrets.token }' } } } } }] }, {}).start();
    expect(JSON.stringify(inputOf(execution))).toMatch(/"expression":".?\$secrets\.token/);
  });

  it('a process that failed raises a runtime error with its own code as its title', () => {
    const execution = run({ shell: { command: 'exit 3' } });
    execution.fail(KEY, { code: 'process-failed', message: 'it ended with 3', retryable: false }, 'failed');
    expect(execution.state).toMatchObject({ status: 'faulted', error: { type: expect.stringMatching(/errors\/runtime$/), title: 'process-failed' } });
  });
});

describe('call: mcp and call: a2a', () => {
  it.each(['mcp', 'a2a'])('%s raises a runtime error whatever goes wrong on the way, as the standard says', (call) => {
    const execution = running({ do: [{ run: { call, with: { method: 'tools/list' } } }] }, {}).start();
    execution.fail(KEY, { code: 'unreachable', message: 'no connection', retryable: true });
    expect(execution.state).toMatchObject({ error: { type: expect.stringMatching(/errors\/runtime$/), title: 'unreachable' } });
  });

  it('grpc raises a communication error where nothing answers', () => {
    const execution = running({ do: [{ run: { call: 'grpc', with: { method: 'x' } } }] }, {}).start();
    execution.fail(KEY, { code: 'unreachable', message: 'no connection', retryable: true });
    expect(execution.state).toMatchObject({ error: { type: expect.stringMatching(/errors\/communication$/) } });
  });
});

describe('call: asyncapi', () => {
  const subscribe = (filter: string) => ({ call: 'asyncapi', with: { document: { endpoint: 'https://example.test/doc' }, operation: 'hear', subscription: { filter, consume: { amount: 2 } } } });

  it('leaves its filter to whoever collects the messages, with what the filter reads', () => {
    const execution = running({ do: [{ first: { set: '${ . }', export: { as: '{ user: .who }' } } }, { run: subscribe('${ .payload.to == $context.user }') }] }, { who: 'ada' }).start();
    const scheduled = execution.rows.flat().find(({ type }) => type === 'JobScheduled');
    expect(scheduled).toMatchObject({ input: { subscription: { filter: { expression: '.payload.to == $context.user', variables: { context: { user: 'ada' } } }, consume: { amount: 2 } } } });
  });
});
