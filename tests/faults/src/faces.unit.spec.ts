import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { credentials, loadPackageDefinition, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startCountingServer, type CountingServer } from './counting-server.js';
import type { EffectAnswer } from './effect-receiver.js';
import { FAULTS } from './planned-fault.js';
import { parseReceipts, type Receipt } from './receipt-file.js';

let folder = '';
let file = '';
let server: CountingServer;
const closing: (() => unknown)[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-faces-'));
  file = join(folder, 'receipts.jsonl');
  server = await startCountingServer({ file, mcp: true, grpcPort: 0 });
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await server.close();
  rmSync(folder, { recursive: true });
});

const stored = (): readonly Receipt[] => parseReceipts(readFileSync(file, 'utf8'));
const faults = (): readonly (string | null)[] => stored().map(({ fault }) => fault);

describe('a fault that a request asks for', () => {
  const post = (fault: string, key = 'k1', more = ''): Promise<Response> => fetch(`${server.url}/effects/idempotent?fault=${fault}${more}`, { method: 'POST', headers: { 'idempotency-key': key } });

  it('is met by the first arrival of a key alone', async () => {
    await expect(post('lost')).rejects.toThrow();
    expect(await (await post('lost')).json()).toEqual({ receipt: 1, tool: 'idempotent', key: 'k1' });
    expect(faults()).toEqual(['lost', null]);
  });

  it('is met as often as the request says', async () => {
    expect([(await post('error', 'k1', '&times=2')).status, (await post('error', 'k1', '&times=2')).status, (await post('error', 'k1', '&times=2')).status]).toEqual([500, 500, 200]);
  });

  it('has happened all the same, but for a refusal', async () => {
    await post('error', 'k1');
    expect((await post('refused', 'k2')).status).toBe(422);
    const happened = async (key: string): Promise<unknown> => ((await (await fetch(`${server.url}/effects/idempotent/${key}`)).json()) as { happened: boolean }).happened;
    expect([await happened('k1'), await happened('k2')]).toEqual([true, false]);
    expect(await (await post('refused', 'k2')).json()).toMatchObject({ receipt: 3 });
  });

  it('keeps the answer back for as long as the caller waits', async () => {
    const waiting = new AbortController();
    const stalled = fetch(`${server.url}/effects/once?fault=stall`, { method: 'POST', headers: { 'idempotency-key': 'k1' }, signal: waiting.signal });
    while (server.receipts() === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    waiting.abort();
    await expect(stalled).rejects.toThrow(/abort/);
  });

  it('is refused when there is no such fault', async () => {
    expect((await post('flood')).status).toBe(400);
    expect(stored()).toEqual([]);
  });
});

describe.each([
  ['2025-06-18', 'legacy'],
  ['2026-07-28', { pin: '2026-07-28' }],
] as const)('the MCP face, protocol %s', (_version, mode) => {
  async function connected(): Promise<Client> {
    const client = new Client({ name: 'spec', version: '1' }, { versionNegotiation: { mode } });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`)));
    closing.push(() => client.close());
    return client;
  }
  const call = async (client: Client, name: string, args: Record<string, unknown>, key: string): Promise<unknown> =>
    (await client.callTool({ name, arguments: args, _meta: { 'ai.weft/idempotency-key': key, 'ai.weft/execution': 'e1', 'ai.weft/task': '/do/0', 'ai.weft/iteration': '' } }, { timeout: 1_000 }))
      .structuredContent;

  it('offers its tools, and does an effect under the key of the call', async () => {
    const client = await connected();
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['read', 'idempotent', 'once', 'happened']);
    expect(await call(client, 'idempotent', { n: 1 }, 'k1')).toEqual({ receipt: 1, tool: 'idempotent', key: 'k1' });
    expect(await call(client, 'idempotent', { n: 1 }, 'k1')).toMatchObject({ receipt: 1 });
    expect(await call(client, 'once', { n: 1 }, 'k2')).toMatchObject({ receipt: 3 });
    expect(await call(client, 'happened', { tool: 'once', key: 'k2' }, '')).toMatchObject({ happened: true });
    expect(stored()[0]).toMatchObject({ face: 'mcp', key: 'k1', execution: 'e1', task: '/do/0', iteration: '' });
  });

  it.each(FAULTS)('plays %s, and answers when asked again', async (fault) => {
    const client = await connected();
    await expect(call(client, 'once', { fault }, 'k1')).rejects.toThrow();
    expect(await call(client, 'once', { fault }, 'k1')).toMatchObject({ receipt: 2 });
    expect(faults()).toEqual([fault, null]);
  });
});

describe('the gRPC face', () => {
  type Called = Readonly<Record<string, (message: object, metadata: Metadata, options: object, done: (error: ServiceError | null, answer: EffectAnswer) => void) => void>> & { close(): void };
  function connected(): Called {
    const proto = fileURLToPath(new URL('../proto/counting.proto', import.meta.url));
    const { counting } = loadPackageDefinition(loadSync(proto, { longs: Number, defaults: true })) as unknown as { counting: { v1: { Effects: new (address: string, how: unknown) => Called } } };
    const client = new counting.v1.Effects(server.grpc!, credentials.createInsecure());
    closing.push(() => client.close());
    return client;
  }
  const call = (client: Called, method: string, message: object, key: string): Promise<EffectAnswer> => {
    const metadata = new Metadata();
    metadata.set('idempotency-key', key);
    metadata.set('weft-execution', 'e1');
    return new Promise((resolve, reject) => client[method]!(message, metadata, { deadline: Date.now() + 1_000 }, (error, answer) => (error ? reject(error) : resolve(answer))));
  };

  it('does an effect under the key of the metadata', async () => {
    const client = connected();
    expect(await call(client, 'Idempotent', { n: 1 }, 'k1')).toEqual({ receipt: 1, tool: 'idempotent', key: 'k1' });
    expect(await call(client, 'Idempotent', { n: 1 }, 'k1')).toMatchObject({ receipt: 1 });
    expect(await call(client, 'Happened', { tool: 'idempotent', key: 'k1' }, '')).toMatchObject({ happened: true });
    expect(stored()[0]).toMatchObject({ face: 'grpc', key: 'k1', execution: 'e1', task: null });
  });

  it.each([
    ['lost', status.UNAVAILABLE],
    ['stall', status.DEADLINE_EXCEEDED],
    ['error', status.INTERNAL],
    ['garbled', status.DATA_LOSS],
    ['refused', status.FAILED_PRECONDITION],
  ])('plays %s, and answers when asked again', async (fault, code) => {
    const client = connected();
    await expect(call(client, 'Once', { fault }, 'k1')).rejects.toMatchObject({ code });
    expect(await call(client, 'Once', { fault }, 'k1')).toMatchObject({ receipt: 2 });
    expect(faults()).toEqual([fault, null]);
  });
});
