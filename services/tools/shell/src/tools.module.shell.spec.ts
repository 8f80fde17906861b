import { createServer, type AddressInfo } from 'node:net';
import { LocalBus } from '@weft/adapter-local';
import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { contextOf, WorkerClient, WorkerService, type Command, type Job, type WorkerPeer } from '@weft/contracts';
import { configureLog, createApp, grpcPeer, grpcServerOptions, type RunningApp } from '@weft/nest-platform';
import { outgoing } from '@weft/pipeline';
import { eventually } from '@weft/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOOLS_WORKER } from './consume/worker.controller.js';
import { toolsMigrations } from './migrations/index.js';
import { ToolsModule } from './tools.module.js';

const EXECUTION = '01890000-0000-7000-8000-000000000001';
const job: Job = {
  id: `${EXECUTION}/do/0/echo`,
  executionId: EXECUTION,
  context: contextOf({ tenant: 'default', executionId: EXECUTION }),
  kind: 'tool',
  generation: 0,
  idempotencyKey: `default/${EXECUTION}/do/0/echo/0`,
  pointer: '/do/0/echo',
  iteration: '',
  inputJson: '{"name":"echo"}',
  models: [],
  settlement: undefined,
  workflow: 'acme/x:1.0.0',
  approvals: [],
  agent: '',
};

let store: ScratchStore;
let pool: Pool;
let running: RunningApp;
let address: string;
const bus = new LocalBus();

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

beforeAll(async () => {
  configureLog({ write: () => undefined });
  address = `127.0.0.1:${await freePort()}`;
  store = await openScratchStore([toolsMigrations]);
  pool = openPool(store.address, { role: engineRole('tools'), applicationName: 'tools spec' });
  const module = ToolsModule.forRoot({
    enginePool: pool,
    tenantPool: pool,
    bus,
    tools: [{ name: 'echo', description: 'Answers.', kind: 'static', effect: 'read', input: {}, timeoutMs: 1000, answer: 'hi' }],
    grants: [{ tenant: '*', workflow: 'acme/*', tools: ['echo'], kinds: [] }],
    secrets: () => undefined,
    settings: {
      WEFT_TRUSTED_LABELS: [],
      WEFT_TOOLS_CONCURRENCY: 8,
      WEFT_MODEL_TIMEOUT_MS: 500,
      WEFT_MODEL_STALL_MS: 500,
      WEFT_CALL_TIMEOUT_MS: 500,
      WEFT_BUDGET_LEASE_MS: 5_000,
      WEFT_EGRESS_ALLOW: [],
      WEFT_AGENT_TIMEOUT_MS: 1_000,
      WEFT_SUBSCRIPTION_TIMEOUT_MS: 1_000,
      WEFT_SCRIPT_TIMEOUT_MS: 1_000,
      WEFT_PROCESS_TIMEOUT_MS: 1_000,
      WEFT_SANDBOX_PROCESSES: 2,
      WEFT_EGRESS_PRIVATE: [],
      WEFT_EGRESS_NAT64: [],
      WEFT_EGRESS_DNS: [],
    },
  });
  running = await createApp({ service: 'tools', module, http: { port: 0 }, transports: () => [grpcServerOptions({ address, services: [WorkerService] })] });
});
afterAll(async () => {
  await running.close();
  await pool.end();
  await store.close();
});

async function commandsOf(worker: WorkerPeer): Promise<Command[]> {
  const commands: Command[] = [];
  for await (const batch of worker.carryOut({ jobs: [job] }, contextOf({ tenant: '' }))) commands.push(...batch.commands);
  return commands;
}

describe('the tools service', () => {
  it('carries out jobs in process and over gRPC alike', async () => {
    const peer = grpcPeer(WorkerClient, address);
    const overGrpc = await commandsOf(peer.peer);
    peer.close();
    expect(overGrpc[0]).toMatchObject({ id: `${job.id}/0/completed`, completeJob: { outputJson: '"hi"', generation: 0 } });
    expect(await commandsOf(running.app.get<WorkerPeer>(TOOLS_WORKER, { strict: false }))).toEqual(overGrpc);
  });

  it('takes jobs from the bus', async () => {
    const commands: string[] = [];
    await bus.subscribe({ topic: 'weft.commands', group: 'spec', handle: async (batch) => batch.forEach((delivery) => delivery.ok && commands.push(delivery.envelope.id)) });
    await bus.publish([outgoing('jobs', { id: '1', source: '/weft/orchestration', type: 'ai.weft.job.tool.v1', key: EXECUTION, context: contextOf({ tenant: 'default' }), body: job })]);
    await eventually(() => commands.length === 1);
    expect(commands).toEqual([`${job.id}/0/completed`]);
  });

  it('is ready when its store is', async () => {
    expect(await (await fetch(`${running.url}/health/ready`)).json()).toMatchObject({ status: 'ready', checks: [{ name: 'tools store', ok: true }] });
  });
});
