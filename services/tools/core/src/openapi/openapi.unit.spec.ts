import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { operationsOf, type OperationWire } from './operation.js';
import { operationRequest } from './operation-request.js';

const document = (paths: Json, more: { readonly [name: string]: Json } = {}): Json => ({
  openapi: '3.1.1',
  info: { title: 'x', version: '1' },
  servers: [{ url: 'https://api.example/v1' }],
  paths,
  ...more,
});
const only = (operation: Json, path = '/pets/{id}', method = 'get') => {
  const { operations, problems } = operationsOf([document({ [path]: { [method]: operation } })]);
  if (!operations[0]) throw new Error(problems.join('\n'));
  return operations[0];
};
const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };

describe('an operation', () => {
  it('becomes a tool: its parameters and its body are the arguments, its method gives the class', () => {
    const operation = only(
      {
        operationId: 'updatePet',
        summary: 'Changes a pet.',
        parameters: [id, { name: 'dry', in: 'query', schema: { type: 'boolean' } }],
        requestBody: { required: true, content: { 'application/json': { schema: { type: 'object' } } } },
        responses: { '200': { description: 'ok', content: { 'application/json': { schema: { type: 'object', required: ['id'] } } } } },
      },
      '/pets/{id}',
      'put',
    );
    expect(operation).toMatchObject({
      name: 'updatePet',
      description: 'Changes a pet.',
      effect: 'idempotent-write',
      input: { properties: { id: { type: 'string' }, dry: { type: 'boolean' }, body: { type: 'object' } }, required: ['id', 'body'], additionalProperties: false },
      output: { type: 'object', required: ['id'] },
      wire: { method: 'PUT', server: 'https://api.example/v1', path: '/pets/{id}', body: { argument: 'body', mediaType: 'application/json' } },
    });
  });

  it.each([
    ['get', 'read'],
    ['head', 'read'],
    ['put', 'idempotent-write'],
    ['delete', 'idempotent-write'],
    ['post', 'non-idempotent-write'],
    ['patch', 'non-idempotent-write'],
  ])('of method %s is of class %s', (method, effect) => {
    expect(only({ parameters: [id] }, '/pets/{id}', method).effect).toBe(effect);
  });

  it('brings the schemas that it refers to, circles and other documents included', () => {
    const pet = { type: 'object', properties: { name: { type: 'string' }, parent: { $ref: '0#/components/schemas/Pet' }, home: { $ref: '1#' } } };
    const root = document(
      { '/pets': { post: { operationId: 'add', requestBody: { content: { 'application/json': { schema: { $ref: '0#/components/schemas/Pet' } } } } } } },
      { components: { schemas: { Pet: pet } } },
    );
    const [operation] = operationsOf([root, { type: 'string', example: 'left out' }]).operations;
    expect(operation!.input).toMatchObject({
      properties: { body: { $ref: '#/$defs/Pet' } },
      $defs: { Pet: { properties: { parent: { $ref: '#/$defs/Pet' }, home: { $ref: '#/$defs/schema' } } }, schema: { type: 'string' } },
    });
  });

  it('keeps properties that are named as notes are', () => {
    expect(only({ parameters: [{ ...id, schema: { type: 'object', properties: { example: { type: 'string', example: 'x' }, $ref: { type: 'string' } } } }] }).input).toMatchObject({
      properties: { id: { properties: { example: { type: 'string' }, $ref: { type: 'string' } } } },
    });
  });

  it('keeps two parameters of one name apart', () => {
    expect(Object.keys((only({ parameters: [id, { name: 'id', in: 'query', schema: {} }] }).input as { properties: object }).properties)).toEqual(['path_id', 'query_id']);
  });

  it.each<[string, Json, string]>([
    ['refers to what is not there', { requestBody: { content: { 'application/json': { schema: { $ref: '0#/components/schemas/No' } } } } }, 'not there'],
    ['has a body that cannot be written', { requestBody: { content: { 'multipart/form-data': {} } } }, 'multipart/form-data'],
    ['has a style that its place does not know', { parameters: [{ name: 'a', in: 'query', style: 'matrix', schema: {} }] }, 'matrix'],
  ])('that %s is left out, with the reason', (_what, operation, reason) => {
    const { operations, problems } = operationsOf([document({ '/x': { post: operation, get: { operationId: 'fine' } } })]);
    expect(operations.map(({ name }) => name)).toEqual(['fine']);
    expect(problems.join()).toContain(reason);
  });

  it('that is larger than any tool is left out, and costs no more than that', () => {
    const wide = { type: 'object', properties: Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [`p${index}`, { type: 'string' }])) };
    expect(operationsOf([document({ '/x': { get: { parameters: [{ name: 'a', in: 'query', schema: wide }] } } })]).problems.join()).toContain('more than 20000 parts');
  });
});

describe('a request', () => {
  const wire = (style: string, explode: boolean, place = 'query'): OperationWire => ({
    method: 'GET',
    server: 'https://api.example/v1',
    path: place === 'path' ? '/a/{color}' : '/a',
    parameters: [{ argument: 'color', name: 'color', in: place as 'query', style: style as 'form', explode }],
  });
  const urlOf = (given: OperationWire, color: Json): string => {
    const made = operationRequest(given, given.server, { color }, {});
    return made.ok ? made.request.url.slice('https://api.example/v1'.length) : made.failure.message;
  };
  const array = ['blue', 'black'];
  const object = { R: 100, G: 200 };

  // The table of OpenAPI 3.1.1, 4.8.12.4 (with what RFC 6570 encodes).
  it.each<[string, boolean, string, Json, string]>([
    ['matrix', false, 'path', 'blue', '/a/;color=blue'],
    ['matrix', false, 'path', array, '/a/;color=blue,black'],
    ['matrix', false, 'path', object, '/a/;color=R,100,G,200'],
    ['matrix', true, 'path', array, '/a/;color=blue;color=black'],
    ['matrix', true, 'path', object, '/a/;R=100;G=200'],
    ['label', false, 'path', array, '/a/.blue,black'],
    ['label', true, 'path', array, '/a/.blue.black'],
    ['label', true, 'path', object, '/a/.R=100.G=200'],
    ['simple', false, 'path', array, '/a/blue,black'],
    ['simple', false, 'path', object, '/a/R,100,G,200'],
    ['simple', true, 'path', object, '/a/R=100,G=200'],
    ['form', false, 'query', 'blue', '/a?color=blue'],
    ['form', false, 'query', array, '/a?color=blue,black'],
    ['form', false, 'query', object, '/a?color=R,100,G,200'],
    ['form', true, 'query', array, '/a?color=blue&color=black'],
    ['form', true, 'query', object, '/a?R=100&G=200'],
    ['spaceDelimited', false, 'query', array, '/a?color=blue%20black'],
    ['pipeDelimited', false, 'query', array, '/a?color=blue%7Cblack'],
    ['deepObject', true, 'query', object, '/a?color%5BR%5D=100&color%5BG%5D=200'],
    ['form', true, 'query', 'a b&c=d/ü', '/a?color=a%20b%26c%3Dd%2F%C3%BC'],
  ])('writes %s (explode %s) in a %s: %j as %s', (style, explode, place, value, expected) => {
    expect(urlOf(wire(style, explode, place), value)).toBe(expected);
  });

  it.each(['..', '.', '', '%2e%2e/x'])('never lets a path argument %j lead elsewhere', (value) => {
    const url = urlOf(wire('simple', false, 'path'), value);
    expect(url.startsWith('/a/') ? new URL(`https://h${url}`).pathname.split('/').length : 'refused').toSatisfy((outcome) => outcome === 'refused' || outcome === 3);
  });

  it('refuses what a header must not carry', () => {
    const header: OperationWire = { ...wire('simple', false), parameters: [{ argument: 'h', name: 'x-note', in: 'header', style: 'simple', explode: false }] };
    expect(operationRequest(header, header.server, { h: 'a\r\nx: y' }, {})).toMatchObject({ ok: false, failure: { code: 'input-invalid' } });
  });

  it('lets no argument begin another cookie, or stand in for what the operator sends', () => {
    const placed = (place: 'header' | 'cookie', name: string): OperationWire => ({
      ...wire('simple', false),
      parameters: [{ argument: 'a', name, in: place, style: place === 'cookie' ? 'form' : 'simple', explode: true }],
    });
    const headersOf = (given: OperationWire, a: Json, secrets = {}): unknown => {
      const made = operationRequest(given, given.server, { a }, secrets);
      return made.ok ? made.request.headers : made.failure;
    };
    expect(headersOf(placed('cookie', 'theme'), 'x; admin=1')).toMatchObject({ cookie: 'theme=x%3B%20admin%3D1' });
    expect(headersOf(placed('cookie', 'theme'), 'x&admin=1')).toMatchObject({ cookie: 'theme=x%26admin%3D1' });
    expect(headersOf(placed('cookie', 'theme'), 'x', { Cookie: 'session=1' })).toEqual({ Cookie: 'session=1', accept: expect.any(String) });
    expect(headersOf(placed('header', 'X-Api-Key'), 'eve', { 'x-api-key': 'ours' })).toEqual({ 'x-api-key': 'ours', accept: expect.any(String) });
  });

  it('writes forms, JSON and text, and puts secrets into headers', () => {
    const post = (mediaType: string, body: Json) =>
      operationRequest({ ...wire('form', true), method: 'POST', parameters: [], body: { argument: 'body', mediaType } }, 'https://api.example/v1/', { body }, { authorization: { secret: 'K' } });
    expect(post('application/x-www-form-urlencoded', { a: 'x y', b: [1, 2], c: { d: 1 } })).toMatchObject({
      request: { body: 'a=x%20y&b=1&b=2&c=%7B%22d%22%3A1%7D', url: 'https://api.example/v1/a', headers: { authorization: { secret: 'K' } } },
    });
    expect(post('application/merge-patch+json', { a: 1 })).toMatchObject({ request: { body: '{"a":1}', headers: { 'content-type': 'application/merge-patch+json' } } });
    expect(post('text/plain', 'hi')).toMatchObject({ request: { body: 'hi' } });
  });
});
