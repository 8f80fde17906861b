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

/** Sends two events at a time, from after the one that it is told of, and then closes. */
function sendNumbered({ headers }: IncomingMessage, response: ServerResponse): void {
  const last = Number(headers['last-event-id'] ?? 0);
  for (const n of [last + 1, last + 2]) response.write(`id: ${n}\ndata: {"n":${n}}\n\n`);
  response.end();
}

/** Serves the documents, takes messages over HTTP and sends some as events. */
async function answered(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const servers = {
    bus: { host: broker, protocol: 'kafka' },
    rest: { host: new URL(url).host, protocol: 'http' },
    shout: { host: 'example.com', protocol: 'mqtt' },
    far: { host: '127.0.0.1:11', protocol: 'kafka' },
  };
  const channels = {
    orders: { address: topic },
    positions: { address: `weft.requests.asyncapi-positions-${process.pid}` },
    hooks: { address: '/hooks', servers: [{ $ref: '#/servers/rest' }] },
    numbered: { address: '/numbered', servers: [{ $ref: '#/servers/rest' }] },
  };
  const on = (channel: keyof typeof channels): object => ({ action: 'send', channel: { $ref: `#/channels/${channel}` } });
  const operations = { send: on('orders'), post: on('hooks'), hear: on('numbered'), position: on('positions') };
  if (request.url === '/document') return void response.end(JSON.stringify({ asyncapi: '3.0.0', servers, channels, operations }));
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  if (request.method === 'POST') {
    received.push({ method: request.method, headers: request.headers, body: Buffer.concat(pieces).toString() });
    return void response.writeHead(received.at(-1)?.body.includes('refuse') ? 409 : 202).end();
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  if (request.url === '/numbered') return void sendNumbered(request, response);
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

  it('collects some at a time, and goes on after the last one where the server numbers what it sends', async () => {
    const some = (position: Json) => call({ operation: 'hear', subscription: { consume: { amount: 100 }, batch: { position } } });
    expect(await some(null)).toMatchObject({ output: { messages: [{ payload: { n: 1 } }, { payload: { n: 2 } }], position: { lastEventId: '2' } } });
    expect(await some({ lastEventId: '2' })).toMatchObject({ output: { messages: [{ payload: { n: 3 } }, { payload: { n: 4 } }], position: { lastEventId: '4' } } });
    expect(await call({ operation: 'hear', subscription: { consume: { amount: 1 }, batch: { position: { lastEventId: '4' } } } })).toMatchObject({
      output: { messages: [{ payload: { n: 5 } }], position: { lastEventId: '5' } },
    });
  });

  it('does not wait out its time with a message in hand', async () => {
    const begun = performance.now();
    expect(await call({ operation: 'post', subscription: { consume: { amount: 100 }, batch: { position: null } } })).toMatchObject({
      output: { messages: [{ payload: { n: 1 } }, { payload: { n: 2 } }, { payload: { n: 3 } }], position: {} },
    });
    expect(performance.now() - begun).toBeLessThan(1_400);
  });

  it('runs out of time where less came than is wanted', async () => {
    expect(await call({ operation: 'post', subscription: { consume: { amount: 4 } } })).toMatchObject({ code: 'timeout', message: expect.stringContaining('Expected 4 messages') });
  });

  it.each([
    [{ operation: 'post', server: { name: 'shout' }, message: { payload: 1 } }, 'not-configured', /speaks mqtt, and only kafka and http/],
    [{ operation: 'gone', message: { payload: 1 } }, 'input-invalid', /operations\/gone; it has send, post, hear, position/],
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

  describe('some at a time', () => {
    const positioned = `weft.requests.asyncapi-positions-${process.pid}`;
    let patient: ToolsParts;
    beforeAll(async () => {
      await ensureTopics({ brokers: [broker] }, [positioned]);
      patient = await startCalls(bench, { WEFT_EGRESS_ALLOW: [url, `http://${broker}`], WEFT_SUBSCRIPTION_TIMEOUT_MS: 10_000 });
    });

    interface Batch {
      readonly messages: readonly { readonly payload: number }[];
      readonly position: { readonly [partition: string]: string };
    }

    /** What one job finds from a position; the same asked again is another attempt, as after a crash. */
    async function some(position: Json, more: { readonly [field: string]: Json } = {}): Promise<Batch> {
      const asked = job({ operation: 'position', subscription: { consume: { amount: 100, ...more }, batch: { position } } });
      return ((await cameTo(patient, asked)) as unknown as { readonly output: Batch }).output;
    }
    const payloadsOf = ({ messages }: Batch): readonly number[] => messages.map(({ payload }) => payload).toSorted((left, right) => left - right);
    const publish = async (...numbers: readonly number[]): Promise<void> => {
      for (const n of numbers) expect(await publishOnce(cluster, positioned, { value: Buffer.from(String(n)), headers: {} }, String(n))).toEqual({ kind: 'published' });
    };

    it('begins where the topic ends, at once, and misses nothing from there on, whenever it is asked and however often', async () => {
      await publish(0);
      const { messages, position } = await some(null);
      expect(messages).toEqual([]);
      // Between two jobs nobody listens.
      await publish(1, 2);
      const found = await some(position);
      const again = await some(position);
      expect(payloadsOf(again)).toEqual(payloadsOf(found));
      await publish(3);
      const rest = await some(found.position);
      expect([...payloadsOf(found), ...payloadsOf(rest)].toSorted()).toEqual([1, 2, 3]);
    });

    it('takes no more than it is asked for, and leaves the others', async () => {
      const { position } = await some(null);
      await publish(1, 2, 3);
      const found: number[] = [];
      let at = position;
      for (let jobs = 0; jobs < 3; jobs++) {
        const one = await some(at, { amount: 1 });
        found.push(...payloadsOf(one));
        at = one.position;
      }
      expect(found.toSorted()).toEqual([1, 2, 3]);
    });

    it('gives where it has come to when nothing came in its time', async () => {
      const { position } = await some(null);
      expect(await some(position, { for: { milliseconds: 500 } })).toEqual({ messages: [], position });
    });

    it('goes on with the oldest that is kept, where its position is not there any more', async () => {
      const { position } = await some(null);
      const gone = Object.fromEntries(Object.keys(position).map((partition) => [partition, '999999']));
      expect(payloadsOf(await some(gone)).length).toBeGreaterThan(0);
    });
  });
});
