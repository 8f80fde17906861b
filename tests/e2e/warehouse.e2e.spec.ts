// The example whose tools a worker brings, as it stands: its own files, its own process, and a kill in the middle.
import { stopEmbedded } from '@weft/adapter-postgres';
import { eventually } from '@weft/testkit';
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EXAMPLE = join(ROOT, 'examples', 'warehouse');
const WEFT_SECRET_WAREHOUSE = 'only-for-trying-out-the-warehouse-example';

let home: string;
let weft: { readonly child: ChildProcess; readonly url: string; readonly apiKey: string };
let workersUrl: string;
const workers: ChildProcess[] = [];

async function ask(method: string, path: string, body?: string, type = 'application/json'): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${weft.apiKey}`, ...(body === undefined ? {} : { 'content-type': type }) };
  return (await (await fetch(`${weft.url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) })).json()) as Record<string, unknown>;
}

/** Starts the worker of the example; resolves when it is registered, with what it said. */
async function startWorker(): Promise<{ readonly child: ChildProcess; readonly said: string }> {
  const child = spawn(process.execPath, [join(EXAMPLE, 'warehouse.worker.ts')], {
    env: { PATH: process.env['PATH'], WEFT_WORKERS_URL: workersUrl, WEFT_SECRET_WAREHOUSE },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  workers.push(child);
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
  await eventually(() => said.includes('"registered"'), { what: 'the worker to be registered', timeoutMs: 30_000 });
  return { child, said };
}

/** Publishes the delivery of the example under an id of its own. @returns its execution. */
async function deliver(id: string): Promise<string> {
  const event = { ...(JSON.parse(readFileSync(join(EXAMPLE, 'delivery.json'), 'utf8')) as object), id };
  const { executionId } = await ask('POST', '/v1/requests', JSON.stringify(event), 'application/cloudevents+json');
  return executionId as string;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'weft-warehouse-'));
  const port = await freePort();
  workersUrl = `grpc://127.0.0.1:${port}`;
  const file = (name: string): string => join(EXAMPLE, name);
  const env = {
    PATH: process.env['PATH'],
    WEFT_HOME: home,
    WEFT_PORT: '0',
    WEFT_WORKERS_ADDRESS: `127.0.0.1:${port}`,
    WEFT_TOOLS_FILE: file('tools.yaml'),
    WEFT_GRANTS_FILE: file('grants.yaml'),
    WEFT_ROUTES_FILE: file('routes.yaml'),
    WEFT_SECRET_WAREHOUSE,
  };
  const main = join(ROOT, 'services', 'standalone', 'dist', 'main.js');
  await once(fork(main, ['migrate'], { env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [] }), 'exit');
  const child = fork(main, [], { env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [] });
  const [{ url, apiKey }] = (await once(child, 'message')) as [{ url: string; apiKey: string }];
  weft = { child, url, apiKey };
  await ask('POST', '/v1/definitions', readFileSync(file('workflow.yaml'), 'utf8'), 'application/yaml');
});
afterAll(async () => {
  for (const child of workers) child.kill('SIGKILL');
  weft.child.kill('SIGTERM');
  await once(weft.child, 'exit');
  await stopEmbedded(join(home, 'postgres'));
  rmSync(home, { recursive: true, force: true });
});

describe('the warehouse', () => {
  it('brings tools that its own file trusts, and ships with them', async () => {
    const { said } = await startWorker();
    const { tools } = JSON.parse(said.split('\n')[0]!) as { tools: { name: string; state: string }[] };
    expect(tools.map(({ name, state }) => [name, state])).toEqual([
      ['warehouse.stock', 'accepted'],
      ['warehouse.reserve', 'accepted'],
      ['warehouse.ship', 'accepted'],
    ]);
    const execution = await deliver('first');
    await eventually(async () => (await ask('GET', `/v1/executions/${execution}`))['status'] === 'completed', { timeoutMs: 25_000 });
    expect((await ask('GET', `/v1/executions/${execution}`))['output']).toEqual({ shipped: true, shipment: 'S-1' });
  });

  it('goes on with another worker when the first is killed', async () => {
    const first = workers[0]!;
    first.kill('SIGKILL');
    await once(first, 'exit');
    const execution = await deliver('second');
    await startWorker();
    await eventually(async () => (await ask('GET', `/v1/executions/${execution}`))['status'] === 'completed', { timeoutMs: 25_000 });
  });
});
