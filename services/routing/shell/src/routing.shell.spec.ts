// Routing as a whole: a scratch store, a bus in process, and an orchestration that knows what it is told.
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createApp, grpcPeer, grpcServerOptions, type RunningApp } from '@weft/nest-platform';
import { LocalBus } from '@weft/adapter-local';
import { engineRole, openPool, openScratchStore, tenantRole, type Pool } from '@weft/adapter-postgres';
import {
  contextOf,
  topicName,
  type AcceptRequest,
  type Command,
  type Context,
  type Definition,
  type Delivery,
  type Envelope,
  type OrchestrationPeer,
  type RawMessage,
  type ResolveDefinitionRequest,
  type RoutingPeer,
  RoutingClient,
  RoutingService,
} from '@weft/contracts';
import { refuse, rejection } from '@weft/kernel';
import { Fault, outgoing, type Bus, type Outgoing } from '@weft/pipeline';
import type { RouteTable } from '@weft/routing/core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RequestsConsumer } from './consume/requests.consumer.js';
import { ANSWER_PORTS, type AnswerPorts } from './consume/routing.controller.js';
import { routingMigrations } from './migrations/index.js';
import { RedeliveryPoller } from './publish/redelivery.poller.js';
import { ROUTING_PEER, RoutingModule } from './routing.module.js';
import { versioned } from './table/load-route-table.js';

const context = (more: Partial<Context> = {}): Context => contextOf({ tenant: 'default', actor: 'key:k1', ...more });
let ids = 0;
const request = (more: Partial<AcceptRequest> = {}): AcceptRequest => ({
  id: `r-${++ids}`,
  source: '/shop',
  type: 'com.example.complaint.v1',
  subject: '',
  dataJson: '{"text":"late again"}',
  ...more,
});
const rowsOf = async (pool: Pool, id: string) =>
  (await pool.query<{ status: string; tenant: string; redeliver_at: Date | null; execution_id: string; structure: string }>('select * from routing.requests where request_id = $1', [id])).rows;

let given: RoutingUnderTest;
beforeAll(async () => {
  given = await startRouting();
});
afterAll(async () => {
  await given.close();
});

describe('accept', () => {
  it('makes a request durable with its choice, then starts its execution', async () => {
    const accepted = await given.routing.accept(request({ id: 'a-1' }), context({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }));
    expect(accepted).toMatchObject({ duplicate: false, selection: { rule: 'complaints', definition: { name: 'triage', version: '1.0.0' }, models: [{ id: 'small' }] } });
    const [row] = await rowsOf(given.enginePool, 'a-1');
    expect(row).toMatchObject({ status: 'accepted', tenant: 'default', execution_id: accepted.executionId });
    expect(row?.redeliver_at).toBeInstanceOf(Date);
    const [start] = given.publishedOn('weft.commands').filter(({ key }) => key === accepted.executionId);
    expect(start).toMatchObject({
      id: `start/${accepted.executionId}`,
      type: 'ai.weft.command.start.v1',
      context: { tenant: 'default', actor: 'key:k1', purpose: 'com.example.complaint.v1', executionId: accepted.executionId, taint: ['request:/shop'] },
    });
    expect(start?.context.traceparent).toContain('0af7651916cd43dd8448eb211c80319c');
    expect((start!.body as Command).start).toMatchObject({
      requestId: 'a-1',
      requestSource: '/shop',
      inputJson: '{"text":"late again"}',
      definition: { digest: 'd'.repeat(64) },
      models: [{ id: 'small' }],
    });
  });

  it('writes one commit row for the requests of a batch', async () => {
    const batch = Array.from({ length: 20 }, (_, n) => request({ id: `batch-${n}` }));
    const accepted = await Promise.all(batch.map((one) => given.routing.accept(one, context())));
    const { rows } = await given.enginePool.query<{ commits: number }>(`select count(distinct commit_id)::int as commits from routing.requests where request_id like 'batch-%'`);
    expect(rows[0]?.commits).toBeLessThanOrEqual(2);
    const members = await given.enginePool.query<{ members: string; bytes: number }>('select members, length(digests) as bytes from routing.commits');
    const subjects = members.rows.flatMap(({ members }) => (JSON.parse(members) as [string, number][]).map(([subject]) => subject));
    for (const { executionId } of accepted) expect(subjects.filter((subject) => subject === `request/${executionId}`)).toHaveLength(1);
    for (const { members: text, bytes } of members.rows) expect(bytes).toBe(32 * (JSON.parse(text) as unknown[]).length);
  });

  it('answers the same request again with the first answer, also when both come at once', async () => {
    const twice = request();
    const [first, second] = await Promise.all([given.routing.accept(twice, context()), given.routing.accept(twice, context())]);
    const third = await given.routing.accept({ ...twice, dataJson: ' {"text": "late again"}' }, context());
    expect(second?.executionId).toBe(first?.executionId);
    expect(third).toEqual({ ...first, duplicate: true });
    expect([first?.duplicate, second?.duplicate].sort()).toEqual([false, true]);
    expect(given.publishedOn('weft.commands').filter(({ subject }) => subject === twice.id)).toHaveLength(1);
  });

  it('refuses another body under a name that is taken', async () => {
    const first = request();
    await given.routing.accept(first, context());
    await expect(given.routing.accept({ ...first, dataJson: '{"text":"other"}' }, context())).rejects.toMatchObject({
      rejection: { code: 'conflict', message: expect.stringMatching(/^Expected the same type and data/) },
    });
  });

  it('keeps the names of tenants apart', async () => {
    const same = request();
    const [ours, theirs] = await Promise.all([given.routing.accept(same, context()), given.routing.accept(same, context({ tenant: 'acme' }))]);
    expect(theirs.duplicate).toBe(false);
    expect(theirs.executionId).not.toBe(ours.executionId);
  });

  it.each<[string, Partial<AcceptRequest>, string, RegExp]>([
    ['a type without a route', { type: 'com.example.other.v1' }, 'no-route', /complaints: com\.example\.complaint\.v1/],
    ['a workflow that is not deployed', { type: 'com.example.missing.v1' }, 'unknown-workflow', /^Expected workflow examples\/missing of route missing/],
    ['a missing id', { id: '' }, 'request-invalid', /`id` is empty/],
    ['a control character', { source: '/shop\n' }, 'request-invalid', /`source` contains a control character/],
    ['text that is no JSON', { dataJson: '{' }, 'request-invalid', /not JSON/],
    ['a NUL character', { dataJson: '{"a":["\\u0000"]}' }, 'request-invalid', /data\/a\/0 contains a NUL/],
    ['deep nesting', { dataJson: `${'['.repeat(70)}${']'.repeat(70)}` }, 'request-invalid', /deeper than 64/],
    ['too much data', { dataJson: JSON.stringify('x'.repeat(1024 * 1024)) }, 'request-too-large', /at most 1048576 bytes/],
  ])('refuses %s and leaves nothing behind', async (_, more, code, message) => {
    const bad = request(more);
    await expect(given.routing.accept(bad, context())).rejects.toMatchObject({ rejection: { code, message: expect.stringMatching(message) } });
    expect(await rowsOf(given.enginePool, bad.id)).toEqual([]);
  });

  it('fails, and stores nothing, while orchestration cannot be asked', async () => {
    given.breakWith(new Fault('orchestration is away', true));
    const late = request({ type: 'com.example.broken.v1' });
    await expect(given.routing.accept(late, context())).rejects.toThrow('orchestration is away');
    expect(await rowsOf(given.enginePool, late.id)).toEqual([]);
  });
});

describe('over gRPC', () => {
  it('answers as in process, in the same batches, and hands refusals over whole', async () => {
    const { peer, ready, close } = grpcPeer(RoutingClient, given.grpcAddress, {});
    await ready(5_000);
    const same = request();
    const [here, there] = await Promise.all([given.routing.accept(same, context()), peer.accept(same, context())]);
    expect(there.executionId).toBe(here.executionId);
    expect(await peer.getSelection({ executionId: here.executionId }, context())).toMatchObject({ executionId: here.executionId, selection: here.selection });
    await expect(peer.accept(request({ type: 'com.example.other.v1' }), context())).rejects.toMatchObject({ rejection: { code: 'no-route', details: { rejected: expect.any(Array) } } });
    close();
  });
});

describe('select and getSelection', () => {
  it('tells what would be chosen without storing anything', async () => {
    const asked = request();
    expect(await given.routing.select(asked, context())).toMatchObject({ rule: 'complaints', tableVersion: versioned(TABLE).version });
    expect(await rowsOf(given.enginePool, asked.id)).toEqual([]);
  });

  it('shows the decision to its tenant alone', async () => {
    const accepted = await given.routing.accept(request(), context());
    expect(await given.routing.getSelection({ executionId: accepted.executionId }, context())).toEqual(accepted);
    await expect(given.routing.getSelection({ executionId: accepted.executionId }, context({ tenant: 'acme' }))).rejects.toMatchObject({ rejection: { code: 'unknown-execution' } });
    await expect(given.routing.getSelection({ executionId: 'x' }, context())).rejects.toMatchObject({ rejection: { code: 'unknown-execution' } });
  });
});

describe('requests over the bus', () => {
  it('accepts an event for the tenant of its topic and believes nothing else it says of who it is', async () => {
    await given.send({ id: 'bus-1', context: context({ tenant: '', actor: 'user:boss', executionId: 'x', jobId: 'y' }) }, 'acme');
    await vi.waitFor(async () => expect(await rowsOf(given.enginePool, 'bus-1')).toMatchObject([{ tenant: 'acme', status: 'accepted' }]));
    const [start] = given.publishedOn('weft.commands').filter(({ subject }) => subject === 'bus-1');
    expect(start?.context).toMatchObject({ tenant: 'acme', actor: 'topic:weft.requests.acme', jobId: '' });
  });

  it('answers a request that no route takes with exactly one result, however often it comes', async () => {
    for (let n = 0; n < 3; n++) await given.send({ id: 'bus-refused', type: 'com.example.other.v1' });
    await given.send({ id: 'bus-after' });
    await vi.waitFor(async () => expect(await rowsOf(given.enginePool, 'bus-after')).toHaveLength(1));
    const results = given.publishedOn('weft.results').filter(({ subject }) => subject === 'bus-refused');
    expect(results).toHaveLength(1);
    const [row] = await rowsOf(given.enginePool, 'bus-refused');
    expect(results[0]).toMatchObject({ id: `${row?.execution_id}/refused`, body: { requestId: 'bus-refused', executionId: row?.execution_id, status: 'refused', error: { code: 'no-route' } } });
    await vi.waitFor(async () => expect(await rowsOf(given.enginePool, 'bus-refused')).toMatchObject([{ status: 'refused', redeliver_at: null }]));
  });

  it('sets aside what names another tenant, without a result, and goes on with its neighbours', async () => {
    await Promise.all([given.send({ id: 'bus-stranger', context: context({ tenant: 'acme' }) }), given.send({ id: 'bus-neighbour' })]);
    await vi.waitFor(async () => expect(await rowsOf(given.enginePool, 'bus-neighbour')).toHaveLength(1));
    await vi.waitFor(() =>
      expect(given.publishedOn('weft.requests.dead').map(({ body }) => body)).toContainEqual(expect.objectContaining({ reason: expect.objectContaining({ code: 'wrong-tenant' }) })),
    );
    expect(await rowsOf(given.enginePool, 'bus-stranger')).toEqual([]);
    expect(given.publishedOn('weft.results').filter(({ subject }) => subject === 'bus-stranger')).toEqual([]);
  });

  it('sets aside garbage, a taken name with another body, and what nobody can decide, each with its reason', async () => {
    given.breakWith(new TypeError('a defect'));
    const raw = (offset: string): RawMessage => ({ topic: 'weft.requests', partition: 0, offset, key: '', headers: {}, value: Buffer.from('garbage') });
    const delivery = (offset: string, event: Partial<Envelope>): Delivery => ({
      ok: true,
      raw: raw(offset),
      envelope: { id: 'x', source: '/shop', type: 'com.example.complaint.v1', key: 'k', context: contextOf({ tenant: '' }), body: null, ...event },
    });
    const consumer = new RequestsConsumer(given.running.app.get<AnswerPorts>(ANSWER_PORTS, { strict: false }));
    await given.routing.accept(request({ id: 'taken' }), context());
    await consumer.handle('weft.requests', 'default', [
      { ok: false, raw: raw('100'), rejection: rejection('request-invalid', 'Expected a CloudEvent but got garbage.') },
      delivery('101', { id: 'taken', body: { text: 'other' } }),
      delivery('102', { id: 'broken', type: 'com.example.broken.v1' }),
      delivery('103', { id: 'fine' }),
    ]);
    const dead = given.publishedOn('weft.requests.dead').filter(({ id }) => /^weft\.requests\/0\/10\d$/.test(id));
    expect(dead.map(({ id, subject }) => [id, subject])).toEqual([
      ['weft.requests/0/100', 'request-invalid'],
      ['weft.requests/0/101', 'conflict'],
      ['weft.requests/0/102', 'request-refused'],
    ]);
    expect(await rowsOf(given.enginePool, 'fine')).toHaveLength(1);
  });

  it('hands the batch back while orchestration cannot be asked, and accepts it once it can', async () => {
    given.breakWith(new Fault('orchestration is away', true));
    await Promise.all([given.send({ id: 'bus-late', type: 'com.example.broken.v1' }), given.send({ id: 'bus-late-neighbour' })]);
    await vi.waitFor(async () => expect(await rowsOf(given.enginePool, 'bus-late-neighbour')).toHaveLength(1));
    expect(await rowsOf(given.enginePool, 'bus-late')).toEqual([]);
    given.breakWith(undefined);
    await vi.waitFor(async () => expect(await rowsOf(given.enginePool, 'bus-late')).toHaveLength(1), 5_000);
    expect(given.publishedOn('weft.commands').filter(({ subject }) => subject === 'bus-late-neighbour')).toHaveLength(1);
  });
});

describe('redelivery', () => {
  const poller = (now: number): RedeliveryPoller => new RedeliveryPoller({ ...given.running.app.get<AnswerPorts>(ANSWER_PORTS, { strict: false }), clock: { now: () => now } }, { pollMs: 60_000 });

  it('answers although the bus is away, starts the execution again when due, and stops once it has begun', async () => {
    given.failPublishing(1);
    const accepted = await given.routing.accept(request({ id: 'unheard' }), context());
    const starts = (): Envelope[] => given.publishedOn('weft.commands').filter(({ key }) => key === accepted.executionId);
    expect(starts()).toEqual([]);
    await poller(Date.now()).poll();
    expect(starts()).toEqual([]);
    await poller(Date.now() + 61_000).poll();
    await poller(Date.now() + 61_500).poll();
    expect(starts()).toMatchObject([{ id: `start/${accepted.executionId}`, body: { start: { inputJson: '{"text":"late again"}' } } }]);
    const begun = outgoing('lifecycle', {
      id: 'l',
      source: '/weft/orchestration',
      type: 'io.serverlessworkflow.workflow.started.v1',
      key: accepted.executionId,
      context: context(),
      body: { executionId: accepted.executionId, requestId: 'unheard', workflow: 'examples/triage:1.0.0' },
    });
    await given.bus.publish([begun]);
    await vi.waitFor(async () => expect(await rowsOf(given.enginePool, 'unheard')).toMatchObject([{ redeliver_at: null }]));
    await poller(Date.now() + 3_600_000).poll();
    expect(starts()).toHaveLength(1);
  });

  it('counts accepted requests as the backlog until their execution has begun', async () => {
    const { store } = given.running.app.get<AnswerPorts>(ANSWER_PORTS, { strict: false });
    const before = await store.countBacklog(10_000);
    const { executionId } = await given.routing.accept(request({ id: 'in-the-backlog' }), context());
    expect(await store.countBacklog(10_000)).toBe(before + 1);
    expect(await store.countBacklog(1)).toBe(1);
    expect([await store.settle([executionId]), await store.settle([executionId])]).toEqual([1, 0]);
    expect(await store.countBacklog(10_000)).toBe(before);
  });

  it('repeats the result of a refused request under the same id', async () => {
    given.failPublishing(1);
    await given.send({ id: 'unheard-refused', type: 'com.example.other.v1' });
    await vi.waitFor(async () => expect(await rowsOf(given.enginePool, 'unheard-refused')).toHaveLength(1));
    await poller(Date.now() + 3_700_000).poll();
    const [row] = await rowsOf(given.enginePool, 'unheard-refused');
    expect(given.publishedOn('weft.results').filter(({ subject }) => subject === 'unheard-refused')).toMatchObject([{ id: `${row?.execution_id}/refused` }]);
    await vi.waitFor(async () => expect(await rowsOf(given.enginePool, 'unheard-refused')).toMatchObject([{ redeliver_at: null }]));
  });
});

const TABLE: RouteTable = {
  version: 1,
  models: [{ id: 'small', endpoint: 'http://models.example/v1', model: 'small-1', capabilities: ['json'] }],
  routes: [
    { name: 'complaints', when: { type: 'com.example.complaint.v1' }, workflow: { namespace: 'examples', name: 'triage' }, models: { prefer: ['small'] } },
    { name: 'missing', when: { type: 'com.example.missing.v1' }, workflow: { namespace: 'examples', name: 'missing' } },
    { name: 'broken', when: { type: 'com.example.broken.v1' }, workflow: { namespace: 'examples', name: 'broken' } },
  ],
};

interface RoutingUnderTest {
  readonly routing: RoutingPeer;
  readonly running: RunningApp;
  readonly grpcAddress: string;
  readonly bus: LocalBus;
  readonly enginePool: Pool;
  readonly tenantPool: Pool;
  /** Everything published so far, oldest first. */
  readonly published: Outgoing[];
  /** Workflows that orchestration was asked for. */
  readonly resolved: ResolveDefinitionRequest[];
  /** The next publishing fails this many times. */
  failPublishing(times: number): void;
  /** How orchestration fails for the workflow `broken`. */
  breakWith(fault: unknown): void;
  /** Puts a message on the requests topic of a tenant as a producer outside would. */
  send(event: Partial<Envelope>, tenant?: string): Promise<void>;
  publishedOn(topic: string): Envelope[];
  close(): Promise<void>;
}

/** A bus that remembers, and that can be told to fail. */
class WatchedBus implements Bus {
  readonly published: Outgoing[] = [];
  failures = 0;

  constructor(private readonly bus: LocalBus) {}

  async publish(messages: readonly Outgoing[]): Promise<void> {
    if (this.failures > 0) {
      this.failures--;
      throw new Error('the bus is away');
    }
    this.published.push(...messages);
    await this.bus.publish(messages);
  }

  subscribe(options: Parameters<Bus['subscribe']>[0]): ReturnType<Bus['subscribe']> {
    return this.bus.subscribe(options);
  }

  async close(): Promise<void> {}
}

async function startRouting(): Promise<RoutingUnderTest> {
  const store = await openScratchStore([routingMigrations]);
  const pool = (role: string): Pool => openPool(store.address, { role, applicationName: 'routing spec' });
  const [enginePool, tenantPool] = [pool(engineRole('routing')), pool(tenantRole('routing'))];
  const local = new LocalBus();
  const bus = new WatchedBus(local);
  const resolved: ResolveDefinitionRequest[] = [];
  let brokenBy: unknown = new Error('orchestration broke');
  const orchestration: Pick<OrchestrationPeer, 'resolveDefinition'> = {
    resolveDefinition: async (request): Promise<Definition> => {
      resolved.push(request);
      if (request.name === 'missing') refuse('unknown-workflow', 'no version of examples/missing is deployed.');
      if (request.name === 'broken' && brokenBy !== undefined) throw brokenBy;
      return { ref: { namespace: request.namespace, name: request.name, version: request.version || '1.0.0', digest: 'd'.repeat(64) }, createdAtMs: 0, created: false, title: '', resources: [] };
    },
  };
  const settings = {
    WEFT_TENANTS: ['default', 'acme'],
    WEFT_REQUEST_BYTES_MAX: 1024 * 1024,
    WEFT_BACKLOG_MAX: 1_000,
    WEFT_REDELIVER_FIRST_MS: 60_000,
    WEFT_REDELIVER_MAX_MS: 60_000,
    WEFT_REDELIVER_POLL_MS: 60_000,
  };
  const grpcAddress = `127.0.0.1:${await freePort()}`;
  const transports = () => [grpcServerOptions({ address: grpcAddress, services: [RoutingService] })];
  const running = await createApp({
    service: 'routing',
    http: { port: 0 },
    transports,
    module: RoutingModule.forRoot({ enginePool, tenantPool, bus, orchestration, table: versioned(TABLE), settings }),
  });
  return {
    routing: running.app.get<RoutingPeer>(ROUTING_PEER, { strict: false }),
    running,
    grpcAddress,
    bus: local,
    enginePool,
    tenantPool,
    published: bus.published,
    resolved,
    failPublishing: (times) => (bus.failures = times),
    breakWith: (fault) => (brokenBy = fault),
    send: (event, tenant = 'default') => {
      const envelope: Envelope = { id: 'r-1', source: '/shop', type: 'com.example.complaint.v1', key: 'k', context: contextOf({ tenant: '' }), body: { text: 'late again' }, ...event };
      const { toRecord } = outgoing('requests', envelope as Envelope<never>);
      return local.publish([{ topic: topicName('requests', tenant), envelope, toRecord }]);
    },
    publishedOn: (topic) => bus.published.filter((message) => message.topic === topic).map(({ envelope }) => envelope),
    close: async () => {
      await running.close();
      await local.close();
      await Promise.all([enginePool.end(), tenantPool.end()]);
      await store.close();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
