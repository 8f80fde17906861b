import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { ports, withTasks } from './documents.testing.js';
import type { Enabled } from './enabled.js';
import { parseWorkflow } from './parse.js';

const NOTHING: Enabled = { python: false, shell: false, container: false, mcpCommands: [] };
const refusals = (task: Json, enabled: Enabled | undefined): readonly string[] => {
  const reading = parseWorkflow(JSON.stringify(withTasks([{ a: task }])), { ...ports, enabled });
  return reading.ok ? [] : reading.rejections.map(({ message }) => message);
};

const python = { run: { script: { language: 'python', code: 'print(1)' } } };
const shell = { run: { shell: { command: 'id' } } };
const container = { run: { container: { image: 'alpine' } } };
const stdio = { call: 'mcp', with: { method: 'tools/list', transport: { stdio: { command: 'npx' } } } };

describe('what a deployment may leave out', () => {
  it.each([
    ['a script in Python', python, /\/do\/0\/a\/run\/script\/language is in Python.*WEFT_RUN_PYTHON/, { python: true }],
    ['a shell command', shell, /\/do\/0\/a\/run\/shell runs one.*WEFT_RUN_SHELL/, { shell: true }],
    ['a container', container, /\/do\/0\/a\/run\/container runs one.*WEFT_RUN_CONTAINER/, { container: true }],
    ['an MCP server that is started', stdio, /starts "npx": list the command in WEFT_MCP_STDIO/, { mcpCommands: ['npx'] }],
  ] as const)('%s is refused, with the setting that lets it', (_what, task, words, enabled) => {
    expect(refusals(task, NOTHING)).toEqual([expect.stringMatching(words)]);
    expect(refusals(task, { ...NOTHING, ...enabled })).toEqual([]);
  });

  const asyncapi = (more: { readonly [field: string]: Json }): readonly string[] =>
    refusals({ call: 'asyncapi', with: { document: { endpoint: 'https://example.com/doc' }, operation: 'x', ...more } }, { ...NOTHING, python: true, shell: true, container: true });

  it('a protocol of AsyncAPI that nobody speaks is refused everywhere', () => {
    expect(asyncapi({ protocol: 'mqtt', message: { payload: {} } })).toEqual([expect.stringMatching(/names "mqtt"/)]);
  });

  it('a subscription that consumes for ever is nothing that anybody has to let it', () => {
    expect(asyncapi({ subscription: { consume: { while: '${ true }' }, foreach: { do: [{ seen: { set: { it: '${ $item }' } } }] } } })).toEqual([]);
  });

  it('a script in JavaScript is no such thing', () => {
    expect(refusals({ run: { script: { language: 'js', code: 'console.log(1)' } } }, NOTHING)).toEqual([]);
  });

  it('is not judged where nobody says what the deployment lets', () => {
    expect(refusals(shell, undefined)).toEqual([]);
  });
});
