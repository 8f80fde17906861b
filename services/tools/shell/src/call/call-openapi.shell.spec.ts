import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from '@weft/kernel';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ToolsBench, type ToolsParts } from '../source/tools.testing.js';
import { callJob, cameTo, startCalls } from './calls.testing.js';

const VERSION_2 = (host: string): object => ({
  swagger: '2.0',
  info: { title: 'Pets', version: '1' },
  host,
  basePath: '/v2',
  schemes: ['http'],
  parameters: { Pet: { name: 'pet', in: 'body', required: true, schema: { $ref: '#/definitions/Pet' } } },
  definitions: { Pet: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } } },
  paths: {
    '/pets/{id}': {
      get: {
        operationId: 'getPet',
        parameters: [
          { name: 'id', in: 'path', required: true, type: 'integer' },
          { name: 'tags', in: 'query', type: 'array', items: { type: 'string' }, collectionFormat: 'multi' },
          { name: 'fields', in: 'query', type: 'array', items: { type: 'string' }, collectionFormat: 'csv' },
          { name: 'X-Trace', in: 'header', type: 'string' },
        ],
        responses: { 200: { description: 'ok' } },
      },
      post: {
        operationId: 'renamePet',
        consumes: ['application/x-www-form-urlencoded'],
        parameters: [
          { name: 'id', in: 'path', required: true, type: 'integer' },
          { name: 'name', in: 'formData', type: 'string' },
        ],
        responses: { 200: { description: 'ok' } },
      },
    },
    '/pets': { put: { operationId: 'putPet', parameters: [{ $ref: '#/parameters/Pet' }], responses: { 200: { description: 'ok' } } } },
  },
});

const VERSION_3 = {
  openapi: '3.1.0',
  info: { title: 'Pets', version: '1' },
  servers: [{ url: '/v3/{stage}', variables: { stage: { default: 'live' } } }],
  paths: {
    '/pets/{id}': {
      get: {
        operationId: 'getPet',
        parameters: [
          { name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } },
          { name: 'filter', in: 'query', style: 'deepObject', explode: true, schema: { type: 'object', properties: { color: { type: 'string' } } } },
          { name: 'session', in: 'cookie', schema: { type: 'string' } },
        ],
        responses: { 200: { description: 'ok' } },
      },
    },
    '/pets': {
      post: { operationId: 'addPet', requestBody: { required: true, content: { 'application/json': { schema: { type: 'object', required: ['name'] } } } }, responses: { 201: { description: 'ok' } } },
    },
    '/moved': { get: { operationId: 'moved', responses: { 302: { description: 'elsewhere' } } } },
    '/upload': { post: { operationId: 'upload', requestBody: { content: { 'image/png': {} } }, responses: { 200: { description: 'ok' } } } },
  },
};

const hostileOf = (server: string, parameter: object, more: object = {}): object => ({
  openapi: '3.1.0',
  info: { title: 'H', version: '1' },
  servers: [{ url: server }],
  paths: { '/cycle': { get: { operationId: 'get', parameters: [parameter], responses: { 200: { description: 'ok' } } } } },
  ...more,
});
const TREE = { name: 'tree', in: 'query', schema: { $ref: '#/components/schemas/Tree' } };
const HOSTILE: Readonly<Record<string, object>> = {
  '/metadata.json': hostileOf('http://169.254.169.254/', { name: 'a', in: 'query' }),
  '/listed-metadata.json': hostileOf('/', { $ref: 'http://169.254.169.254/latest#/a' }),
  '/cycle.json': hostileOf('/', TREE, { components: { schemas: { Tree: { type: 'object', properties: { left: { $ref: '#/components/schemas/Tree' } } } } } }),
  '/endless.json': hostileOf('/', { $ref: '#/components/parameters/a' }, { components: { parameters: { a: { $ref: '#/components/parameters/b' }, b: { $ref: '#/components/parameters/a' } } } }),
};

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const asked: Asked[] = [];
let bench: ToolsBench;
let parts: ToolsParts;
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const json = (status: number, content: object, headers: object = {}): void => void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(content));
      if (request.url === '/v2.json') return json(200, VERSION_2(request.headers.host ?? ''));
      if (request.url === '/v3.json') return json(200, VERSION_3);
      const hostile = HOSTILE[request.url ?? ''];
      if (hostile) return json(200, hostile);
      asked.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      return request.url === '/v3/live/moved' ? json(302, { moved: true }, { location: '/v3/live/pets' }) : json(200, { done: true });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  bench = await ToolsBench.open();
  parts = await startCalls(bench, { WEFT_EGRESS_ALLOW: [url] });
});
afterAll(async () => {
  await bench.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => void asked.splice(0));

const call = (version: 2 | 3, operationId: string, parameters: object = {}, more: object = {}) =>
  cameTo(parts, callJob('openapi', { document: { endpoint: { uri: `${url}/v${version}.json` } }, operationId, parameters, ...more } as Json));

describe('call: openapi', () => {
  it('whose document is hostile is refused, and leads nowhere that calls may not go', async () => {
    const of = (name: string, more: object = {}) => cameTo(parts, callJob('openapi', { document: { endpoint: { uri: `${url}/${name}.json` } }, operationId: 'get', parameters: {}, ...more } as Json));
    expect(await of('metadata')).toMatchObject({ code: 'denied', outcome: 'none' });
    expect(await of('listed-metadata')).toMatchObject({ code: 'not-configured', message: expect.stringContaining('169.254.169.254') as string });
    expect(await of('cycle', { parameters: { tree: {} } })).toMatchObject({ output: { done: true } });
    expect(await of('endless')).toMatchObject({ code: 'not-configured' });
    expect(asked.map((one) => one.url)).toEqual(['/cycle']);
  });

  it('of version 2.0 writes each parameter where and how its document wants it', async () => {
    expect(await call(2, 'getPet', { id: 7, tags: ['a b', 'c'], fields: ['x', 'y'], 'X-Trace': 'z' })).toMatchObject({ output: { done: true }, taint: [`openapi:${new URL(url).host}`] });
    expect(asked).toMatchObject([{ method: 'GET', url: '/v2/pets/7?tags=a%20b&tags=c&fields=x,y', headers: { 'x-trace': 'z', 'idempotency-key': expect.any(String) as string } }]);
  });

  it('of version 3.1 does so too, below the server of the document', async () => {
    expect(await call(3, 'getPet', { id: 7, filter: { color: 'red' }, session: 's' })).toMatchObject({ output: { done: true } });
    expect(asked).toMatchObject([{ method: 'GET', url: '/v3/live/pets/7?filter%5Bcolor%5D=red', headers: { cookie: 'session=s' } }]);
  });

  it('takes a body by the name of its parameter in version 2.0, and as body', async () => {
    await call(2, 'putPet', { pet: { name: 'Milou' } });
    await call(2, 'putPet', { body: { name: 'Milou' } });
    await call(3, 'addPet', { body: { name: 'Milou' } });
    expect(asked.map(({ method, body }) => [method, body])).toEqual([
      ['PUT', '{"name":"Milou"}'],
      ['PUT', '{"name":"Milou"}'],
      ['POST', '{"name":"Milou"}'],
    ]);
  });

  it('takes the fields of a form among the parameters', async () => {
    await call(2, 'renamePet', { id: 7, name: 'Milou & Co' });
    expect(asked).toMatchObject([{ url: '/v2/pets/7', body: 'name=Milou%20%26%20Co' }]);
  });

  it('takes one value for a list, and numbers as texts: in a URL they are the same', async () => {
    await call(2, 'getPet', { id: '7', tags: 'available' });
    expect(asked).toMatchObject([{ url: '/v2/pets/7?tags=available' }]);
  });

  it('authenticates by a policy', async () => {
    await call(3, 'getPet', { id: 7 }, { authentication: { bearer: { token: 'the-token-of-the-spec' } } });
    expect(asked[0]?.headers['authorization']).toBe('Bearer the-token-of-the-spec');
  });

  it('gives content, response or raw', async () => {
    expect(await call(3, 'getPet', { id: 7 }, { output: 'raw' })).toMatchObject({ output: Buffer.from('{"done":true}').toString('base64') });
    expect(await call(3, 'getPet', { id: 7 }, { output: 'response' })).toMatchObject({
      output: { request: { method: 'GET', uri: `${url}/v3/live/pets/7` }, statusCode: 200, content: { done: true } },
    });
  });

  it('takes a redirect as an error unless it is told that it is none', async () => {
    expect(await call(3, 'moved')).toMatchObject({ code: 'http-status' });
    expect(await call(3, 'moved', {}, { redirect: true })).toMatchObject({ output: { moved: true } });
  });

  it.each([
    [2, 'getPet', { id: 'seven' }, 'input-invalid', 'id'],
    [2, 'getPet', {}, 'input-invalid', 'id'],
    [2, 'getPet', { id: 7, colour: 'red' }, 'input-invalid', 'additional properties'],
    [3, 'getPet', { id: 0 }, 'input-invalid', 'id'],
    [3, 'addPet', { body: {} }, 'input-invalid', 'name'],
    [3, 'no-such', {}, 'not-configured', 'there is none'],
    [3, 'upload', {}, 'not-configured', 'image/png'],
  ] as const)('of version %s refuses %s of %j before anything is sent', async (version, operationId, parameters, code, words) => {
    expect(await call(version, operationId, parameters)).toMatchObject({ code, message: expect.stringContaining(words) as string });
    expect(asked).toEqual([]);
  });

  it('fails when its document is not there', async () => {
    expect(await cameTo(parts, callJob('openapi', { document: { endpoint: `${url}/nothing.yaml` }, operationId: 'x' }))).toMatchObject({
      code: 'not-configured',
      message: expect.stringContaining('OpenAPI') as string,
    });
    expect(await cameTo(parts, callJob('openapi', { document: { endpoint: 'http://127.0.0.1:9/api.yaml' }, operationId: 'x' }))).toMatchObject({ code: 'denied' });
  });
});
