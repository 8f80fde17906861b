import { readFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, Server, ServerCredentials, status, type Metadata, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Json } from '@weft/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ToolsBench, type ToolsParts } from '../source/tools.testing.js';
import { callJob, cameTo, startCalls } from './calls.testing.js';

const ENDLESS = `message M { // "\n${Array.from({ length: 30_000 }, (_, at) => `M f${at} = ${at + 1};`).join('')} }`;
const PROTO = fileURLToPath(new URL('./proto/greeter.proto', import.meta.url));
interface Hello {
  readonly preferred_name: string;
  readonly times: string;
}

let bench: ToolsBench;
let parts: ToolsParts;
let server: Server;
let documents: HttpServer;
let port: number;
let documentsUrl: string;
const seen: Metadata[] = [];

beforeAll(async () => {
  server = new Server();
  const { greet } = loadPackageDefinition(loadSync(PROTO, { longs: String, enums: String, keepCase: true })) as unknown as { greet: { v1: { Greeter: { service: ServiceDefinition } } } };
  const greeting = ({ preferred_name: name, times }: Hello) => ({ text: `Hello ${name}`, number: times, at: { seconds: '1700000000' }, tones: { a: 'WARM' } });
  server.addService(greet.v1.Greeter.service, {
    SayHello: (call: { readonly request: Hello; readonly metadata: Metadata }, answer: (error: object | null, value?: object) => void) => {
      seen.push(call.metadata);
      const code = { missing: status.NOT_FOUND, later: status.UNAVAILABLE }[call.request.preferred_name];
      if (call.request.preferred_name === 'hang') return;
      if (code !== undefined) return answer({ code, details: 'as planned' });
      answer(null, greeting(call.request));
    },
    Look: (call: { readonly request: Hello }, answer: (error: object | null, value?: object) => void) =>
      call.request.preferred_name === 'later' ? answer({ code: status.UNAVAILABLE, details: 'as planned' }) : answer(null, greeting(call.request)),
    Count: (call: { readonly request: Hello; write: (value: object) => void; end: () => void }) => {
      for (let n = 1; n <= Number(call.request.times); n++) call.write({ text: `${n}`, number: n });
      call.end();
    },
    Collect: (call: NodeJS.EventEmitter, answer: (error: null, value: object) => void) => {
      const names: string[] = [];
      call.on('data', (hello: Hello) => names.push(hello.preferred_name));
      call.on('end', () => answer(null, { text: names.join(' and ') }));
    },
    Chat: (call: NodeJS.EventEmitter & { write: (value: object) => void; end: () => void }) => {
      call.on('data', (hello: Hello) => call.write({ text: hello.preferred_name.toUpperCase() }));
      call.on('end', () => call.end());
    },
  });
  port = await new Promise<number>((resolve, reject) => server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))));
  documents = createServer((request, response) => {
    const text = { '/greeter.proto': readFileSync(PROTO, 'utf8'), '/broken.proto': 'message {', '/endless.proto': ENDLESS, '/other.proto': 'syntax = "proto3"; import "other/thing.proto";' }[
      request.url ?? ''
    ];
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
  await new Promise<void>((resolve) => documents.listen(0, '127.0.0.1', resolve));
  documentsUrl = `http://127.0.0.1:${(documents.address() as AddressInfo).port}`;
  bench = await ToolsBench.open();
  parts = await startCalls(bench, { WEFT_EGRESS_ALLOW: [documentsUrl, `http://127.0.0.1:${port}`], WEFT_CALL_TIMEOUT_MS: 1_500 });
});
afterAll(async () => {
  server.forceShutdown();
  documents.close();
  await bench.close();
});

const call = (method: string, args: Json, more: { readonly [name: string]: Json } = {}) =>
  cameTo(parts, callJob('grpc', { proto: { endpoint: `${documentsUrl}/greeter.proto` }, service: { name: 'greet.v1.Greeter', host: '127.0.0.1', port }, method, arguments: args, ...more }));

describe('call: grpc', () => {
  it('sends the arguments in the JSON form of the message, and gives the answer in its', async () => {
    expect(await call('SayHello', { preferredName: 'ada', times: '9007199254740993', polite: true })).toEqual({
      output: { text: 'Hello ada', number: '9007199254740993', at: '2023-11-14T22:13:20Z', tones: { a: 'WARM' } },
      taint: [`grpc:127.0.0.1:${port}`],
    });
  });

  it('takes field names as the document writes them, and the service without its package', async () => {
    expect(await call('SayHello', { preferred_name: 'ada' }, { service: { name: 'Greeter', host: '127.0.0.1', port } })).toMatchObject({ output: { text: 'Hello ada' } });
  });

  it('carries the idempotency key with it', async () => {
    const job = callJob('grpc', { proto: { endpoint: `${documentsUrl}/greeter.proto` }, service: { name: 'Greeter', host: '127.0.0.1', port }, method: 'SayHello', arguments: {} });
    await cameTo(parts, job);
    expect(seen.at(-1)?.get('idempotency-key')).toEqual([expect.stringContaining(job.executionId)]);
  });

  it('says who it is', async () => {
    await call('SayHello', {}, { service: { name: 'Greeter', host: '127.0.0.1', port, authentication: { basic: { username: 'ada', password: 'open sesame' } } } });
    expect(seen.at(-1)?.get('authorization')).toEqual([`Basic ${Buffer.from('ada:open sesame').toString('base64')}`]);
  });

  it('with credentials that no header can carry is not sent, and tells nothing of them', async () => {
    const failed = await call('SayHello', {}, { service: { name: 'Greeter', host: '127.0.0.1', port, authentication: { bearer: { token: 'hush-hush-hush\n' } } } });
    expect(failed).toMatchObject({ code: 'not-configured', outcome: 'failed', message: expect.stringContaining('line break') });
    expect(JSON.stringify(failed)).not.toContain('hush');
  });

  it('gives the list of what the server streams', async () => {
    expect(await call('Count', { times: 3 })).toMatchObject({ output: [{ text: '1' }, { text: '2' }, { text: '3' }] });
    expect(await call('Count', {})).toMatchObject({ output: [] });
  });

  it('streams the list `messages` to a server that takes a stream', async () => {
    const messages = [{ preferredName: 'ada' }, { preferredName: 'bob' }];
    expect(await call('Collect', { messages })).toMatchObject({ output: { text: 'ada and bob' } });
    expect(await call('Chat', { messages })).toMatchObject({ output: [{ text: 'ADA' }, { text: 'BOB' }] });
  });

  it('that the server refuses fails, without a doubt about its effect', async () => {
    expect(await call('SayHello', { preferredName: 'missing' })).toMatchObject({ code: 'tool-failed', outcome: 'failed', message: expect.stringContaining('NOT_FOUND: as planned') });
  });

  it('that may have been carried out is unknown, unless its document says that it only looks', async () => {
    expect(await call('SayHello', { preferredName: 'later' })).toMatchObject({ code: 'effect-unknown', outcome: 'unknown', needsPerson: true });
    expect(await call('Look', { preferredName: 'later' })).toMatchObject({ code: 'unreachable', outcome: 'none' });
  });

  it('ends with its time', async () => {
    expect(await call('SayHello', { preferredName: 'hang' })).toMatchObject({ code: 'effect-unknown', outcome: 'unknown' });
  });

  it('goes only where egress lets it', async () => {
    expect(await call('Look', {}, { service: { name: 'Greeter', host: '127.0.0.1', port: 9 } })).toMatchObject({ code: 'unreachable', message: expect.stringContaining('WEFT_EGRESS_ALLOW') });
  });

  it.each([
    ['a method that there is not', { method: 'Shout' }, 'input-invalid', /There are: greet\.v1\.Greeter\/SayHello/],
    ['arguments that the message cannot hold', { arguments: { name: 'ada' } }, 'input-invalid', /that greet\.v1\.Hello can hold/],
    ['a document that is none', { proto: { endpoint: '/broken.proto' } }, 'not-configured', /broken\.proto to be a \.proto document/],
    ['a document that needs another', { proto: { endpoint: '/other.proto' } }, 'not-configured', /imports other\/thing\.proto/],
    ['a document that would take minutes to read', { proto: { endpoint: '/endless.proto' } }, 'not-configured', /more than 5000 statements/],
    ['a document that is not there', { proto: { endpoint: '/gone.proto' } }, 'http-status', /404/],
  ])('%s is refused, before anything is sent', async (_what, more, code, words) => {
    const proto = 'proto' in more ? { proto: { endpoint: `${documentsUrl}${(more.proto as { endpoint: string }).endpoint}` } } : {};
    expect(await call('SayHello', {}, { ...(more as { readonly [name: string]: Json }), ...proto })).toMatchObject({ code, outcome: 'none', message: expect.stringMatching(words) });
  });
});
