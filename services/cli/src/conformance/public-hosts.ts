// Stand-ins on this machine for the public hosts that the suite's documents name: a pet store, and one that checks passwords.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { startLocalHttp, type LocalHttp } from '../processes/local-http.js';

export interface PublicHosts {
  /** A text with each public host replaced by its stand-in. */
  readonly localised: (text: string) => string;
  stop(): Promise<void>;
}

const PETS = [1, 2, 3].map((id) => ({ id, name: `pet ${id}`, status: 'available', photoUrls: [], tags: [] }));

/** The pet store's document in its OpenAPI 2.0 form, as far as the suite calls it. */
const petStore = (host: string): object => ({
  swagger: '2.0',
  info: { title: 'Pet store', version: '1.0.0' },
  host,
  basePath: '/v2',
  schemes: ['http'],
  produces: ['application/json'],
  paths: {
    '/pet/findByStatus': {
      get: {
        operationId: 'findPetsByStatus',
        parameters: [{ name: 'status', in: 'query', required: true, type: 'array', items: { type: 'string' }, collectionFormat: 'multi' }],
        responses: { 200: { description: 'pets', schema: { type: 'array', items: { type: 'object' } } } },
      },
    },
    '/pet/{petId}': {
      get: { operationId: 'getPetById', parameters: [{ name: 'petId', in: 'path', required: true, type: 'integer' }], responses: { 200: { description: 'a pet', schema: { type: 'object' } } } },
    },
  },
});

/** Starts them on free ports. */
export async function startPublicHosts(): Promise<PublicHosts> {
  const store = await startLocalHttp(answerAsPetStore);
  const gate = await startLocalHttp(answerAsGate);
  const hosts: readonly (readonly [RegExp, LocalHttp])[] = [
    [/https:\/\/petstore3?\.swagger\.io/g, store],
    [/https:\/\/httpbin\.org/g, gate],
  ];
  return {
    localised: (text) => hosts.reduce((changed, [host, server]) => changed.replace(host, server.url), text),
    stop: async () => void (await Promise.all(hosts.map(([, server]) => server.stop()))),
  };
}

function answerAsPetStore(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/v2/swagger.json') return answer(response, 200, petStore(request.headers.host ?? ''));
  if (pathname === '/v2/pet/findByStatus')
    return answer(
      response,
      200,
      PETS.filter(({ status }) => searchParams.getAll('status').includes(status)),
    );
  const pet = PETS.find(({ id }) => pathname === `/v2/pet/${id}`);
  answer(response, pet ? 200 : 404, pet ?? { type: 'error', message: 'Pet not found' });
}

function answerAsGate(request: IncomingMessage, response: ServerResponse): void {
  const [, kind, user = '', password = ''] = new URL(request.url ?? '/', 'http://localhost').pathname.split('/').map(decodeURIComponent);
  const given = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const isOpen = kind === 'basic-auth' && request.headers.authorization === given;
  if (!isOpen) response.setHeader('www-authenticate', 'Basic realm="stand-in"');
  answer(response, isOpen ? 200 : 401, { authenticated: isOpen, user });
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
