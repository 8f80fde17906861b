// The MCP server behind the gateway's door, asked by the official client in both eras of the protocol.
import 'reflect-metadata';
import { Client, StreamableHTTPClientTransport, type CallToolResult } from '@modelcontextprotocol/client';
import { LocalBus } from '@weft/adapter-local';
import { engineRole, openPool, openScratchStore } from '@weft/adapter-postgres';
import { contextOf, type AcceptRequest, type AuditPeer, type Context, type Execution, type OrchestrationPeer, type ResultBody, type RoutingPeer } from '@weft/contracts';
import { refuse, type Json } from '@weft/kernel';
import { createApp } from '@weft/nest-platform';
import { outgoing } from '@weft/pipeline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatewayConfig } from '../config.js';
import { GatewayModule } from '../gateway.module.js';
import { createApiKey } from '../keys/api-key.store.js';
import { gatewayMigrations } from '../migrations/index.js';
import type { ToolsPeers } from '../ports.js';
import { parseExposedTools } from './exposed-tools.js';
import { IDEMPOTENCY_META } from './mcp-server.js';

const FILE = JSON.stringify({
  tools: [
    { name: 'triage', description: 'Triages a complaint.', type: 'com.example.complaint.v1', input: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } } },
    { name: 'forbidden', description: 'Has no route.', type: 'com.example.unknown.v1' },
    { name: 'only_acme', description: 'For one tenant.', type: 'com.example.acme.v1', tenants: ['acme'] },
  ],
});
const UNENDING = 'unending';

let given: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  given = await start();
});
afterAll(() => given.close());

describe.each(['legacy', '2026-07-28'])('MCP of %s', (era) => {
  const connected = async (key: string): Promise<Client> => {
    const client = new Client({ name: 'spec', version: '1' }, { versionNegotiation: { mode: era === 'legacy' ? 'legacy' : { pin: era } } });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${given.url}/mcp`), { requestInit: { headers: { authorization: `Bearer ${key}` } } }));
    return client;
  };
  const call = async (client: Client, name: string, args: { [name: string]: Json }, meta: { [name: string]: Json } = {}) =>
    (await client.callTool({ name, arguments: args, _meta: meta })) as CallToolResult;

  it('shows a tenant the tools that are exposed to it, with their schemas', async () => {
    const client = await connected(given.key);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['triage', 'forbidden', 'weft_execution_get', 'weft_execution_cancel']);
    expect(tools[0]).toMatchObject({ description: 'Triages a complaint.', inputSchema: { required: ['text'] } });
    await client.close();
    const acme = await connected(given.acmeKey);
    expect((await acme.listTools()).tools.map(({ name }) => name)).toContain('only_acme');
    await acme.close();
  });

  it('makes a call a request event, tells its progress, and answers with what came of it', async () => {
    const client = await connected(given.key);
    const progress: string[] = [];
    const result = await client.callTool({ name: 'triage', arguments: { text: 'late' } }, { onprogress: ({ message = '' }) => void progress.push(message) });
    expect(result).toMatchObject({ structuredContent: { answer: 'late' }, content: [{ type: 'text', text: '{"answer":"late"}' }] });
    expect(progress[0]).toMatch(/accepted as execution/);
    const [event, context] = given.accepted.at(-1)!;
    expect(event).toMatchObject({ type: 'com.example.complaint.v1', source: '/mcp', dataJson: '{"text":"late"}' });
    expect(context).toMatchObject({ tenant: 'default', purpose: 'com.example.complaint.v1' });
    await client.close();
  });

  it('names the request by the idempotency key of the call', async () => {
    const client = await connected(given.key);
    await call(client, 'triage', { text: 'once' }, { [IDEMPOTENCY_META]: 'order-7' });
    expect(given.accepted.at(-1)![0].id).toBe('triage/order-7');
    expect(await call(client, 'triage', { text: 'once' }, { [IDEMPOTENCY_META]: 'not one word' })).toMatchObject({ isError: true });
    await client.close();
  });

  it('tells refusals and failures as errors of the tool', async () => {
    const client = await connected(given.key);
    expect(await call(client, 'forbidden', {})).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('no-route') }] });
    expect(await call(client, 'triage', { text: 'fail' })).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('as planned') }] });
    const before = given.accepted.length;
    expect(await call(client, 'triage', {}).catch((error: unknown) => ({ isError: true, error }))).toMatchObject({ isError: true });
    expect(given.accepted).toHaveLength(before);
    await client.close();
  });

  it('passes content blocks of a workflow on as they are', async () => {
    const client = await connected(given.key);
    expect((await call(client, 'triage', { text: 'blocks' })).content).toEqual([{ type: 'image', data: 'AAAA', mimeType: 'image/png' }]);
    await client.close();
  });

  it('answers a long call with a handle that can be followed and cancelled', async () => {
    const client = await connected(given.key);
    const { structuredContent } = await call(client, 'triage', { text: UNENDING });
    const { executionId } = structuredContent as { executionId: string };
    expect(structuredContent).toMatchObject({ status: 'running' });
    expect(await call(client, 'weft_execution_get', { executionId })).toMatchObject({ structuredContent: { executionId, status: 'running' } });
    expect(await call(client, 'weft_execution_cancel', { executionId })).toMatchObject({ structuredContent: { changed: true, status: 'cancelled' } });
    const acme = await connected(given.acmeKey);
    for (const tool of ['weft_execution_get', 'weft_execution_cancel'])
      expect(await call(acme, tool, { executionId })).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('not-found') }] });
    expect(await call(acme, 'weft_execution_get', { executionId: 'no id' })).toMatchObject({ isError: true });
    await Promise.all([client.close(), acme.close()]);
  });

  it('lets nobody in without a key of its own', async () => {
    for (const key of ['', 'nonsense', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.', `${given.key}x`]) await expect(connected(key)).rejects.toThrow();
  });
});

describe('the door of MCP', () => {
  const post = (headers: { readonly [name: string]: string }) =>
    fetch(`${given.url}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });

  // Nothing but a key of this deployment is a proof: neither a session, nor a token that somebody else gave out, however it is signed.
  const jwt = (header: object, claims: object): string => [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const claims = { iss: 'https://issuer.example', aud: 'weft', sub: 'x', exp: 4_102_444_800 };
  it.each([
    ['no token', {}],
    ['another scheme', { authorization: 'Basic d2VmdDp3ZWZ0' }],
    ['a session id alone', { 'mcp-session-id': 'x' }],
    ['a token without a signature', { authorization: `Bearer ${jwt({ alg: 'none' }, claims)}.` }],
    ['a signed token', { authorization: `Bearer ${jwt({ alg: 'RS256' }, claims)}.c2ln` }],
    ['a token whose algorithm was swapped', { authorization: `Bearer ${jwt({ alg: 'HS256' }, claims)}.c2ln` }],
    ['a token for another audience', { authorization: `Bearer ${jwt({ alg: 'RS256' }, { ...claims, aud: 'other' })}.c2ln` }],
    ['a token of another issuer', { authorization: `Bearer ${jwt({ alg: 'RS256' }, { ...claims, iss: 'https://evil.example' })}.c2ln` }],
    ['an expired token', { authorization: `Bearer ${jwt({ alg: 'RS256' }, { ...claims, exp: 1 })}.c2ln` }],
    ['a token of the future', { authorization: `Bearer ${jwt({ alg: 'RS256' }, { ...claims, nbf: 4_102_444_799 })}.c2ln` }],
    ['a token whose key id is a path', { authorization: `Bearer ${jwt({ alg: 'HS256', kid: '../../dev/null' }, claims)}.c2ln` }],
    ['a token that brings its own key', { authorization: `Bearer ${jwt({ alg: 'ES256', jwk: {} }, claims)}.c2ln` }],
    ['a key in the query', { 'x-api-key': 'x' }],
  ])('is shut for %s, and says what it takes', async (_what, headers) => {
    const response = await post(headers as { readonly [name: string]: string });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  it('lets no web page in that is not listed', async () => {
    const authorization = `Bearer ${given.key}`;
    expect((await post({ authorization, origin: 'https://evil.example' })).status).toBe(403);
    expect((await post({ authorization, origin: 'http://localhost:3000' })).status).toBe(200);
    expect((await post({ authorization, origin: 'https://tools.example' })).status).toBe(200);
  });
});

describe('the file of tools for MCP clients', () => {
  const tool = { name: 'a', description: 'A.', type: 't' };

  it.each([
    ['two tools of one name', [tool, tool], /another tool is named a/],
    ['a name of Weft', [{ ...tool, name: 'weft_execution_get' }], /belongs to Weft/],
    ['arguments that are no object', [{ ...tool, input: { type: 'array' } }], /type object/],
    ['a field that is not known', [{ ...tool, workflow: 'x' }], /workflow/],
  ])('refuses %s and says where', (_what, tools, message) => {
    expect(() => parseExposedTools(JSON.stringify({ tools }), 'mcp.json')).toThrow(message);
    expect(() => parseExposedTools(JSON.stringify({ tools }), 'mcp.json')).toThrow(/mcp\.json/);
  });

  it('refuses text that is no JSON', () => {
    expect(() => parseExposedTools('tools: []', 'mcp.json')).toThrow(/JSON/);
  });
});

async function start() {
  const store = await openScratchStore([gatewayMigrations]);
  const enginePool = openPool(store.address, { role: engineRole('gateway'), applicationName: 'mcp spec' });
  const [{ text: key }, { text: acmeKey }] = [await createApiKey(enginePool, 'default', 'spec'), await createApiKey(enginePool, 'acme', 'spec')];
  const bus = new LocalBus();
  const accepted: [AcceptRequest, Context][] = [];
  const executions = new Map<string, { readonly tenant: string; status: string }>();
  const known = (executionId: string, { tenant }: Context) => {
    const found = executions.get(executionId);
    return found?.tenant === tenant ? found : refuse('not-found', 'Expected an execution of this tenant.');
  };
  const end = (executionId: string, text: string): void => {
    const output: Json = text === 'blocks' ? { content: [{ type: 'image', data: 'AAAA', mimeType: 'image/png' }] } : { answer: text };
    const body: ResultBody = { executionId, requestId: 'r', ...(text === 'fail' ? { status: 'faulted', error: { title: 'as planned' } } : { status: 'completed', output }) };
    void bus.publish([outgoing('results', { id: executionId, source: '/weft/orchestration', type: 'ai.weft.result.v1', key: executionId, context: contextOf({ tenant: 'default' }), body })]);
  };
  const routing = {
    accept: async (event: AcceptRequest, context: Context) => {
      if (event.type === 'com.example.unknown.v1') refuse('no-route', 'Expected an event type that a route matches but got another.');
      accepted.push([event, context]);
      const executionId = `0190b1a2-0000-7000-8000-${String(accepted.length).padStart(12, '0')}`;
      const { text = '' } = JSON.parse(event.dataJson) as { text?: string };
      executions.set(executionId, { tenant: context.tenant, status: 'running' });
      // Whoever waits is waiting by then.
      if (text !== UNENDING) setTimeout(() => end(executionId, text), 20);
      return { executionId, duplicate: false, acceptedAtMs: 1 };
    },
  } as unknown as RoutingPeer;
  const orchestration = {
    getExecution: async ({ executionId }: { executionId: string }, context: Context) =>
      ({ executionId, outputJson: '', errorJson: '', waits: [], ...known(executionId, context) }) as unknown as Execution,
    operate: async ({ executionId }: { executionId: string }, context: Context) => {
      known(executionId, context).status = 'cancelled';
      return { changed: true, operation: 'cancel', execution: { status: 'cancelled' } };
    },
  } as unknown as OrchestrationPeer;
  const settings = gatewayConfig.parse({
    WEFT_ROUTING: 'x',
    WEFT_ORCHESTRATION: 'x',
    WEFT_AUDIT: 'x',
    WEFT_TOOLS: 'x',
    WEFT_STORE_URL: 'postgres://x/x',
    WEFT_KAFKA: 'x',
    WEFT_MCP_WAIT_MS: '400',
    WEFT_MCP_ORIGINS: 'https://tools.example',
  });
  const running = await createApp({
    service: 'gateway',
    http: { port: 0 },
    module: GatewayModule.forRoot({
      enginePool,
      bus,
      limiter: { take: async () => ({ allowed: true, retryAfterMs: 0 }), close: async () => undefined },
      routing,
      orchestration,
      audit: {} as AuditPeer,
      tools: {} as ToolsPeers,
      exposed: parseExposedTools(FILE, 'mcp.json'),
      settings,
    }),
  });
  return {
    url: running.url,
    key,
    acmeKey,
    accepted,
    close: async () => {
      await running.close();
      await bus.close();
      await enginePool.end();
      await store.close();
    },
  };
}
