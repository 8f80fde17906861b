import { describe, expect, it } from 'vitest';
import { EgressClient } from '../egress/egress-client.js';
import { EgressPolicy } from '../egress/egress-policy.js';
import { parseGrants, parseTools } from './files.js';
import { registryOf } from './registry.js';

const PORTS = { egress: new EgressClient(new EgressPolicy([])), secrets: () => undefined };

const tool = (more: string): string =>
  `tools:\n  - {name: send, description: Sends., kind: http, effect: non-idempotent-write, input: {type: object}, http: {method: POST, url: "https://mail.example/{box}"}${more}}`;

describe('the tools file', () => {
  it('gives definitions with their defaults', () => {
    expect(parseTools(tool(''), 'tools.yaml')[0]).toMatchObject({ name: 'send', timeoutMs: 10_000, http: { headers: {} } });
  });

  it.each([
    ['a field that is not known', tool(', retries: 3'), /retries/],
    ['a class that contradicts the method', tool('').replace('method: POST', 'method: GET'), /GET changes nothing/],
    [
      'a hook that an effect does not need',
      tool(', reconcile: {url: "https://mail.example/x", happened: .a}').replace('non-idempotent-write', 'idempotent-write'),
      /only an effect of class non-idempotent-write/,
    ],
    ['a static tool that writes', 'tools:\n  - {name: a, description: A., kind: static, effect: idempotent-write, input: {}, answer: 1}', /class read/],
    ['two tools of one name', `${tool('')}\n${tool('').replace('tools:\n', '')}`, /another tool has the same/],
    ['text that is no YAML', 'tools: [', /Flow sequence|expected/i],
  ])('refuses %s and says where', (_what, text, message) => {
    expect(() => parseTools(text, 'tools.yaml')).toThrow(message);
    expect(() => parseTools(text, 'tools.yaml')).toThrow(/tools\.yaml/);
  });

  it('refuses what does not compile, all faults together', () => {
    const definitions = parseTools(`${tool('').replace('{box}', '{box')}\n  - {name: other, description: O., kind: static, effect: read, input: {type: nonsense}, answer: 1}`, 'tools.yaml');
    expect(() => registryOf(definitions, PORTS, 'tools.yaml')).toThrow(/2 faults:\n {2}tool send: http\.url.*\n {2}tool other: input/);
  });

  it('takes schemas of draft-07 too', () => {
    const registry = registryOf(
      parseTools('tools:\n  - {name: a, description: A., kind: static, effect: read, input: {$schema: "http://json-schema.org/draft-07/schema#", type: object, required: [x]}, answer: 1}', 'x'),
      PORTS,
    );
    const entry = registry.find('a');
    expect(entry?.kind === 'static' && entry.inputProblem({})).toContain("'x'");
  });

  it('refuses a declared answer that misses its own schema', () => {
    expect(() => registryOf(parseTools('tools:\n  - {name: a, description: A., kind: static, effect: read, input: {}, output: {type: string}, answer: 1}', 'x'), PORTS)).toThrow(
      /answer: .*must be string/,
    );
  });
});

describe('the grants file', () => {
  it('gives entries with their defaults', () => {
    expect(parseGrants('grants:\n  - {tenant: default, workflow: acme/x, tools: [send]}', 'grants.yaml')).toEqual([
      { tenant: 'default', workflow: 'acme/x', tools: ['send'], kinds: [], agents: [], actors: ['*'] },
    ]);
  });

  it.each([
    ['a workflow without its namespace', 'grants:\n  - {tenant: default, workflow: x}', /namespace\/name/],
    ['a kind that is not granted as a whole', 'grants:\n  - {tenant: default, workflow: a/x, kinds: [tool]}', /kinds/],
  ])('refuses %s', (_what, text, message) => {
    expect(() => parseGrants(text, 'grants.yaml')).toThrow(message);
  });
});
