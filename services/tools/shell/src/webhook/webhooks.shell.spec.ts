import { LocalBus } from '@weft/adapter-local';
import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { contextOf, type DeadLetterBody, type Envelope } from '@weft/contracts';
import { outgoing } from '@weft/pipeline';
import { eventually } from '@weft/testkit';
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LifecycleConsumer, WEBHOOKS_GROUP } from '../consume/lifecycle.consumer.js';
import { EgressClient } from '../egress/egress-client.js';
import { EgressPolicy } from '../egress/egress-policy.js';
import { toolsMigrations } from '../migrations/index.js';
import { parseWebhooks } from './webhook.file.js';
import { WebhookStore } from './webhook.store.js';
import { Webhooks } from './webhooks.js';

const KEY = Buffer.from('a key of the receiver');
const received: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
/** Statuses that a path answers with first; then 204. */
const answers = new Map<string, number[]>();

let scratch: ScratchStore;
let pool: Pool;
let bus: LocalBus;
let server: Server;
let webhooks: Webhooks;
let egress: EgressClient;
const dead: Envelope<DeadLetterBody>[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const path = request.url ?? '';
      received.push({ path, headers: request.headers, body });
      response.writeHead(answers.get(path)?.shift() ?? 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  scratch = await openScratchStore([toolsMigrations]);
  pool = openPool(scratch.address, { role: engineRole('tools'), applicationName: 'webhooks spec' });
  bus = new LocalBus();
  const names = ['desk', 'moody', 'gone'].map((name) => `  - {name: ${name}, tenant: ${name}, url: "${origin}/${name}", secret: DESK}`);
  const declared = parseWebhooks(`webhooks:\n${names.join('\n')}\n  - {name: finance, tenant: desk, url: "${origin}/finance", secret: DESK, assignees: ["role:finance"]}\n`, 'webhooks.yaml');
  egress = new EgressClient(new EgressPolicy([]));
  const onFault = (fault: unknown): void => expect.fail(String(fault));
  webhooks = new Webhooks({ webhooks: declared, store: new WebhookStore(pool), egress, secrets: () => `whsec_${KEY.toString('base64')}`, bus, onFault });
  const consumer = new LifecycleConsumer(declared, (messages) => webhooks.tell(messages));
  await bus.subscribe({ topic: 'weft.lifecycle', group: WEBHOOKS_GROUP, handle: (batch) => consumer.handle(batch) });
  await bus.subscribe({
    topic: 'weft.lifecycle.dead',
    group: 'spec',
    handle: async (batch) => void dead.push(...batch.flatMap((each) => (each.ok ? [each.envelope as Envelope<DeadLetterBody>] : []))),
  });
  webhooks.start();
});
afterAll(async () => {
  await webhooks.stop();
  egress.close();
  await bus.close();
  await pool.end();
  await scratch.close();
  await new Promise((resolve) => server.close(resolve));
});

const happens = (tenant: string, id: string, type = 'ai.weft.review.requested.v1', data: object = { review: 'r1', assignees: ['user:eva'] }): Promise<void> =>
  bus.publish([
    outgoing('lifecycle', {
      id,
      source: '/weft/orchestration',
      type,
      subject: 'req',
      time: 1_000,
      key: 'e1',
      context: contextOf({ tenant }),
      body: { executionId: 'e1', requestId: 'req', workflow: 'a/b:1.0.0', data: data as never },
    }),
  ]);
const told = (path: string) => received.filter((each) => each.path === `/${path}`);
const state = async (id: string): Promise<object | undefined> =>
  (await pool.query<{ state: string; attempts: number; problem: string }>('select state, attempts, problem from tools.webhook_messages where id = $1', [id])).rows[0];
/** What is to be tried again later is due now. */
const passTime = (id: string): Promise<unknown> => pool.query(`update tools.webhook_messages set next_at = now() where id = $1 and state = 'waiting'`, [id]);

describe('a webhook', () => {
  it('is sent the event as a CloudEvent, signed so that its receiver can tell', async () => {
    await happens('desk', 'e1/0/1');
    await eventually(() => told('desk').length === 1);
    const [{ headers, body }] = told('desk') as [(typeof received)[number]];
    expect(headers).toMatchObject({ 'content-type': 'application/cloudevents+json', 'webhook-id': 'e1/0/1' });
    expect(JSON.parse(body)).toMatchObject({
      specversion: '1.0',
      id: 'e1/0/1',
      type: 'ai.weft.review.requested.v1',
      wefttenant: 'desk',
      data: { executionId: 'e1', review: 'r1', assignees: ['user:eva'] },
    });
    const signed = createHmac('sha256', KEY)
      .update(`e1/0/1.${headers['webhook-timestamp'] as string}.${body}`)
      .digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signed}`);
    expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
    await eventually(async () => (await state('e1/0/1'))?.['state' as never] === 'taken');
  });

  it('is sent an event once, however often it is told of', async () => {
    const before = told('desk').length;
    await happens('desk', 'e2/0/1');
    await happens('desk', 'e2/0/1');
    await happens('desk', 'e2/0/2');
    await eventually(() => told('desk').some(({ headers }) => headers['webhook-id'] === 'e2/0/2'));
    expect(told('desk').length - before).toBe(2);
  });

  it('is not sent what other tenants do, what it has not asked for, or what is for others', async () => {
    await happens('acme', 'e3/0/1');
    await happens('desk', 'e3/0/2', 'io.serverlessworkflow.workflow.started.v1');
    await happens('desk', 'e3/0/3', 'ai.weft.review.escalated.v1', { review: 'r1', to: ['role:finance'] });
    await eventually(() => told('finance').length === 1);
    expect(told('finance').map(({ headers }) => headers['webhook-id'])).toEqual(['e3/0/3']);
    expect(received.some(({ headers }) => ['e3/0/1', 'e3/0/2'].includes(String(headers['webhook-id'])))).toBe(false);
  });

  it('that refuses is tried again under the same id until it takes the message', async () => {
    answers.set('/moody', [500, 429]);
    await happens('moody', 'e4/0/1');
    for (const status of [500, 429]) {
      // Settled, and not only sent: else the pause would be set after it was taken away.
      await eventually(async () => JSON.stringify((await state('e4/0/1')) ?? null).includes(`answered ${status}`));
      await passTime('e4/0/1');
    }
    await eventually(async () => JSON.stringify(await state('e4/0/1')).includes('taken'));
    expect(await state('e4/0/1')).toMatchObject({ attempts: 3 });
    expect(new Set(told('moody').map(({ headers }) => headers['webhook-id']))).toEqual(new Set(['e4/0/1']));
  });

  it('that says it is gone is not tried again: the message is set aside with the reason', async () => {
    answers.set('/gone', [410]);
    await happens('gone', 'e5/0/1');
    await eventually(() => dead.length === 1);
    expect(dead[0]!.body.reason).toMatchObject({ code: 'webhook-undeliverable', message: expect.stringContaining('410') });
    expect(Buffer.from(dead[0]!.body.valueBase64, 'base64').toString()).toContain('e5/0/1');
    await eventually(async () => JSON.stringify(await state('e5/0/1')).includes('set-aside'));
  });
});

describe('a webhooks file', () => {
  it.each([
    ['webhooks: [{name: a, url: "ftp://x", secret: A}]', /url/],
    ['webhooks: [{name: a, url: "https://x", secret: "a b"}]', /secret/],
    ['webhooks: [{name: a, url: "https://x", secret: A, event: [x]}]', /event/],
    ['webhooks: [{name: a, url: "https://x", secret: A, assignees: [eva]}]', /assignees/],
    ['webhooks: [{name: a, url: "https://x", secret: A}, {name: a, url: "https://y", secret: A}]', /same/],
  ])('is refused with what is wrong in it: %s', (text, reason) => {
    expect(() => parseWebhooks(text, 'webhooks.yaml')).toThrow(reason);
  });
});
