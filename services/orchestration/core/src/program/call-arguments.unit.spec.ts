import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { decidedBy, running, type Running } from '../interpreter/running.testing.js';
import { releaseWith } from '../upgrade/engine-flags.js';

const called = (args: object, input: Json, use: object = {}): Running => running({ use, do: [{ a: { call: 'http', with: { method: 'get', ...args } } }] }, input).start();
const inputOf = (run: Running): Json => Object.values(run.state.jobs)[0]?.input ?? null;
const endpointOf = (endpoint: unknown, input: Json): Json => (inputOf(called({ endpoint }, input)) as { readonly endpoint: Json }).endpoint;

describe('the endpoint of a call', () => {
  it('is a URI template over the top-level properties of the task input, percent-encoded', () => {
    expect(endpointOf('https://x.test/pets/{id}/{kind}?q={q}', { id: 7, kind: 'a/b ü', q: 'x&y=1' })).toBe('https://x.test/pets/7/a%2Fb%20%C3%BC?q=x%26y%3D1');
    expect(endpointOf({ uri: 'https://x.test/{a.b}' }, { 'a.b': true, a: { b: 'not this' } })).toEqual({ uri: 'https://x.test/true' });
  });

  it('has an empty text for what is missing or null', () => {
    expect(endpointOf('https://x.test/[{no}][{nothing}]', { nothing: null })).toBe('https://x.test/[][]');
    expect(endpointOf('https://x.test/{id}', 'no object')).toBe('https://x.test/');
  });

  it.each([
    ['an object', { id: {} }, 'it is an object or a list'],
    ['a list', { id: [1] }, 'it is an object or a list'],
    ['a segment that leads elsewhere', { id: '..' }, 'which leads elsewhere'],
  ])('raises an expression error for %s', (_what, input, problem) => {
    const { state } = called({ endpoint: 'https://x.test/{id}' }, input as Json);
    expect(state.status).toBe('faulted');
    expect(state.error).toMatchObject({ type: expect.stringContaining('/errors/expression') as string, status: 400, detail: expect.stringContaining(problem) as string });
  });

  it('stays as it is written in executions of releases before there were templates', () => {
    const run = decidedBy(releaseWith([]), () => called({ endpoint: 'https://x.test/{id}' }, { id: 7 }));
    expect(inputOf(run)).toMatchObject({ endpoint: 'https://x.test/{id}' });
  });
});

describe('the authentication of a call', () => {
  const use = { secrets: ['login'], authentications: { ours: { basic: { use: 'login' } }, plain: { bearer: { token: '${ .token }' } } } };

  it('is the policy that its name means, with its expressions', () => {
    expect(inputOf(called({ endpoint: { uri: 'https://x.test', authentication: { use: 'plain' } } }, { token: 't' }, use))).toMatchObject({
      endpoint: { uri: 'https://x.test', authentication: { bearer: { token: 't' } } },
    });
  });

  it('holds a reference where it names a secret, beside the arguments', () => {
    expect(inputOf(called({ endpoint: { uri: 'https://x.test', authentication: { use: 'ours' } } }, {}, use))).toMatchObject({
      endpoint: { authentication: { basic: null } },
      'weft:deferred': { '/endpoint/authentication/basic': { expression: '$secrets["login"]', secrets: ['login'] } },
    });
  });
});

describe('an expression that names a secret', () => {
  it('waits for the worker with the input and the variables that it reads', () => {
    const run = called({ endpoint: 'https://x.test', headers: { 'x-key': '${ "\\(.id) \\($secrets.key) \\($workflow.id)" }', 'x-plain': '${ .id }' } }, { id: 7 });
    expect(inputOf(run)).toMatchObject({
      headers: { 'x-key': null, 'x-plain': 7 },
      'weft:deferred': { '/headers/x-key': { secrets: ['key'], input: { id: 7 }, variables: { workflow: { id: run.executionId } } } },
    });
  });

  it('takes nothing along that it does not read', () => {
    const run = called({ endpoint: 'https://x.test', headers: { 'x-key': '${ $secrets.key.value }' } }, { id: 7 });
    const { 'weft:deferred': deferred } = inputOf(run) as { readonly 'weft:deferred': { readonly [pointer: string]: object } };
    expect(Object.keys(deferred['/headers/x-key']!).sort()).toEqual(['expression', 'now', 'secrets']);
  });

  it('cannot come with the data of an execution', () => {
    const evil = { 'weft:deferred': { '/body': { expression: '$secrets.key', secrets: ['key'] } } };
    const args = inputOf(called({ endpoint: 'https://x.test', body: '${ . }' }, evil)) as { readonly body: Json };
    expect(args).not.toHaveProperty(['weft:deferred']);
    expect(args.body).toEqual(evil);
  });
});
