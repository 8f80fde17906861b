import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json, JsonObject } from '@weft/kernel';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { acceptAll, carried, openSourcesBench, type SourcesBench } from '../sources.testing.js';

/** How a server loses the answer of a call that it has carried out. */
interface Losing {
  call(response: ServerResponse): void;
  /** What the client is told that asks for the rest of a stream, or says that it waits no longer. */
  readonly afterwards: number;
}

const LISTED = { tools: [{ name: 'send', description: 'Sends a letter.', inputSchema: { type: 'object' } }] };

async function startLosing({ call, afterwards }: Losing) {
  let calls = 0;
  const answer = (response: ServerResponse, id: Json | undefined, result: object): void =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      if (request.method !== 'POST') return void response.writeHead(afterwards).end();
      const { id, method } = JSON.parse(text) as JsonObject;
      if (method === 'initialize') return answer(response, id, { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'losing', version: '1' } });
      if (method === 'tools/list') return answer(response, id, LISTED);
      if (method === 'tools/call') return (calls++, call(response));
      response.writeHead(method === 'notifications/cancelled' ? afterwards : 202).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    calls: () => calls,
    close: () => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))),
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}

let bench: SourcesBench;
let number = 0;
beforeAll(async () => {
  bench = await openSourcesBench();
});
afterEach(() => bench.stopAll());
afterAll(() => bench.close());

describe('a write whose answer a server loses', () => {
  it.each<readonly [string, Losing]>([
    [
      'a stream ends early, and the rest of it is not found',
      { call: (response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end('retry: 10\nid: 1\ndata:\n\n'), afterwards: 404 },
    ],
    ['nothing comes, and that nobody waits is refused', { call: () => undefined, afterwards: 400 }],
    ['nothing comes, and that nobody waits is taken', { call: () => undefined, afterwards: 202 }],
  ])('may have happened: %s', async (_what, losing) => {
    const server = await startLosing(losing);
    const source = `losing${++number}`;
    const tools = await bench.start([{ name: source, mcp: { url: server.url, protocol: '2025' }, timeoutMs: 700 }]);
    await acceptAll(tools, source);
    const { failJob } = await carried(tools, `${source}.send`, {});
    expect(server.calls()).toBe(1);
    expect(failJob).toMatchObject({ outcome: 'unknown', failure: { code: 'effect-unknown' } });
    await server.close();
  });
});
