import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectFrom, ensureTopics, publishOnce, type ForeignCluster, type ForeignMessage } from '@weft/adapter-kafka';
import type { Json } from '@weft/kernel';
import { describeAgainst, serverUnderTest } from '@weft/port-specs';
import { eventually } from '@weft/testkit';
import { createConnection } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ToolsBench, type ToolsParts } from '../source/tools.testing.js';
import { callJob, cameTo, startCalls } from './calls.testing.js';

const kafka = serverUnderTest('kafka');
const broker = kafka.address ?? '127.0.0.1:9';
const topic = `weft.requests.asyncapi-${process.pid}`;

let bench: ToolsBench;
let parts: ToolsParts;
let server: Server;
let url: string;
const received: { readonly method: string; readonly headers: IncomingMessage['headers']; readonly body: string }[] = [];

/** Serves the documents, takes messages over HTTP and sends some as events. */
async function answered(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const servers = {
    bus: { host: broker, protocol: 'kafka' },
    rest: { host: new URL(url).host, protocol: 'http' },
    shout: { host: 'example.com', protocol: 'mqtt' },
    far: { host: '127.0.0.1:11', protocol: 'kafka' },
  };
  const channels = { orders: { address: topic }, hooks: { address: '/hooks', servers: [{ $ref: '#/servers/rest' }] } };
  const operations = { send: { action: 'send', channel: { $ref: '#/channels/orders' } }, post: { action: 'send', channel: { $ref: '#/channels/hooks' } } };
  if (request.url === '/document') return void response.end(JSON.stringify({ asyncapi: '3.0.0', servers, channels, operations }));
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  if (request.method === 'POST') {
    received.push({ method: request.method, headers: request.headers, body: Buffer.concat(pieces).toString() });
    return void response.writeHead(received.at(-1)?.body.includes('refuse') ? 409 : 202).end();
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const n of [1, 2, 3]) response.write(`data: {"n":${n}}\n\n`);
}

beforeAll(async () => {
  server = createServer((request, response) => void answered(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  bench = await ToolsBench.open();
  parts = await startCalls(bench, { WEFT_EGRESS_ALLOW: [url, `http://${broker}`], WEFT_SUBSCRIPTION_TIMEOUT_MS: 1_500 });
});
beforeEach(() => void received.splice(0));
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await bench.close();
});

const job = (args: { readonly [name: string]: Json }) => callJob('asyncapi', { document: { endpoint: `${url}/document` }, ...args });
const call = (args: { readonly [name: string]: Json }) => cameTo(parts, job(args));

describe('call: asyncapi over HTTP', () => {
  it('publishes the payload as JSON, with the headers of the message and the key of the job', async () => {
    expect(await call({ operation: 'post', message: { payload: { greetings: 'Hello' }, headers: { foo: 'bar' } } })).toMatchObject({ output: null });
    expect(received).toMatchObject([{ body: '{"greetings":"Hello"}', headers: { foo: 'bar', 'idempotency-key': expect.any(String), 'content-type': 'application/json' } }]);
  });

  it.each([
    ['Host', 'internal.test'],
    ['Transfer-Encoding', 'chunked'],
    ['foo', 'bar\r\nx: y'],
  ])('sends no header %s that would make another request of it', async (name, value) => {
    expect(await call({ operation: 'post', message: { payload: 1, headers: { [name]: value } } })).toMatchObject({ code: 'input-invalid', outcome: 'none' });
    expect(received).toEqual([]);
  });

  it('says who it is', async () => {
    await call({ operation: 'post', message: { payload: 1 }, authentication: { bearer: { token: 'open-sesame' } } });
    expect(received[0]?.headers['authorization']).toBe('Bearer open-sesame');
  });

  it('that is refused fails, without a doubt about its effect', async () => {
    expect(await call({ operation: 'post', message: { payload: 'refuse' } })).toMatchObject({ code: 'http-status', outcome: 'failed' });
  });

  it('collects what is sent as events, until there are enough or the time is over', async () => {
    expect(await call({ operation: 'post', subscription: { consume: { amount: 2 } } })).toMatchObject({ output: [{ payload: { n: 1 } }, { payload: { n: 2 } }] });
    expect(await call({ operation: 'post', subscription: { consume: { for: { milliseconds: 300 } } } })).toMatchObject({
      output: [{ payload: { n: 1 } }, { payload: { n: 2 } }, { payload: { n: 3 } }],
    });
  });

  it('takes only what its filter holds for', async () => {
    const filter = { expression: '.payload.n == $context.wanted', variables: { context: { wanted: 2 } } };
    expect(await call({ operation: 'post', subscription: { filter, consume: { amount: 1 } } })).toMatchObject({ output: [{ payload: { n: 2 } }] });
  });

  it('runs out of time where less came than is wanted', async () => {
    expect(await call({ operation: 'post', subscription: { consume: { amount: 4 } } })).toMatchObject({ code: 'timeout', message: expect.stringContaining('Expected 4 messages') });
  });

  it.each([
    [{ operation: 'post', server: { name: 'shout' }, message: { payload: 1 } }, 'not-configured', /speaks mqtt, and only kafka and http/],
    [{ operation: 'gone', message: { payload: 1 } }, 'input-invalid', /operations\/gone; it has send, post/],
  ])('%j is refused', async (args, code, words) => {
    expect(await call(args as { readonly [name: string]: Json })).toMatchObject({ code, outcome: 'none', message: expect.stringMatching(words) });
  });

  it('goes only where egress lets it, over Kafka too', async () => {
    expect(await call({ operation: 'send', server: { name: 'far' }, message: { payload: 1 } })).toMatchObject({
      code: 'unreachable',
      outcome: 'failed',
      message: expect.stringContaining('WEFT_EGRESS_ALLOW'),
    });
  });
});

describeAgainst(kafka, 'call: asyncapi over Kafka', () => {
  const cluster: ForeignCluster = { brokers: broker, isSecure: false, connect: ({ host, port, onConnect }) => createConnection({ host, port }, onConnect) };
  beforeAll(() => ensureTopics({ brokers: [broker] }, [topic]));

  it('publishes a message with the key of the job, once', async () => {
    const taken: ForeignMessage[] = [];
    let isReady = false;
    const collecting = collectFrom(cluster, topic, `spec-${process.pid}`, { forMs: 30_000, onReady: () => (isReady = true), take: (message) => taken.push(message) >= 1 });
    await eventually(() => isReady, { timeoutMs: 20_000 });
    const published = job({ operation: 'send', message: { payload: { order: 1 }, headers: { foo: 'bar' } } });
    expect(await cameTo(parts, published)).toMatchObject({ output: null });
    expect(await cameTo(parts, published)).toMatchObject({ output: null });
    await collecting;
    expect(taken.map(({ value }) => value.toString())).toEqual(['{"order":1}']);
    expect(taken[0]?.headers).toMatchObject({ foo: 'bar', 'idempotency-key': expect.stringContaining(published.executionId) });
  });

  it('collects what is published while it listens', async () => {
    const longer = await startCalls(bench, { WEFT_EGRESS_ALLOW: [url, `http://${broker}`], WEFT_SUBSCRIPTION_TIMEOUT_MS: 20_000 });
    const collected = cameTo(longer, job({ operation: 'send', subscription: { filter: { expression: '.payload.n > 1', variables: {} }, consume: { amount: 2 } } }));
    let n = 0;
    const timer = setInterval(() => void publishOnce(cluster, topic, { value: Buffer.from(JSON.stringify({ n: ++n })), headers: { correlationId: 'c1' } }, 'k'), 400);
    const { output } = (await collected) as unknown as { readonly output: readonly { readonly payload: { readonly n: number }; readonly correlationId: string }[] };
    clearInterval(timer);
    expect(output).toHaveLength(2);
    expect(output.every(({ payload, correlationId }) => payload.n > 1 && correlationId === 'c1')).toBe(true);
  });

  it('gives what came, and be it nothing, where it is to collect for a time', async () => {
    expect(await call({ operation: 'send', subscription: { consume: { for: { seconds: 1 } } } })).toMatchObject({ output: [] });
  });
});
