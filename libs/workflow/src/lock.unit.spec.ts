import type { JsonObject } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { lockedDefinitionText, definitionText } from './canonical.js';
import { ports, read, withTasks } from './documents.testing.js';
import { readResource, unfixedProblems } from './lock.js';
import type { ResourceKind } from './resources.js';

const use = { catalogs: { shared: { endpoint: 'https://a.test' } }, functions: { own: { set: { a: 1 } } } };
const document = withTasks([{ a: { set: { b: 1 } } }], { use });
const reading = (kind: ResourceKind, content: JsonObject | string, inside: JsonObject = document): ReturnType<typeof readResource> =>
  readResource(inside, { kind, pointer: '/do/0/x', uri: 'https://a.test/it' }, typeof content === 'string' ? content : JSON.stringify(content), ports);
const messages = (...args: Parameters<typeof reading>): readonly string[] => {
  const result = reading(...args);
  return result.ok ? [] : result.rejections.map(({ code, message }) => `${code}: ${message}`);
};

describe('a fetched schema', () => {
  it('is read from YAML or JSON', () => {
    expect(reading('schema', 'type: object')).toEqual({ ok: true, content: { type: 'object' }, further: [] });
  });

  it('is refused with its place when it cannot be used', () => {
    expect(messages('schema', { type: 'nope' })).toEqual([
      expect.stringMatching(/^resource-invalid: Expected a JSON Schema \(draft 2020-12\) at https:\/\/a\.test\/it \(of \/do\/0\/x\) but it cannot be used: /),
    ]);
    expect(messages('schema', '{')).toEqual([expect.stringContaining('Expected a schema at https://a.test/it (of /do/0/x) but it cannot be read')]);
  });
});

describe('a fetched function', () => {
  it('is a task, and leads to what it refers to itself', () => {
    const task = { call: 'log:1.0.0@shared', input: { schema: { resource: { endpoint: 'https://a.test/in' } } } };
    // Until every field of the standard is carried out the rest may be refused; where it leads is told when it is not.
    const result = reading('function', { do: [{ b: { call: 'log:1.0.0@shared' } }] });
    if (result.ok) expect(result.further.map(({ uri }) => uri)).toEqual(['https://a.test/functions/log/1.0.0/function.yaml']);
    expect(reading('function', task)).toBeDefined();
    expect(reading('function', { set: { a: '${ .x }' } })).toEqual({ ok: true, content: { set: { a: '${ .x }' } }, further: [] });
  });

  it('is judged as publish judges a task, with places in itself', () => {
    expect(messages('function', '[]')).toEqual(['resource-invalid: Expected a function, which is a task, at https://a.test/it (of /do/0/x) but found something else.']);
    expect(messages('function', { sett: {} })).toEqual([expect.stringContaining('Expected a function that can be called at https://a.test/it (of /do/0/x): Expected a task with one of')]);
    expect(messages('function', { set: { a: '${ . | }' } })).toEqual([expect.stringContaining('Expected a jq expression at #/set/a')]);
    expect(messages('function', { set: { a: 1 }, then: 'elsewhere' })).toEqual([expect.stringContaining('at #/then, as a function stands in no list of tasks, but found "elsewhere"')]);
  });

  it('does not see the functions of the document that calls it', () => {
    expect(messages('function', { call: 'own' })).toEqual([expect.stringContaining('but # calls "own"')]);
  });
});

describe('what is read at publish', () => {
  it('needs a fixed URI; what only a call needs does not', () => {
    const place = { pointer: '/input/schema/resource', uri: undefined };
    expect(unfixedProblems([{ ...place, kind: 'schema' }]).map(({ message }) => message)).toEqual([
      'Expected a fixed URI at /input/schema/resource, as a schema is read when the workflow is published, but it depends on the execution.',
    ]);
    expect(unfixedProblems([{ ...place, kind: 'openapi' }])).toEqual([]);
  });

  it('is part of what the digest is taken of, only when there is any', () => {
    const parsed = read(withTasks([{ a: { set: { b: 1 } } }]));
    if (!parsed.ok) throw new Error('not read');
    expect(lockedDefinitionText(parsed.workflow, {})).toBe(definitionText(parsed.workflow));
    const [one, other] = ['a', 'b'].map((digest) => lockedDefinitionText(parsed.workflow, { 'https://a.test': digest }));
    expect(one).not.toBe(other);
    expect(one).toContain(definitionText(parsed.workflow));
  });
});
