import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json, JsonObject } from '@weft/kernel';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ToolsBench, type ToolsParts } from '../source/tools.testing.js';
import { callJob, cameTo, startCalls } from './calls.testing.js';

interface Asked {
  readonly headers: IncomingMessage['headers'];
  readonly body: { readonly method: string; readonly id: Json; readonly jsonrpc: string; readonly params: JsonObject & { readonly message?: JsonObject } };
}

let bench: ToolsBench;
let parts: ToolsParts;
let server: Server;
let url: string;
const asked: Asked[] = [];

/** An agent that speaks A2A 0.3: what a message says is what it does. */
beforeAll(async () => {
  const answered = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const json = (value: Json, status = 200): void => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (request.url === '/card') return json({ name: 'reporter', url: `${url}/rpc`, preferredTransport: 'JSONRPC', version: '1' });
    if (request.url === '/grpc-card') return json({ name: 'reporter', url: 'http://x', preferredTransport: 'GRPC', additionalInterfaces: [{ transport: 'JSONRPC', url: `${url}/rpc` }] });
    if (request.url === '/empty-card') return json({ name: 'reporter' });
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = JSON.parse(Buffer.concat(pieces).toString()) as Asked['body'];
    asked.push({ headers: request.headers, body });
    const text = JSON.stringify(body.params);
    const answer = (fields: JsonObject): JsonObject => ({ jsonrpc: '2.0', id: body.id, ...fields });
    if (text.includes('crash')) return json({}, 500);
    if (text.includes('refuse')) return json(answer({ error: { code: -32_001, message: 'Task not found' } }));
    if (body.method !== 'message/stream' && body.method !== 'tasks/resubscribe') return json(answer({ result: { method: body.method, kind: 'task', id: 't1' } }));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const state of ['submitted', 'working', 'completed']) response.write(`data: ${JSON.stringify(answer({ result: { kind: 'status-update', state } }))}\n\n`);
    if (text.includes('fail late')) response.write(`data: ${JSON.stringify(answer({ error: { code: -32_603, message: 'gave up' } }))}\n\n`);
    if (text.includes('cut')) return void setTimeout(() => request.socket.destroy(), 50);
    if (!text.includes('hang')) response.end();
  };
  server = createServer((request, response) => void answered(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  bench = await ToolsBench.open();
  parts = await startCalls(bench, { WEFT_EGRESS_ALLOW: [url], WEFT_AGENT_TIMEOUT_MS: 700 });
});
beforeEach(() => void asked.splice(0));
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await bench.close();
});

const say = (text: string): Json => ({ message: { parts: [{ kind: 'text', text }] } });
const job = (method: string, parameters: Json, more: { readonly [name: string]: Json } = {}) => callJob('a2a', { method, parameters, server: `${url}/rpc`, ...more });
const call = (...args: Parameters<typeof job>) => cameTo(parts, job(...args));

describe('call: a2a', () => {
  it.each([
    'message/send',
    'tasks/get',
    'tasks/list',
    'tasks/cancel',
    'tasks/pushNotificationConfig/set',
    'tasks/pushNotificationConfig/get',
    'tasks/pushNotificationConfig/list',
    'tasks/pushNotificationConfig/delete',
    'agent/getAuthenticatedExtendedCard',
  ])('%s is a request of JSON-RPC, and its result the output', async (method) => {
    expect(await call(method, { id: 't1' })).toEqual({ output: { method, kind: 'task', id: 't1' }, taint: [`a2a:${new URL(url).host}`] });
    expect(asked[0]?.body).toMatchObject({ jsonrpc: '2.0', method, params: { id: 't1' } });
  });

  it.each(['message/stream', 'tasks/resubscribe'])('%s gives the list of all results, in order', async (method) => {
    expect(await call(method, say('report'))).toMatchObject({ output: [{ state: 'submitted' }, { state: 'working' }, { state: 'completed' }] });
    expect(asked[0]?.headers['accept']).toBe('text/event-stream');
  });

  it('gives a message a role and an id, the same one when the call comes again', async () => {
    const sent = job('message/send', say('crash'));
    await cameTo(parts, sent);
    await cameTo(parts, { ...sent, id: 'again' });
    const [first] = asked;
    expect(first?.body.params.message).toMatchObject({
      role: 'user',
      messageId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/),
      parts: [{ text: 'crash' }],
    });
    expect(first?.headers['idempotency-key']).toContain(sent.executionId);
  });

  it('keeps the id and role that the document gives', async () => {
    await call('message/send', { message: { messageId: 'mine', role: 'agent', parts: [] } });
    expect(asked[0]?.body.params.message).toMatchObject({ messageId: 'mine', role: 'agent' });
  });

  it.each(['/card', '/grpc-card'])('finds the agent by its card (%s)', async (card) => {
    expect(await call('tasks/get', { id: 't1' }, { agentCard: { endpoint: `${url}${card}` } })).toMatchObject({ output: { id: 't1' } });
  });

  it('is refused where the card names no address that speaks JSON-RPC', async () => {
    expect(await call('tasks/get', { id: 't1' }, { agentCard: { endpoint: `${url}/empty-card` } })).toMatchObject({ code: 'not-configured', message: expect.stringContaining('/empty-card') });
  });

  it('says who it is, and tells nobody how', async () => {
    const guarded = { server: { uri: `${url}/rpc`, authentication: { bearer: { token: 'open-sesame' } } } };
    const failed = await call('message/send', say('refuse open-sesame'), guarded);
    expect(asked[0]?.headers['authorization']).toBe('Bearer open-sesame');
    expect(JSON.stringify(failed)).not.toContain('open-sesame');
    expect(await call('tasks/get', { id: 't1' }, { server: { uri: `${url}/rpc`, authentication: { digest: { username: 'a', password: 'b' } } } })).toMatchObject({ code: 'not-configured' });
  });

  it('that the agent refuses fails, and asks no person', async () => {
    expect(await call('message/send', say('refuse'))).toMatchObject({ code: 'tool-failed', outcome: 'failed', needsPerson: false, message: expect.stringContaining('-32001: Task not found') });
    expect(await call('message/stream', say('refuse'))).toMatchObject({ code: 'tool-failed', message: expect.stringContaining('Task not found') });
    expect(await call('message/stream', say('fail late'))).toMatchObject({ code: 'tool-failed', message: expect.stringContaining('gave up') });
  });

  it('whose answer is lost may have been carried out', async () => {
    expect(await call('message/send', say('crash'))).toMatchObject({ code: 'effect-unknown', outcome: 'unknown', needsPerson: true });
    expect(await call('message/stream', say('cut'))).toMatchObject({ code: 'effect-unknown', outcome: 'unknown' });
    expect(await call('message/stream', say('hang'))).toMatchObject({ code: 'effect-unknown', outcome: 'unknown' });
  });

  it('that only looks fails with what went wrong', async () => {
    expect(await call('tasks/get', { id: 'crash' })).toMatchObject({ code: 'http-status', outcome: 'none' });
    expect(await call('tasks/resubscribe', { id: 'hang' })).toMatchObject({ code: 'timeout', outcome: 'none' });
  });

  it('goes only where egress lets it', async () => {
    expect(await call('tasks/get', { id: 't1' }, { server: 'http://127.0.0.1:9' })).toMatchObject({ code: 'denied' });
  });
});
