import { describe, expect, it } from 'vitest';
import { outstandingJobs } from '../execution/effects-between.js';
import { running } from '../interpreter/running.testing.js';
import { withResource } from './call-resource.js';
import type { Resources } from './program.js';

const endpoint = 'https://example.test/it';
const LOCKED: Resources = new Map([[endpoint, { digest: 'd1' }]]);

describe('a call whose worker needs a document', () => {
  it.each([
    ['openapi', 'document'],
    ['asyncapi', 'document'],
    ['grpc', 'proto'],
    ['a2a', 'agentCard'],
    ['script', 'source'],
  ])('names that of %s by the digest that publish locked', (what, field) => {
    const args = { [field]: { endpoint: { uri: endpoint } } };
    expect(withResource(what, args, LOCKED)).toEqual({ ...args, resource: { uri: endpoint, digest: 'd1' } });
  });

  it('leaves to the worker what only the execution knows', () => {
    for (const given of ['${ .uri }', 'https://example.test/{id}', 'https://elsewhere.test']) {
      const args = { proto: { endpoint: given } };
      expect(withResource('grpc', args, LOCKED)).toBe(args);
    }
    expect(withResource('http', { endpoint }, LOCKED)).toEqual({ endpoint });
  });

  it('has it in its job', () => {
    const call = { call: 'grpc', with: { proto: { endpoint }, service: { name: 's', host: 'h' }, method: 'm' } };
    const script = { run: { script: { language: 'js', source: { endpoint } } } };
    const { state } = running({ do: [{ both: { fork: { branches: [{ a: call }, { b: script }] } } }] }, {}, LOCKED).start();
    const inputs = outstandingJobs(state).map(({ input }) => input);
    expect(inputs).toEqual([expect.objectContaining({ resource: { uri: endpoint, digest: 'd1' } }), expect.objectContaining({ resource: { uri: endpoint, digest: 'd1' } })]);
  });
});
