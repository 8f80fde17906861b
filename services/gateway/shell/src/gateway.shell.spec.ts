// The gateway as a whole, over real HTTP: a scratch store for its keys, and peers that answer what they are told.
import 'reflect-metadata';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { RequestMethod } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { LocalBus, LocalStream } from '@weft/adapter-local';
import { engineRole, openPool, openScratchStore } from '@weft/adapter-postgres';
import {
  contextOf,
  Review,
  Schedule,
  ReviewDetail,
  type ChangeReviewRequest,
  type ListReviewsRequest,
  type AcceptRequest,
  type AuditPeer,
  type Budget,
  type BudgetName,
  type BudgetsPeer,
  type BudgetState,
  type PermissionsPeer,
  type ToolsPeer,
  type BulkRequest,
  type ChangeScheduleRequest,
  type UpgradeRequest,
  type Context,
  type DecideRequest,
  type DeployRequest,
  type Execution,
  type ExecutionQuery,
  type OperateRequest,
  type OrchestrationPeer,
  type ResultBody,
  type RoutingPeer,
  type Selection,
  type TimelineEntry,
} from '@weft/contracts';
import { refuse } from '@weft/kernel';
import { createApp } from '@weft/nest-platform';
import { outgoing, type Limiter, type TokenChunk } from '@weft/pipeline';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boundCrowd } from './http/crowd.js';
import { GatewayModule } from './gateway.module.js';
import { createApiKey, hasApiKey, revokeApiKey } from './keys/api-key.store.js';
import { gatewayMigrations } from './migrations/index.js';

const KNOWN = '0190b1a2-0000-7000-8000-000000000001';
const ACCEPTED = '0190b1a2-0000-7000-8000-000000000002';
const FOREIGN = '0190b1a2-0000-7000-8000-000000000003';
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const ACCEPTING_MAX = 4;
const WAITING_MAX = 3;

let given: GatewayUnderTest;
beforeAll(async () => {
  given = await startGateway();
});
afterAll(async () => {
  await given.close();
});

const PAYLOAD = 'd'.repeat(64);

// Every route of the process, with a path that asks for something of another tenant where there is such a thing.
const ROUTES: readonly { readonly route: string; readonly path?: string; readonly body?: unknown; readonly withForeignId?: number }[] = [
  { route: 'GET /' },
  { route: 'ALL /*path', path: '/v1/no-such-thing', withForeignId: 404 },
  { route: 'POST /v1/requests', body: { type: 'com.example.complaint.v1' } },
  { route: 'GET /v1/executions' },
  { route: 'GET /v1/executions/:id', path: `/v1/executions/${FOREIGN}`, withForeignId: 404 },
  { route: 'GET /v1/executions/:id/timeline', path: `/v1/executions/${FOREIGN}/timeline`, withForeignId: 404 },
  { route: 'GET /v1/executions/:id/events', path: `/v1/executions/${FOREIGN}/events`, withForeignId: 404 },
  { route: 'GET /v1/executions/:id/tokens', path: `/v1/executions/${FOREIGN}/tokens`, withForeignId: 404 },
  { route: 'GET /v1/executions/:id/route', path: `/v1/executions/${FOREIGN}/route`, withForeignId: 404 },
  { route: 'GET /v1/executions/:id/proof', path: `/v1/executions/${FOREIGN}/proof`, withForeignId: 404 },
  { route: 'GET /v1/executions/:id/members', path: `/v1/executions/${FOREIGN}/members`, withForeignId: 404 },
  { route: 'POST /v1/executions/bulk', body: { operation: 'cancel', query: { status: 'running' } } },
  { route: 'GET /v1/payloads/:digest', path: `/v1/payloads/${'f'.repeat(64)}`, withForeignId: 404 },
  { route: 'POST /v1/executions/:id/signals', path: `/v1/executions/${FOREIGN}/signals`, body: { type: 'com.example.paid.v1' }, withForeignId: 404 },
  { route: 'POST /v1/events', body: { type: 'com.example.paid.v1' } },
  { route: 'POST /v1/executions/:id/:operation', path: `/v1/executions/${FOREIGN}/cancel`, body: { reason: 'no' }, withForeignId: 404 },
  { route: 'GET /v1/reviews' },
  { route: 'GET /v1/reviews/:id', path: '/v1/reviews/foreign', withForeignId: 404 },
  { route: 'POST /v1/reviews/:id/claim', path: '/v1/reviews/foreign/claim', body: {}, withForeignId: 404 },
  { route: 'POST /v1/reviews/:id/release', path: '/v1/reviews/foreign/release', body: {}, withForeignId: 404 },
  { route: 'POST /v1/reviews/:id/delegate', path: '/v1/reviews/foreign/delegate', body: { to: 'user:eva' }, withForeignId: 404 },
  { route: 'POST /v1/reviews/:id/comment', path: '/v1/reviews/foreign/comment', body: { text: 'x' }, withForeignId: 404 },
  { route: 'POST /v1/reviews/:id/decide', path: '/v1/reviews/foreign/decide', body: { outcome: 'approved' }, withForeignId: 404 },
  { route: 'POST /v1/definitions', body: 'document: {}' },
  { route: 'GET /v1/definitions' },
  { route: 'GET /v1/budgets' },
  { route: 'PUT /v1/budgets', body: { scope: 'tool', name: 'mail', calls: 1 } },
  { route: 'DELETE /v1/budgets', path: '/v1/budgets?scope=tool&name=mail' },
  { route: 'GET /v1/schedules' },
  { route: 'GET /v1/schedules/:namespace/:name', path: '/v1/schedules/examples/backup' },
  { route: 'POST /v1/schedules/:namespace/:name/:operation', path: '/v1/schedules/examples/backup/pause', body: {} },
  { route: 'POST /v1/upgrades', body: { workflow: 'spec/flow', to: '2.0.0', dryRun: true } },
  { route: 'GET /v1/switches' },
  { route: 'POST /v1/switches', body: { kind: 'tool', name: 'send-mail', off: true, reason: 'Odd.' } },
  { route: 'POST /v1/authorize', body: { workflow: 'acme/x', tool: 'send-mail' } },
  { route: 'GET /v1/tools' },
  { route: 'GET /v1/tools/:name', path: '/v1/tools/none', withForeignId: 404 },
  { route: 'POST /v1/tools/:name/decide', path: '/v1/tools/none/decide', body: { digest: 'd', outcome: 'accept' }, withForeignId: 404 },
  { route: 'GET /v1/effects' },
  { route: 'GET /v1/effects/:key', path: `/v1/effects/${FOREIGN}`, withForeignId: 404 },
  { route: 'GET /v1/audit/checkpoint' },
  { route: 'GET /v1/audit/tile/*path', path: '/v1/audit/tile/0/000' },
  { route: 'ALL /mcp', body: { jsonrpc: '2.0', id: 1, method: 'ping' } },
  { route: 'GET /v1/models' },
  { route: 'POST /v1/chat/completions', body: { model: 'any', messages: [{ role: 'user', content: 'hello' }] } },
  { route: 'GET /health/live' },
  { route: 'GET /health/ready' },
];

describe('signals', () => {
  const PATH = `/v1/executions/${KNOWN}/signals`;
  const json = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    call(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
  const last = (): unknown => JSON.parse(given.signals.at(-1)!.eventJson);

  it('take plain JSON, with a new id or the one of the header', async () => {
    const response = await json(PATH, { type: 'com.example.paid.v1', data: { amount: 5 } }, { 'idempotency-key': 'e-1' });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ executionId: KNOWN, eventId: 'e-1', status: 'accepted', duplicate: false });
    expect(last()).toEqual({ specversion: '1.0', id: 'e-1', source: '/v1/requests', type: 'com.example.paid.v1', data: { amount: 5 } });
    expect(await (await json(PATH, { type: 'x' })).json()).toMatchObject({ eventId: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown });
  });

  it('take a CloudEvent in either mode, with its extensions', async () => {
    const event = { specversion: '1.0', id: 'e-2', source: '/s', type: 't', subject: 'order/7', time: '2026-01-01T00:00:00Z', roomid: 7 };
    await call(PATH, { method: 'POST', headers: { 'content-type': 'application/cloudevents+json' }, body: JSON.stringify({ ...event, wefttaint: 'x', data: [1] }) });
    expect(last()).toEqual({ ...event, roomid: '7', data: [1] });
    const headers = Object.fromEntries(Object.entries(event).map(([name, value]) => [`ce-${name}`, String(value)]));
    await json(PATH, [1], headers);
    expect(last()).toEqual({ ...event, roomid: '7', data: [1] });
  });

  it('say that they were there already', async () => {
    expect(await (await json(PATH, { type: 't', data: 'again' })).json()).toMatchObject({ duplicate: true });
  });

  it('are refused with 409 by an execution that has ended, 404 where there is none, and 400 when they are no event', async () => {
    const late = await json(PATH, { type: 't', data: 'late' });
    expect([late.status, ((await late.json()) as { code: string }).code]).toEqual([409, 'execution-ended']);
    for (const id of [FOREIGN, 'no-id']) expect((await json(`/v1/executions/${id}/signals`, { type: 't' })).status).toBe(404);
    expect((await json(PATH, { data: 1 })).status).toBe(400);
    expect((await json(PATH, { type: 't', extra: 1 })).status).toBe(400);
  });

  it('wait for an execution that was accepted and begins', async () => {
    expect((await json(`/v1/executions/${ACCEPTED}/signals`, { type: 't' })).status).toBe(202);
  });

  it('without an execution go to whoever listens', async () => {
    const response = await json('/v1/events', { type: 'com.example.paid.v1', data: { order: 7 } }, { 'idempotency-key': 'e-9' });
    expect([response.status, await response.json()]).toEqual([202, { eventId: 'e-9', status: 'accepted', taken: 1, executions: [KNOWN] }]);
    expect(given.signals.at(-1)?.executionId).toBe('');
  });
});

describe('keys', () => {
  it('cover every route that the process has', () => {
    const found: string[] = [];
    for (const { controllers } of given.modules.values()) {
      for (const { metatype } of controllers.values()) {
        if (typeof metatype !== 'function') continue;
        const prefix = String(Reflect.getMetadata(PATH_METADATA, metatype) ?? '');
        for (const name of Object.getOwnPropertyNames(metatype.prototype).filter((name) => name !== 'constructor')) {
          const handler = (metatype.prototype as Record<string, unknown>)[name];
          const path = typeof handler === 'function' ? (Reflect.getMetadata(PATH_METADATA, handler) as string | undefined) : undefined;
          if (path === undefined) continue;
          const verb = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler as object) as number];
          found.push(
            `${verb} /${[prefix, path]
              .flatMap((part) => part.split('/'))
              .filter((part) => part !== '')
              .join('/')}`,
          );
        }
      }
    }
    expect([...new Set(found)].sort()).toEqual(ROUTES.map(({ route }) => route).sort());
  });

  const guarded = ROUTES.filter(({ route }) => !route.includes(' /health/'));
  it.each(guarded)('answers $route with 401 to whoever has none, or a wrong one', async ({ route, path, body }) => {
    const keys = [
      undefined,
      'Basic d2VmdDp3ZWZ0',
      'Bearer weft',
      `Bearer weft_${'0'.repeat(16)}_${'0'.repeat(64)}`,
      `Bearer ${given.key.slice(0, -1)}${given.key.endsWith('0') ? '1' : '0'}`,
      `Bearer ${given.revokedKey}`,
    ];
    for (const authorization of keys) {
      const response = await fetch(given.url + (path ?? route.split(' ')[1]!.replace('*path', '0/000')), request(route, body, authorization === undefined ? {} : { authorization }));
      expect(response.status, String(authorization)).toBe(401);
      expect(response.headers.get('www-authenticate') ?? 'Bearer').toBe('Bearer');
      expect(JSON.stringify(await response.json())).toMatch(/Expected an API key/);
    }
  });

  it.each(guarded.filter(({ withForeignId }) => withForeignId !== undefined))('answers $route for a thing of another tenant as if it were not there', async ({ route, path, body, withForeignId }) => {
    const response = await call(path!, request(route, body));
    expect(response.status).toBe(withForeignId);
    expect(await response.text()).not.toContain('acme');
  });

  it('leaves health open', async () => {
    expect(await (await fetch(`${given.url}/health/live`)).json()).toEqual({ status: 'live' });
    expect((await fetch(`${given.url}/health/ready`)).status).toBe(200);
  });

  it('says with 403 that an event of another tenant does not belong here', async () => {
    const event = { specversion: '1.0', id: 'x', source: '/s', type: 'com.example.complaint.v1', wefttenant: 'acme', data: 1 };
    const response = await call('/v1/requests', { method: 'POST', headers: { 'content-type': 'application/cloudevents+json' }, body: JSON.stringify(event) });
    expect(response.status).toBe(403);
    expect(await problem(response)).toMatch(/^Expected an event of tenant default, .* names tenant "acme"/);
  });

  it('are stored as digests alone', async () => {
    const { rows } = await given.pool.query('select * from gateway.api_keys');
    expect(JSON.stringify(rows)).not.toContain(given.key.split('_')[2]);
    expect(await hasApiKey(given.pool, 'default')).toBe(true);
    expect(await hasApiKey(given.pool, 'nobody')).toBe(false);
  });

  it('may ask only so often, and are told when again', async () => {
    given.limit({ allowed: false, retryAfterMs: 2_500 });
    const response = await call('/v1/executions');
    given.limit({ allowed: true, retryAfterMs: 0 });
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('3');
  });
});

describe('POST /v1/requests', () => {
  it('accepts plain JSON and names the execution, its route and where to look', async () => {
    const response = await call('/v1/requests', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'order-1', traceparent: TRACEPARENT },
      body: JSON.stringify({ type: 'com.example.complaint.v1', data: { a: 1 }, subject: 's' }),
    });
    expect(response.status).toBe(202);
    const executionId = given.lastExecution();
    expect(response.headers.get('location')).toBe(`/v1/executions/${executionId}`);
    expect(await response.json()).toMatchObject({
      executionId,
      requestId: 'order-1',
      status: 'accepted',
      duplicate: false,
      traceId: '0af7651916cd43dd8448eb211c80319c',
      route: { rule: 'complaints', models: [{ id: 'small' }] },
      links: { events: `/v1/executions/${executionId}/events` },
    });
    const [accepted, context] = given.accepted.at(-1)!;
    expect(accepted).toEqual({ id: 'order-1', source: '/v1/requests', type: 'com.example.complaint.v1', subject: 's', dataJson: '{"a":1}' });
    expect(context).toMatchObject({ tenant: 'default', actor: expect.stringMatching(/^key:[0-9a-f]{16}$/), purpose: 'com.example.complaint.v1' });
    expect(context.traceparent).toContain('0af7651916cd43dd8448eb211c80319c');
  });

  it('accepts CloudEvents in binary and in structured mode', async () => {
    await call('/v1/requests', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'ce-specversion': '1.0', 'ce-id': 'b-1', 'ce-source': '/shop', 'ce-type': 'com.example.complaint.v1' },
      body: '[1]',
    });
    expect(given.accepted.at(-1)![0]).toEqual({ id: 'b-1', source: '/shop', type: 'com.example.complaint.v1', subject: '', dataJson: '[1]' });
    const event = { specversion: '1.0', id: 's-1', source: '/shop', type: 'com.example.complaint.v1', subject: 'c', data: { b: 2 } };
    await call('/v1/requests', { method: 'POST', headers: { 'content-type': 'application/cloudevents+json', 'idempotency-key': 'mine' }, body: JSON.stringify(event) });
    expect(given.accepted.at(-1)![0]).toEqual({ id: 'mine', source: '/shop', type: 'com.example.complaint.v1', subject: 'c', dataJson: '{"b":2}' });
  });

  it('waits for the answer when that is preferred, woken by the result event', async () => {
    const answer = call('/v1/requests', { method: 'POST', headers: { 'content-type': 'application/json', prefer: 'wait=30' }, body: JSON.stringify({ type: 'com.example.complaint.v1' }) });
    await given.afterAccept();
    await given.publishResult({ executionId: given.lastExecution(), requestId: 'r', status: 'completed', output: { reply: 'sorry' } });
    const response = await answer;
    expect(response.status).toBe(200);
    expect(response.headers.get('preference-applied')).toBe('wait=30');
    expect(await response.json()).toMatchObject({ status: 'completed', output: { reply: 'sorry' } });
  });

  it('finds the answer also when the result event never comes', async () => {
    given.nextExecution(KNOWN);
    const response = await call('/v1/requests', {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async, wait=30' },
      body: JSON.stringify({ type: 'com.example.complaint.v1' }),
    });
    expect(await response.json()).toMatchObject({ executionId: KNOWN, status: 'completed', output: { content: 'done' } });
  });

  it('answers 202 when the time is up first', async () => {
    const response = await call('/v1/requests', { method: 'POST', headers: { 'content-type': 'application/json', prefer: 'wait=1' }, body: JSON.stringify({ type: 'com.example.complaint.v1' }) });
    expect([response.status, await response.json()]).toMatchObject([202, { status: 'accepted' }]);
  });

  const json = { 'content-type': 'application/json' };
  const structured = { 'content-type': 'application/cloudevents+json' };
  it.each<[string, Record<string, string>, string | Uint8Array<ArrayBuffer>, number, RegExp]>([
    ['text that is no JSON', json, '{"type":', 400, /Expected the body to be JSON/],
    ['an empty body', json, '', 400, /body is empty/],
    ['a list', json, '[]', 400, /body is a list/],
    ['no type', json, '{"data":1}', 400, /`type` to be text but it is missing/],
    ['a type that is no text', json, '{"type":7}', 400, /`type` to be text but got number/],
    ['an unknown field', json, '{"type":"a","dta":1}', 400, /no fields but type, data, subject, source, but it has "dta"/],
    ['NUL in text', json, '{"type":"a","data":{"x":"\\u0000"}}', 400, /at data\/x contains a NUL/],
    ['deep JSON', json, `{"type":"a","data":${'['.repeat(100)}${']'.repeat(100)}}`, 400, /deeper than 64 levels/],
    ['JSON as deep as the body allows', json, `{"type":"a","data":${'['.repeat(500_000)}${']'.repeat(500_000)}}`, 400, /deeper than 64 levels/],
    [
      'a deep CloudEvent that is renamed',
      { ...structured, 'idempotency-key': 'k' },
      `{"specversion":"1.0","source":"/s","type":"a","data":${'['.repeat(500_000)}${']'.repeat(500_000)}}`,
      400,
      /deeper than 64 levels/,
    ],
    ['bytes that are no UTF-8', json, new Uint8Array([0x22, 0xff, 0x22]), 400, /UTF-8|JSON/],
    ['a body of 5 MB', json, JSON.stringify({ type: 'a', data: 'x'.repeat(5_000_000) }), 413, /Expected a body of at most \d+ bytes/],
    ['a body just above 1 MiB', json, JSON.stringify({ type: 'a', data: 'x'.repeat(1024 * 1024) }), 413, /Expected a body of at most 1048576 bytes/],
    ['a foreign content type', { 'content-type': 'text/plain' }, 'hello', 400, /content-type is "text\/plain"/],
    ['a CloudEvent without attributes', structured, '{"specversion":"1.0"}', 400, /`id` is missing; attribute `source` is missing; attribute `type` is missing/],
    ['a CloudEvent of another version', { ...json, 'ce-specversion': '0.3', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' }, '1', 400, /`specversion` is "0.3"/],
    ['an Idempotency-Key that is none', { ...json, 'idempotency-key': 'a b' }, '{"type":"a"}', 400, /Idempotency-Key of 1 to 255/],
    ['an unknown event type', json, '{"type":"com.example.unknown.v1"}', 422, /Expected an event type that a route matches/],
  ])('answers %s with a sentence and hands nothing on', async (_, headers, body, status, message) => {
    const before = given.accepted.length;
    const response = await call('/v1/requests', { method: 'POST', headers, body });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await problem(response)).toMatch(message);
    expect(given.accepted.length).toBe(before);
  });
});

describe('GET /v1/payloads', () => {
  it('gives what an event refers to, and a sentence for anything else', async () => {
    const response = await call(`/v1/payloads/${PAYLOAD}`);
    expect([response.status, response.headers.get('content-type'), response.headers.get('etag'), await response.text()]).toEqual([
      200,
      'application/json; charset=utf-8',
      `"${PAYLOAD}"`,
      '{"output":"large"}',
    ]);
    for (const digest of ['e'.repeat(64), 'abc', '..%2f..']) expect((await call(`/v1/payloads/${digest}`)).status).toBe(404);
  });
});

describe('executions', () => {
  it('are shown with parsed data, and as accepted while nobody has begun them', async () => {
    expect(await (await call(`/v1/executions/${KNOWN}`)).json()).toMatchObject({
      executionId: KNOWN,
      status: 'completed',
      output: { content: 'done' },
      startedAt: '2026-01-01T00:00:00.000Z',
      links: { self: `/v1/executions/${KNOWN}` },
    });
    expect(await (await call(`/v1/executions/${ACCEPTED}`)).json()).toMatchObject({ executionId: ACCEPTED, status: 'accepted', workflow: { name: 'triage' } });
    expect(await (await call(`/v1/executions/${ACCEPTED}/timeline`)).json()).toMatchObject({ status: 'accepted', entries: [] });
    expect((await call('/v1/executions/not-an-id')).status).toBe(404);
  });

  it('are listed by page and status, with a sentence for a parameter that is none', async () => {
    expect(await (await call('/v1/executions?limit=2&status=completed&cursor=c')).json()).toMatchObject({ executions: [{ executionId: KNOWN }], nextCursor: 'next' });
    for (const [query, message] of [
      ['limit=0', /`limit` to be a whole number from 1 to 200/],
      ['status=done', /one of running, waiting/],
      ['attribute=customer', /NAME:VALUE, such as customer:42/],
      ['startedAfter=yesterday', /a time such as/],
      ['cursor=a&cursor=b', /`cursor` once/],
    ] as const) {
      const response = await call(`/v1/executions?${query}`);
      expect(response.status).toBe(400);
      expect(await problem(response)).toMatch(message);
    }
  });

  it('are searched by everything that a query names', async () => {
    const response = await call(
      `/v1/executions?status=faulted&workflow=demo/triage&attribute=customer:42&attribute=tag:a:b&startedAfter=2026-01-01&startedBefore=2026-01-02T00:00:00Z&request=r1&source=/s&type=t.v1&parent=${KNOWN}`,
    );
    expect(response.status).toBe(200);
    expect(given.queries.at(-1)).toEqual({
      status: 'faulted',
      workflow: 'demo/triage',
      startedFromMs: Date.UTC(2026, 0, 1),
      startedBeforeMs: Date.UTC(2026, 0, 2),
      requestId: 'r1',
      requestSource: '/s',
      requestType: 't.v1',
      parent: KNOWN,
      attributes: [
        { name: 'customer', value: '42' },
        { name: 'tag', value: 'a:b' },
      ],
    });
  });

  it('are taken over to another version, or told why not, with maps as objects', async () => {
    const upgrade = (body: unknown): Promise<Response> =>
      call('/v1/upgrades', { method: 'POST', headers: { 'content-type': 'application/json', 'idempotency-key': 'm-1' }, body: JSON.stringify(body) });
    const response = await upgrade({ workflow: 'demo/triage', to: '2.0.0', map: { '/do/0/a': '/do/1/a' }, execution: KNOWN, dryRun: true });
    expect([response.status, await response.json()]).toMatchObject([
      200,
      { id: 'm-1', matched: 1, broken: [{ execution: KNOWN, problems: [{ reason: 'task-moved' }], isHealedByProposal: true }], proposals: [{ version: '1.0.0', map: { '/do/0/a': '/do/1/a' } }] },
    ]);
    expect(given.upgrades.at(-1)).toMatchObject({ text: '', workflow: 'demo/triage', to: '2.0.0', mapJson: '{"/do/0/a":"/do/1/a"}', executionId: KNOWN, dryRun: true, operationId: 'm-1', limit: 0 });
    for (const [body, message] of [
      [{ map: [] }, /`map` to be an object/],
      [{ dryRun: 'yes' }, /`dryRun` to be true or false/],
      [{ limit: 501 }, /from 1 to 500/],
      [{ file: 'x' }, /no fields but text, workflow/],
    ] as const)
      expect(((await (await upgrade(body)).json()) as { readonly detail: string }).detail).toMatch(message);
  });

  it('are operated on in bulk by what a query means', async () => {
    const bulk = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
      call('/v1/executions/bulk', { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
    const query = { status: 'waiting', workflow: 'demo/triage', attributes: ['customer:42'], startedAfter: '2026-01-01T00:00:00Z' };
    const response = await bulk({ operation: 'cancel', reason: 'recalled', query, limit: 2, cursor: 'c' }, { 'idempotency-key': 'bulk-7' });
    expect([response.status, await response.json()]).toMatchObject([200, { bulkId: 'bulk-7', matched: 2, done: 1, refused: [{ code: 'operation-not-possible', count: 1 }], nextCursor: 'next' }]);
    expect(given.bulks.at(-1)).toEqual({
      operation: 'cancel',
      bulkId: 'bulk-7',
      reason: 'recalled',
      dryRun: false,
      cursor: 'c',
      limit: 2,
      query: {
        status: 'waiting',
        workflow: 'demo/triage',
        startedFromMs: Date.UTC(2026, 0, 1),
        startedBeforeMs: 0,
        requestId: '',
        requestSource: '',
        requestType: '',
        parent: '',
        attributes: [{ name: 'customer', value: '42' }],
      },
    });
    for (const [body, message] of [
      [{ operation: 'cancel' }, /`query` to be an object/],
      [{ operation: 'cancel', query: { stat: 'x' } }, /no fields but status, workflow/],
      [{ operation: 'cancel', query: { status: 'done' } }, /one of running, waiting/],
      [{ operation: 'cancel', query: { attributes: [1] } }, /a list of NAME:VALUE/],
      [{ operation: 'cancel', query, limit: 501 }, /from 1 to 500/],
      [{ operation: 'cancel', query, dryRun: 'yes' }, /true or false/],
      [{ query }, /`operation` to be text but it is missing/],
    ] as const) {
      const refused = await bulk(body);
      expect(refused.status).toBe(400);
      expect(await problem(refused)).toMatch(message);
    }
  });

  it('stream their timeline to the end, and go on from the last event id', async () => {
    const whole = await (await call(`/v1/executions/${KNOWN}/events`)).text();
    expect(whole.match(/^event: entry$/gm)).toHaveLength(3);
    // Two entries of one version: only the second carries the id.
    expect(whole.match(/^id: .*$/gm)).toEqual(['id: 0', 'id: 1']);
    expect(whole).toMatch(/event: end\ndata: \{"executionId":"[^"]+","status":"completed"\}\n\n$/);
    const rest = await (await call(`/v1/executions/${KNOWN}/events`, { headers: { 'last-event-id': '0' } })).text();
    expect(rest.match(/^event: entry$/gm)).toHaveLength(2);
  });

  it('stop being asked for when the reader of a stream leaves', async () => {
    const abort = new AbortController();
    const response = await call(`/v1/executions/${ACCEPTED}/events`, { signal: abort.signal });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    abort.abort();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const asked = given.timelineAsked();
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(given.timelineAsked()).toBe(asked);
  });

  it('tell their route and their proofs', async () => {
    expect(await (await call(`/v1/executions/${ACCEPTED}/route`)).json()).toMatchObject({ route: { rule: 'complaints', rejected: [{ kind: 'workflow', name: 'examples/vip' }] } });
    expect(await (await call(`/v1/executions/${KNOWN}/proof`)).json()).toMatchObject({ proofs: [{ sequence: 0, leafIndex: 3, proof: { ok: true } }], pending: 1 });
  });
});

describe('reviews, definitions and the log', () => {
  it('decide a review in the name of the key', async () => {
    const response = await call('/v1/reviews/r-1/decide', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ outcome: 'approved', comment: 'fine', form: { amount: 3 } }),
    });
    expect([response.status, await response.json()]).toMatchObject([200, { reviewId: 'r-1', status: 'approved' }]);
    expect(given.decisions.at(-1)).toMatchObject([{ reviewId: 'r-1', outcome: 'approved', comment: 'fine', formJson: '{"amount":3}' }, { actor: expect.stringMatching(/^key:/) }]);
    expect(await problem(await call('/v1/reviews/r-1/decide', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"comment":"x"}' }))).toMatch(
      /`outcome` to be text but it is missing/,
    );
  });

  const asEva = (path: string, body?: unknown): Promise<Response> =>
    call(path, {
      headers: { authorization: `Bearer ${given.evasKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });

  it('are worked on in the name of the person that a key acts for, with the roles of the key', async () => {
    const eva = { actor: 'user:eva' };
    expect(await (await asEva('/v1/reviews/r-1/claim', { leaseSeconds: 60 })).json()).toMatchObject({ claim: { by: 'user:eva' } });
    expect(given.reviewed.at(-1)).toMatchObject([{ reviewId: 'r-1', change: 'claim', leaseMs: 60_000, roles: ['finance', 'heads'] }, eva]);
    await asEva('/v1/reviews/r-1/delegate', { to: 'role:legal', text: 'yours' });
    expect(given.reviewed.at(-1)).toMatchObject([{ change: 'delegate', to: 'role:legal', text: 'yours' }, eva]);
    await asEva('/v1/reviews/r-1/decide', { outcome: 'approved' });
    expect(given.decisions.at(-1)).toMatchObject([{ roles: ['finance', 'heads'] }, eva]);
    await asEva('/v1/reviews?mine=true&status=all&role=finance&workflow=a/b&dueBefore=2026-01-31T08:00:00Z&limit=3');
    expect(given.reviewed.at(-1)).toMatchObject([{ mine: true, status: 'all', role: 'finance', workflow: 'a/b', dueBeforeMs: Date.UTC(2026, 0, 31, 8), limit: 3, roles: ['finance', 'heads'] }, eva]);
  });

  it('take what is done to a review only as it can be meant', async () => {
    for (const [path, body] of [
      ['claim', { leaseSeconds: 'long' }],
      ['claim', { leaseSeconds: 0 }],
      ['claim', { to: 'user:ann' }],
      ['delegate', { to: 7 }],
      ['comment', { text: 'nul\u0000' }],
    ] as const)
      expect([path, (await asEva(`/v1/reviews/r-1/${path}`, body)).status]).toEqual([path, 400]);
    for (const query of ['mine=perhaps', 'dueBefore=soon', 'limit=0']) expect((await asEva(`/v1/reviews?${query}`)).status).toBe(400);
    expect((await call('/v1/reviews/r-1/release', { method: 'POST' })).status).toBe(200);
  });

  it('show a review with what has happened to it', async () => {
    expect(await (await call('/v1/reviews/r-1')).json()).toMatchObject({
      reviewId: 'r-1',
      history: [
        { what: 'requested', to: ['role:finance'] },
        { what: 'commented', by: 'user:eva', text: 'why?' },
      ],
    });
  });

  it('deploy a document as it stands: 201 when new, 200 again, a sentence when it is none', async () => {
    const deploy = (body: string): Promise<Response> => call('/v1/definitions', { method: 'POST', headers: { 'content-type': 'application/yaml' }, body });
    expect((await deploy('document: {}')).status).toBe(201);
    const again = await deploy('document: {}');
    expect([again.status, await again.json()]).toMatchObject([200, { name: 'triage', created: false }]);
    expect(given.deployed.at(-1)?.text).toBe('document: {}');
    for (const [text, status, message] of [
      [': [', 422, /not YAML/],
      ['', 400, /body is empty/],
      ['a: "\u0000"', 422, /NUL character at position 4/],
    ] as const) {
      const response = await deploy(text);
      expect([response.status, await problem(response)]).toEqual([status, expect.stringMatching(message)]);
    }
  });

  it('show the log as tlog clients read it', async () => {
    expect(await (await call('/v1/audit/checkpoint')).text()).toBe('weft.example\n1\nhash\n');
    expect(await (await call('/v1/audit/checkpoint', { headers: { accept: 'application/json' } })).json()).toEqual({ size: 1, note: 'weft.example\n1\nhash\n', verifierKey: 'key' });
    expect(await (await call('/v1/audit/tile/entries/x001/234.p/5')).text()).toBe('bytes of tile/entries/x001/234.p/5');
    expect((await call('/v1/audit/tile/0/..%2Fkeys')).status).toBe(404);
  });

  it('say what would be decided about a call', async () => {
    const ask = (body: unknown): Promise<Response> => call('/v1/authorize', { method: 'POST', body: JSON.stringify(body) });
    const answer = await ask({ workflow: 'acme/x', tool: 'send-mail', arguments: { to: 'a' }, taint: ['tool:x'] });
    expect(await answer.json()).toEqual({ decision: 'deny', code: 'denied', message: 'Expected send-mail {"to":"a"}.', reasons: ['tool:x'], needed: [], policies: [], policyDigest: 'd' });
    expect((await ask({ workflow: 'acme/x', taint: 'x' })).status).toBe(400);
    expect((await ask({ workflow: 'acme/x', argumens: {} })).status).toBe(400);
  });

  it('show, set and remove budgets, with what is left of them', async () => {
    const put = (body: unknown): Promise<Response> => call('/v1/budgets', { method: 'PUT', body: JSON.stringify(body) });
    const listed = (await (await call('/v1/budgets?execution=e')).json()) as { budgets: object[]; nextCursor: string };
    expect(listed).toMatchObject({ nextCursor: 'next', budgets: [{ scope: 'tool', name: 'e', per: 'day', source: 'set', limits: { money: 1, calls: 2 } }] });
    expect(listed.budgets[0]).toMatchObject({ spent: { money: 0.25, tokens: 7, calls: 2 }, left: { money: 0.75, calls: 0 }, renewsAt: '1970-01-02T00:00:00.000Z' });
    expect(await (await put({ scope: 'agent', name: 'helper', money: 0.1, per: 'month' })).json()).toMatchObject({ scope: 'agent', name: 'helper', per: 'month', limits: { money: 0.1 } });
    expect(await problem(await put({ scope: 'tool', name: 'mail', calls: -1 }))).toContain('Expected field `calls` to be a number from 0');
    expect(await problem(await put({ scope: 'tool', cals: 1 }))).toContain('no fields but');
    expect((await call('/v1/budgets?scope=tool&name=mail', { method: 'DELETE' })).status).toBe(200);
    expect((await call('/v1/budgets?scope=agent&name=nobody', { method: 'DELETE' })).status).toBe(404);
  });

  it('lists schedules, and passes on what is to be done with one, under the key of the caller', async () => {
    const [known] = ((await (await call('/v1/schedules')).json()) as { schedules: object[] }).schedules;
    expect(known).toMatchObject({ kind: 'cron', schedule: '0 0 * * *', paused: false, dueAt: '1970-01-01T00:00:01.000Z', startedAt: null });
    expect((await call('/v1/schedules/examples/none')).status).toBe(404);
    const trigger = await call('/v1/schedules/examples/backup/trigger', { method: 'POST', body: JSON.stringify({ input: [1] }), headers: { 'idempotency-key': 'k-1' } });
    expect(await trigger.json()).toMatchObject({ executionId: KNOWN, links: { self: `/v1/executions/${KNOWN}` } });
    expect(given.scheduled.at(-1)).toMatchObject({ namespace: 'examples', name: 'backup', operation: 'trigger', operationId: 'k-1', inputJson: '[1]' });
    expect((await call('/v1/schedules/examples/backup/stop', { method: 'POST', body: '{}' })).status).toBe(404);
    expect((await call('/v1/schedules/examples/backup/pause', { method: 'POST', body: '{"when": 1}' })).status).toBe(400);
  });

  it('let an operator stop what belongs to all, and everybody what is their own', async () => {
    const change = (body: object, key?: string): Promise<Response> =>
      call('/v1/switches', {
        method: 'POST',
        body: JSON.stringify({ kind: 'tool', name: 'send', off: true, reason: 'Odd.', ...body }),
        ...(key ? { headers: { authorization: `Bearer ${key}` } } : {}),
      });
    expect(await (await change({})).json()).toMatchObject({ kind: 'tool', tenant: 'default', name: 'send', off: true });
    expect(await (await change({ tenant: '*' })).json()).toMatchObject({ tenant: '*' });
    expect((await change({ tenant: '*' }, given.otherKey)).status).toBe(403);
    expect((await change({ tenant: 'default' }, given.otherKey)).status).toBe(403);
    expect((await change({ kind: 'everything', name: '' }, given.otherKey)).status).toBe(403);
    expect((await change({}, given.otherKey)).status).toBe(200);
    expect((await change({ off: 'yes' })).status).toBe(400);
    expect(await (await call('/v1/switches')).json()).toMatchObject({ switches: [{ tenant: 'default', changedAt: '1970-01-01T00:00:00.000Z' }] });
    expect((await call('/v1/switches?tenant=*', { headers: { authorization: `Bearer ${given.otherKey}` } })).status).toBe(403);
  });

  it('show tools, and decide about them', async () => {
    const list = await call('/v1/tools?state=quarantined&limit=7');
    expect(await list.json()).toMatchObject({ tools: [{ name: 'files.read', summary: 'quarantined 7', concurrency: null }], nextCursor: 'n', problems: [{ source: 'crm', message: 'it is away' }] });
    expect(await (await call('/v1/tools/files.read')).json()).toMatchObject({
      state: 'quarantined',
      invisible: 2,
      offered: { name: 'read' },
      accepted: null,
      differences: [{ path: '/name', after: '"read"' }],
    });
    const decide = (body: unknown): Promise<Response> => call('/v1/tools/files.read/decide', { method: 'POST', body: JSON.stringify(body) });
    expect(await (await decide({ digest: 'd1', outcome: 'accept', reason: 'read' })).json()).toMatchObject({
      state: 'accepted',
      decision: { by: expect.stringMatching(/^key:/) as unknown, reason: 'read' },
    });
    expect((await decide({ outcome: 'accept' })).status).toBe(400);
    expect((await decide({ digest: 'd1', outcome: 'accept', forever: true })).status).toBe(400);
  });

  it('show effects', async () => {
    expect(await (await call('/v1/effects?state=unknown&tool=send')).json()).toMatchObject({
      effects: [{ state: 'unknown', tool: 'send', task: '/do/0/send', dispatchedAt: '1970-01-01T00:00:01.000Z' }],
    });
    const one = await call(`/v1/effects/${encodeURIComponent('default/1/do/0/send/0')}`);
    expect(await one.json()).toMatchObject({ key: 'default/1/do/0/send/0', steps: [{ what: 'dispatched', attempt: 1 }], request: { a: 1 }, response: null });
  });

  it('keep the entries of the log, which name everybody, to auditors', async () => {
    const asOther = { headers: { authorization: `Bearer ${given.otherKey}` } };
    expect((await fetch(`${given.url}/v1/audit/tile/0/000`, asOther)).status).toBe(200);
    const entries = await fetch(`${given.url}/v1/audit/tile/entries/000`, asOther);
    expect([entries.status, await problem(entries)]).toEqual([403, expect.stringContaining('Expected a key of a tenant that audits this log')]);
  });
});

describe('operations on executions', () => {
  const operate = (path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    call(`/v1/executions/${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

  it.each(['cancel', 'resume', 'terminate', 'retry', 'reset'])('%s goes on as the caller asks for it, and says what is possible next', async (operation) => {
    const response = await operate(`${KNOWN}/${operation}`, { reason: 'why' }, { 'idempotency-key': 'op-7' });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ operation, operationId: 'op-7', changed: true, execution: { executionId: KNOWN, status: 'completed' }, possible: ['fork', 'reset'] });
    expect(given.operated.at(-1)).toMatchObject([
      { executionId: KNOWN, operation, operationId: 'op-7', reason: 'why', task: '' },
      { tenant: 'default', actor: expect.stringMatching(/^key:/) },
    ]);
  });

  it('need no body, and have an id of their own when the caller gives none', async () => {
    expect((await operate(`${KNOWN}/cancel`)).status).toBe(200);
    expect(given.operated.at(-1)![0]).toMatchObject({ operationId: expect.stringMatching(/^[0-9a-f-]{36}$/), reason: '', task: '' });
  });

  it('that begin an execution name it and where to look', async () => {
    expect(await (await operate(`${KNOWN}/fork`, { task: 'decide' })).json()).toMatchObject({ newExecutionId: ACCEPTED, newLinks: { self: `/v1/executions/${ACCEPTED}` } });
    expect(given.operated.at(-1)![0]).toMatchObject({ task: 'decide' });
  });

  it.each([
    [`${KNOWN}/pause`, {}, 409, /this one is completed/],
    [`${KNOWN}/explode`, {}, 404, /Expected an operation \(cancel, pause,/],
    [`${ACCEPTED}/cancel`, {}, 503, /only accepted so far/],
    [`${FOREIGN}/cancel`, {}, 404, /Expected the id of an execution of this tenant/],
    ['nonsense/cancel', {}, 404, /Expected the id of an execution of this tenant/],
    [`${KNOWN}/cancel`, { why: 'x' }, 400, /no fields but reason, task/],
    [`${KNOWN}/cancel`, { reason: 5 }, 400, /`reason` to be text/],
    [`${KNOWN}/cancel`, { reason: 'x'.repeat(1_001) }, 400, /at most 1000 characters/],
    [`${KNOWN}/cancel`, { reason: 'nul\u0000' }, 400, /can be stored/],
    [`${KNOWN}/cancel`, [], 400, /a list/],
  ])('are refused with a sentence: %s %j', async (path, body, status, message) => {
    const response = await operate(path, body);
    expect([response.status, await problem(response)]).toEqual([status, expect.stringMatching(message)]);
  });
});

describe('POST /v1/chat/completions', () => {
  const client = (apiKey = given.key): OpenAI => new OpenAI({ apiKey, baseURL: `${given.url}/v1`, maxRetries: 0 });
  const chat = { model: 'whatever', messages: [{ role: 'user' as const, content: 'hello' }] };

  it('answers a stock client with the output of a workflow', async () => {
    given.nextExecution(KNOWN);
    const completion = await client().chat.completions.create(chat);
    expect(completion).toMatchObject({
      id: `chatcmpl-${KNOWN}`,
      object: 'chat.completion',
      model: 'whatever',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'done' } }],
      usage: { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 },
    });
    expect(given.accepted.at(-1)![0]).toMatchObject({ type: 'ai.weft.chat.v1', dataJson: JSON.stringify(chat) });
  });

  const streamed = async (options: object = {}, meanwhile: (executionId: string) => Promise<void> | void) => {
    const stream = client().chat.completions.create({ ...chat, stream: true, ...options });
    await given.afterAccept();
    await meanwhile(given.lastExecution());
    const chunks = [];
    let error: unknown;
    try {
      for await (const chunk of await stream) chunks.push(chunk);
    } catch (thrown) {
      error = thrown;
    }
    return { chunks, error, text: chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('') };
  };
  const say = (executionId: string, number: number, text: string, kind: TokenChunk['kind'] = 'text', run = 'r1') =>
    given.tokens.publish({ tenant: 'default', executionId }, { source: '/do/0/answer', run, number, kind, text });
  const ended = (executionId: string, content: string) => given.publishResult({ executionId, requestId: 'r', status: 'completed', output: { content, usage: { inputTokens: 7, outputTokens: 2 } } });

  it('streams tokens to a stock client as they come, and says at the end what was used', async () => {
    const { chunks, text } = await streamed({ stream_options: { include_usage: true } }, async (id) => {
      say(id, 0, 'Dear ');
      say(id, 1, 'Ada');
      await ended(id, 'Dear Ada');
    });
    expect(text).toBe('Dear Ada');
    expect(chunks.filter((chunk) => chunk.choices[0]?.delta.content)).toHaveLength(2);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.at(-1)?.usage).toEqual({ prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 });
    expect(chunks[0]).toMatchObject({ object: 'chat.completion.chunk', id: `chatcmpl-${given.lastExecution()}`, choices: [{ delta: { role: 'assistant' } }] });
  });

  it('keeps a bounded part of the tokens for a client that is slow to read, and gives it the rest with the recorded answer', async () => {
    const asked = httpRequest(`${given.url}/v1/chat/completions`, { method: 'POST', headers: { authorization: `Bearer ${given.key}`, 'content-type': 'application/json' } });
    const responded = once(asked, 'response') as Promise<[IncomingMessage]>;
    asked.end(JSON.stringify({ ...chat, stream: true }));
    await given.afterAccept();
    const [response] = await responded;
    const id = given.lastExecution();
    const pieces = Array.from({ length: 20_000 }, (_, number) => String(number).padEnd(1_000, '.'));
    for (const [number, piece] of pieces.entries()) say(id, number, piece);
    await ended(id, pieces.join(''));
    let body = '';
    for await (const part of response.setEncoding('utf8') as AsyncIterable<string>) body += part;
    const contents = body
      .split('\n\n')
      .flatMap((event) => (event.startsWith('data: {') ? ((JSON.parse(event.slice(6)) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content ?? []) : []));
    expect(contents.join('') === pieces.join('')).toBe(true);
    expect(contents.length).toBeLessThan(pieces.length / 2);
    expect(body.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('refuses tools of the client, which nobody would call', async () => {
    const tools = [{ type: 'function' as const, function: { name: 'look', parameters: { type: 'object' } } }];
    await expect(client().chat.completions.create({ ...chat, tools })).rejects.toMatchObject({ status: 400, code: 'request-invalid', message: expect.stringContaining('without `tools`') as unknown });
    given.nextExecution(KNOWN);
    expect((await client().chat.completions.create({ ...chat, tools: [] })).choices[0]?.message.content).toBe('done');
  });

  it('streams the recorded answer where tokens were lost', async () => {
    const { text } = await streamed({}, async (id) => {
      say(id, 0, 'Dear ');
      say(id, 2, '!');
      await ended(id, 'Dear Ada!');
    });
    expect(text).toBe('Dear Ada!');
  });

  it('ends a stream with an error when the answer began anew, unless the client wants to be told of that', async () => {
    const anew = async (id: string): Promise<void> => {
      say(id, 0, 'Dear ');
      say(id, 1, 'another candidate answers', 'restart');
      say(id, 2, 'Hello');
      await ended(id, 'Hello');
    };
    const kept = await streamed({}, anew);
    expect(kept).toMatchObject({ text: 'Dear ', error: { code: 'stream-broken' } });
    const told = await streamed({ stream_options: { weft_restarts: true } }, anew);
    expect(told.error).toBeUndefined();
    expect(told.chunks.flatMap((chunk) => (chunk as { weft?: object }).weft ?? [])).toEqual([{ event: 'restart', reason: 'another candidate answers' }]);
    expect(told.text).toBe('Dear Hello');
  });

  it('ends a stream with an error when the workflow fails', async () => {
    const { text, error } = await streamed({}, async (id) => {
      say(id, 0, 'Dear ');
      await given.publishResult({ executionId: id, requestId: 'r', status: 'faulted', error: { detail: 'the model was away.' } });
    });
    expect([text, error]).toEqual(['Dear ', expect.objectContaining({ code: 'workflow-failed' })]);
  });

  it('streams all that models of an execution say as events, until it ends', async () => {
    say(KNOWN, 0, 'Dear ');
    say(KNOWN, 1, 'why', 'restart');
    const response = await call(`/v1/executions/${KNOWN}/tokens`);
    expect(await response.text()).toBe(
      `event: token\ndata: {"task":"/do/0/answer","run":"r1","number":0,"text":"Dear "}\n\nevent: restart\ndata: {"task":"/do/0/answer","run":"r1","number":1,"text":"why"}\n\nevent: end\ndata: {"executionId":"${KNOWN}","status":"completed"}\n\n`,
    );
  });

  it('lists the models of the catalogue for a stock client, without their keys', async () => {
    const models = await client().models.list();
    expect(models.data).toMatchObject([{ id: 'small', object: 'model', owned_by: 'weft-simulated', use: 'preferred' }]);
    expect(JSON.stringify(models.data)).not.toContain('"s"');
  });

  it('tells a stock client in its own terms what went wrong', async () => {
    await expect(client('weft_no').chat.completions.create(chat)).rejects.toMatchObject({
      status: 401,
      message: expect.stringContaining('Expected an API key'),
      type: 'authentication_error',
      code: 'unauthenticated',
    });
    await expect(client().chat.completions.create({ ...chat, stream: 'yes' as never })).rejects.toMatchObject({ status: 400, message: expect.stringContaining('`stream` to be true or false') });
    await expect(client().chat.completions.create({ ...chat, messages: [] })).rejects.toMatchObject({ status: 400, type: 'invalid_request_error' });
    const answer = client().chat.completions.create(chat);
    await Promise.all([
      expect(answer).rejects.toMatchObject({ status: 422, code: 'workflow-failed', message: expect.stringContaining('faulted: the model was away.') }),
      given.afterAccept().then(() => given.publishResult({ executionId: given.lastExecution(), requestId: 'r', status: 'faulted', error: { detail: 'the model was away.' } })),
    ]);
  });
});

function request(route: string, body: unknown, headers: Record<string, string> = {}): RequestInit {
  const method = route.split(' ')[0]!.replace('ALL', 'DELETE');
  if (body === undefined) return { method, headers };
  return { method, headers: { 'content-type': typeof body === 'string' ? 'application/yaml' : 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

const call = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(given.url + path, { ...init, headers: { authorization: `Bearer ${given.key}`, ...(init.headers as Record<string, string>) } });
const problem = async (response: Response): Promise<string> => ((await response.json()) as { detail: string }).detail;

describe('more than the door holds', () => {
  const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ type: 'com.example.complaint.v1' }) };
  const chat = { model: 'any', messages: [{ role: 'user' as const, content: 'hello' }] };

  /** Fills the door with calls that routing does not answer yet. */
  async function crowd(): Promise<{ readonly calls: readonly Promise<Response>[]; letGo(): void }> {
    let letGo: () => void = () => undefined;
    given.hold(new Promise<void>((resolve) => (letGo = resolve)));
    const before = given.accepted.length;
    const calls = Array.from({ length: ACCEPTING_MAX }, () => call('/v1/requests', request));
    while (given.accepted.length < before + ACCEPTING_MAX) await new Promise((resolve) => setTimeout(resolve, 5));
    return { calls, letGo };
  }

  it('is refused as overloaded with a time to come back, and what was let in is answered', async () => {
    const { calls, letGo } = await crowd();
    const turnedAway = await call('/v1/requests', { ...request, body: 'not even JSON' });
    expect([turnedAway.status, turnedAway.headers.get('retry-after'), turnedAway.headers.get('content-type')]).toEqual([503, '1', 'application/problem+json; charset=utf-8']);
    expect(await turnedAway.json()).toMatchObject({ code: 'overloaded', retryable: true, detail: expect.stringMatching(/^Expected at most 4 calls .* but /) });
    letGo();
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(calls.map(() => 202));
    expect((await call('/v1/requests', request)).status).toBe(202);
  });

  it.each(['/v1/requests/', '/V1/Requests'])('is refused at %s too, which leads to the same door', async (path) => {
    const { calls, letGo } = await crowd();
    expect((await call(path, request)).status).toBe(503);
    letGo();
    await Promise.all(calls);
  });

  it("is refused in the shape of OpenAI's errors where a chat is asked for", async () => {
    const { calls, letGo } = await crowd();
    const client = new OpenAI({ apiKey: given.key, baseURL: `${given.url}/v1`, maxRetries: 0 });
    await expect(client.chat.completions.create(chat)).rejects.toMatchObject({ status: 503, code: 'overloaded', type: 'server_error' });
    letGo();
    await Promise.all(calls);
  });

  it('answers who asks again for what was accepted', async () => {
    const named = { ...request, headers: { ...request.headers, 'idempotency-key': 'asked-again' } };
    given.hold(Promise.resolve());
    expect((await call('/v1/requests', named)).status).toBe(202);
    const { calls, letGo } = await crowd();
    const again = call('/v1/requests', named);
    const other = await call('/v1/requests', { ...request, headers: { ...request.headers, 'idempotency-key': 'never-asked' } });
    letGo();
    expect([(await again).status, other.status]).toEqual([202, 503]);
    await Promise.all(calls);
  });

  it('leaves questions and decisions their way in', async () => {
    const { calls, letGo } = await crowd();
    expect((await call('/v1/executions')).status).toBe(200);
    expect((await call('/v1/reviews/r-1/decide', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"outcome":"approved"}' })).status).toBe(200);
    letGo();
    await Promise.all(calls);
  });

  it('does not count those who wait for a result, and has them wait only as far as there is room', async () => {
    given.hold(Promise.resolve());
    const before = given.accepted.length;
    const leave = new AbortController();
    const waiting = Array.from({ length: WAITING_MAX }, () => call('/v1/requests', { ...request, headers: { ...request.headers, prefer: 'wait=30' }, signal: leave.signal }).catch(() => undefined));
    while (given.accepted.length < before + WAITING_MAX) await new Promise((resolve) => setTimeout(resolve, 5));
    const beyond = await call('/v1/requests', { ...request, headers: { ...request.headers, prefer: 'wait=30' } });
    expect([beyond.status, beyond.headers.get('preference-applied')]).toEqual([202, null]);
    const client = new OpenAI({ apiKey: given.key, baseURL: `${given.url}/v1`, maxRetries: 0 });
    await expect(client.chat.completions.create(chat)).rejects.toMatchObject({ status: 503, code: 'overloaded' });
    leave.abort();
    await Promise.all(waiting);
  });
});

type GatewayUnderTest = Awaited<ReturnType<typeof startGateway>>;

async function startGateway() {
  const store = await openScratchStore([gatewayMigrations]);
  const pool = openPool(store.address, { role: engineRole('gateway'), applicationName: 'gateway spec' });
  const [{ text: key }, revoked, other] = [await createApiKey(pool, 'default', 'spec'), await createApiKey(pool, 'default', 'old'), await createApiKey(pool, 'acme', 'spec')];
  await revokeApiKey(pool, revoked.id);
  const bus = new LocalBus();
  const accepted: [AcceptRequest, Context][] = [];
  const decisions: [DecideRequest, Context][] = [];
  const reviewed: [ChangeReviewRequest | ListReviewsRequest, Context][] = [];
  const { text: evasKey } = await createApiKey(pool, 'default', 'eva', { user: 'eva', roles: ['finance', 'heads'] });
  const operated: [OperateRequest, Context][] = [];
  const deployed: DeployRequest[] = [];
  const signals: { readonly executionId: string; readonly eventJson: string }[] = [];
  const queries: ExecutionQuery[] = [];
  const bulks: BulkRequest[] = [];
  const scheduled: ChangeScheduleRequest[] = [];
  const upgrades: UpgradeRequest[] = [];
  let allowance = { allowed: true, retryAfterMs: 0 };
  let timelineAsked = 0;
  let executions = 100;
  let nextExecution: string | undefined;
  let lastExecution = '';
  let held: Promise<void> | undefined;
  const definition = { namespace: 'examples', name: 'triage', version: '1.0.0', digest: 'd' };
  const selection: Selection = {
    tableVersion: 't',
    rule: 'complaints',
    definition,
    reasons: ['first'],
    rejected: [{ kind: 'workflow', name: 'examples/vip', reason: 'no' }],
    models: [{ id: 'small', endpoint: 'http://x', model: 'm', keySecret: 's', reason: 'preferred', simulated: true }],
  };
  const execution: Execution = {
    executionId: KNOWN,
    status: 'completed',
    definition,
    requestId: 'r',
    requestSource: '/s',
    startedAtMs: Date.UTC(2026, 0),
    endedAtMs: Date.UTC(2026, 0),
    outputJson: '{"content":"done","usage":{"inputTokens":7,"outputTokens":2}}',
    errorJson: '',
    version: 1,
    traceId: 't',
    waits: [],
    inputJson: '{}',
    requestType: 't',
    attributes: [{ name: 'customer', value: '42' }],
    forkedFrom: '',
    parent: '',
    root: '',
    children: 0,
  };
  const unknown = (): never => refuse('not-found', 'Expected an execution of this tenant.');
  const entry = (version: number, type: string): TimelineEntry => ({ version, atMs: 1, type, task: '', pointer: '', part: '', text: type, detailJson: '' });
  const entries = [entry(0, 'ExecutionStarted'), entry(1, 'JobCompleted'), entry(1, 'ExecutionCompleted')];
  const routing: RoutingPeer = {
    accept: async (event, context) => {
      if (event.type === 'com.example.unknown.v1') refuse('no-route', 'Expected an event type that a route matches (a: b) but got another.');
      accepted.push([event, context]);
      await held;
      lastExecution = nextExecution ?? `0190b1a2-0000-7000-8000-${String(++executions).padStart(12, '0')}`;
      nextExecution = undefined;
      return { executionId: lastExecution, duplicate: false, selection, acceptedAtMs: 1_000 };
    },
    select: async () => selection,
    listModels: async () => ({ tableVersion: 't', hasMore: false, models: selection.models }),
    getSelection: async ({ executionId }) =>
      executionId === ACCEPTED || executionId === KNOWN ? { executionId, duplicate: false, selection, acceptedAtMs: 1_000 } : refuse('unknown-execution', 'Expected an execution of tenant default.'),
  };
  const schedule = Schedule.fromPartial({ definition, kind: 'cron', givenJson: '"0 0 * * *"', dueAtMs: 1_000 });
  const review = Review.fromPartial({ reviewId: 'r-1', executionId: KNOWN, kind: 'approval', title: 't', subjectJson: '{}', status: 'approved', openedAtMs: 1 });
  const orchestration: OrchestrationPeer = {
    deploy: async (asked) => {
      if (asked.text.startsWith(': [')) refuse('workflow-syntax', 'Expected YAML or JSON but the text is not YAML.');
      deployed.push(asked);
      return { ref: definition, createdAtMs: 1, created: deployed.length === 1, title: 'Triage', resources: [] };
    },
    listDefinitions: async () => ({ definitions: [{ ref: definition, createdAtMs: 1, created: false, title: 'Triage', resources: [] }], nextCursor: '' }),
    resolveDefinition: async () => ({ ref: definition, createdAtMs: 1, created: false, title: 'Triage', resources: [] }),
    getExecution: async ({ executionId }) => (executionId === KNOWN ? execution : unknown()),
    listExecutions: async ({ query }) => {
      if (query) queries.push(query);
      return { executions: [execution], nextCursor: 'next' };
    },
    getTimeline: async ({ executionId, afterVersion }) => {
      timelineAsked++;
      return executionId === KNOWN ? { executionId, status: 'completed', version: 1, entries: entries.filter(({ version }) => version > afterVersion) } : unknown();
    },
    getMembers: async () => ({ members: [] }),
    upgrade: async (asked) => {
      upgrades.push(asked);
      const broken = [{ executionId: KNOWN, version: '1.0.0', problems: [{ reason: 'task-moved', pointer: '/do/0/a', message: 'no' }], isHealedByProposal: true }];
      return { operationId: 'm-1', to: definition, matched: 1, able: 0, migrated: 0, broken, proposals: [{ version: '1.0.0', mapJson: '{"/do/0/a":"/do/1/a"}', doubts: [] }], nextCursor: '' };
    },
    operateMany: async (asked) => {
      bulks.push(asked);
      return { bulkId: asked.bulkId, matched: 2, done: 1, already: 0, refused: [{ code: 'operation-not-possible', count: 1, executionId: KNOWN, message: 'no' }], nextCursor: 'next' };
    },
    operate: async (asked, context) => {
      if (asked.executionId !== KNOWN) unknown();
      if (asked.operation === 'pause')
        refuse('operation-not-possible', 'Expected an execution that runs or waits to pause it but this one is completed.', { details: { status: 'completed', possible: ['fork'] } });
      operated.push([asked, context]);
      return {
        operation: asked.operation,
        operationId: asked.operationId || 'op-1',
        changed: true,
        execution,
        possible: ['fork', 'reset'],
        newExecutionId: asked.operation === 'fork' ? ACCEPTED : '',
      };
    },
    listSchedules: async ({ name }) => ({ schedules: name === 'none' ? [] : [schedule], executionId: '' }),
    changeSchedule: async (asked) => {
      scheduled.push(asked);
      return { schedules: [schedule], executionId: asked.operation === 'trigger' ? KNOWN : '' };
    },
    listReviews: async (asked, context) => {
      reviewed.push([asked, context]);
      return { reviews: [review], nextCursor: '' };
    },
    getReview: async ({ reviewId }) => {
      if (reviewId !== 'r-1') refuse('not-found', 'Expected a review of this tenant.');
      return ReviewDetail.fromPartial({
        review,
        entries: [
          { atMs: 1, what: 'requested', to: ['role:finance'] },
          { atMs: 2, what: 'commented', by: 'user:eva', text: 'why?' },
        ],
      });
    },
    changeReview: async (asked, context) => {
      if (asked.reviewId !== 'r-1') refuse('not-found', 'Expected a review of this tenant.');
      reviewed.push([asked, context]);
      return Review.fromPartial({ ...review, status: 'open', claimedBy: context.actor, claimedUntilMs: 3 });
    },
    decide: async (asked, context) => {
      if (asked.reviewId !== 'r-1') refuse('not-found', 'Expected a review of this tenant.');
      decisions.push([asked, context]);
      return review;
    },
    signal: async ({ events }) => ({
      receipts: events.map((event) => {
        signals.push(event);
        // Begins while the gateway waits for it.
        const begun = event.executionId === KNOWN || (event.executionId === ACCEPTED && signals.filter(({ executionId }) => executionId === ACCEPTED).length > 1);
        const code = begun ? (event.eventJson.includes('"late"') ? 'execution-ended' : undefined) : 'unknown-execution';
        return { duplicate: event.eventJson.includes('"again"'), refusal: code === undefined ? undefined : { code, message: 'Expected another.', retryable: false, retryAfterMs: 0, detailsJson: '' } };
      }),
    }),
    publishEvents: async ({ eventJson }) => {
      signals.push(...eventJson.map((text) => ({ executionId: '', eventJson: text })));
      return { receipts: eventJson.map(() => ({ taken: 1, executionIds: [KNOWN], refusal: undefined })) };
    },
  };
  const checkpoint = { note: 'weft.example\n1\nhash\n', verifierKey: 'key', size: 1 };
  const audit: AuditPeer = {
    getCheckpoint: async () => checkpoint,
    proveExecution: async ({ executionId }) => ({ executionId, proofs: [{ sequence: 0, leafIndex: 3, treeSize: 4, proofJson: '{"ok":true}' }], checkpoint, pending: 1 }),
    getTile: async ({ path }) => ({ data: Buffer.from(`bytes of ${path}`) }),
  };
  const permissions: PermissionsPeer = {
    authorize: async ({ tool, argumentsJson, taint }) => ({
      decision: 'deny',
      code: 'denied',
      message: `Expected ${tool} ${argumentsJson}.`,
      reasons: taint,
      needed: [],
      policies: [],
      approvalRequest: undefined,
      policyDigest: 'd',
    }),
    listSwitches: async ({ tenant }) => ({ switches: [{ kind: 'tool', tenant, name: 'send', off: true, reason: 'Odd.', changedBy: 'user:ann', changedAtMs: 0 }], nextCursor: '' }),
    changeSwitch: async (change, { actor }) => ({ ...change, changedBy: actor, changedAtMs: 0 }),
  };
  const used: Budget = { moneyMicros: 250_000, tokens: 7, calls: 2 };
  const state = (name: BudgetName | undefined, more: Partial<BudgetState> = {}): BudgetState => ({
    name,
    moneyMicros: 1_000_000,
    tokens: undefined,
    calls: 2,
    source: 'set',
    spent: used,
    reserved: { moneyMicros: 0, tokens: 0, calls: 0 },
    startMs: 0,
    endMs: 0,
    ...more,
  });
  const budgets: BudgetsPeer = {
    listBudgets: async ({ executionId }) => ({ budgets: [state({ scope: 'tool', name: executionId || 'mail', per: 'day' }, { endMs: 86_400_000 })], nextCursor: 'next' }),
    setBudget: async ({ name, moneyMicros, tokens, calls }) => state(name, { moneyMicros, tokens, calls }),
    removeBudget: async (name) => (name.scope === 'tool' ? state(name) : refuse('not-found', 'Expected a budget of this tenant.')),
  };
  const tool = {
    name: 'files.read',
    source: 'files',
    state: 'quarantined',
    effect: 'read',
    data: 'private',
    digest: 'd1',
    summary: 'Reads.',
    timeoutMs: 10,
    concurrency: 0,
    costMicros: 0,
    hasReconcileHook: false,
    reason: 'Expected it to be accepted.',
  };
  const detail = {
    tool,
    offeredJson: '{"name":"read"}',
    acceptedJson: '',
    acceptedDigest: '',
    decidedBy: '',
    decidedAtMs: 0,
    decisionReason: '',
    differences: [{ path: '/name', beforeJson: '', afterJson: '"read"' }],
    invisible: 2,
  };
  const effect = {
    key: 'default/1/do/0/send/0',
    executionId: KNOWN,
    pointer: '/do/0/send',
    iteration: '',
    generation: 0,
    tool: 'send',
    effect: 'non-idempotent-write',
    state: 'unknown',
    attempts: 1,
    dispatchedAtMs: 1_000,
    recordedAtMs: 2_000,
    settledBy: '',
    person: '',
  };
  const registry: ToolsPeer = {
    listTools: async ({ state, limit }) => ({ tools: [{ ...tool, summary: `${state} ${limit}` }], nextCursor: 'n', problems: [{ source: 'crm', message: 'it is away' }] }),
    showTool: async ({ name }) => (name === 'files.read' ? detail : refuse('unknown-tool', 'Expected a tool.')),
    decideTool: async ({ name, outcome, reason }, { actor }) =>
      name === 'files.read'
        ? { ...detail, tool: { ...tool, state: `${outcome}ed`, reason: '' }, decidedBy: actor, decidedAtMs: 5, decisionReason: reason }
        : refuse('unknown-tool', 'Expected a tool.'),
    listEffects: async ({ state, tool: asked }) => ({ effects: [{ ...effect, state, tool: asked }], nextCursor: '' }),
    showEffect: async ({ key }) =>
      key === effect.key
        ? { effect, steps: [{ what: 'dispatched', atMs: 1_000, attempt: 1, by: '', person: '' }], requestJson: '{"a":1}', responseJson: '' }
        : refuse('unknown-effect', 'Expected an effect.'),
    resolveResources: async () => ({ resources: [] }),
  };
  const payloads = { read: async (tenant: string, digest: string) => (tenant === 'default' && digest === PAYLOAD ? Buffer.from('{"output":"large"}') : undefined) };
  const tokens = new LocalStream();
  const limiter: Limiter = { take: async () => allowance, close: async () => undefined };
  const settings = {
    WEFT_TENANTS: ['default'],
    WEFT_AUDITORS: ['default'],
    WEFT_OPERATORS: ['default'],
    WEFT_REQUEST_BYTES_MAX: 1024 * 1024,
    WEFT_REQUESTS_PER_MINUTE: 1,
    WEFT_ACCEPTING_MAX: ACCEPTING_MAX,
    WEFT_WAITING_MAX: WAITING_MAX,
    WEFT_CHAT_WAIT_MS: 10_000,
    WEFT_MCP_WAIT_MS: 10_000,
    WEFT_MCP_ORIGINS: [],
  };
  const running = await createApp({
    service: 'gateway',
    http: { port: 0 },
    before: [boundCrowd(ACCEPTING_MAX)],
    module: GatewayModule.forRoot({ enginePool: pool, bus, limiter, routing, orchestration, audit, tools: { permissions, budgets, registry }, payloads, tokens, settings }),
  });
  return {
    url: running.url,
    key,
    revokedKey: revoked.text,
    otherKey: other.text,
    pool,
    modules: running.app.get(ModulesContainer),
    tokens,
    accepted,
    decisions,
    reviewed,
    evasKey,
    operated,
    deployed,
    signals,
    queries,
    bulks,
    scheduled,
    upgrades,
    limit: (next: typeof allowance) => (allowance = next),
    /** Keeps routing from answering until the promise is settled. */
    hold: (until: Promise<void>): void => void (held = until),
    nextExecution: (id: string) => (nextExecution = id),
    lastExecution: () => lastExecution,
    timelineAsked: () => timelineAsked,
    /** Resolves once the next request was accepted and is waited for. */
    afterAccept: async () => {
      for (const before = accepted.length; accepted.length === before;) await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setTimeout(resolve, 30));
    },
    publishResult: (body: ResultBody) =>
      bus.publish([outgoing('results', { id: 'x', source: '/weft/orchestration', type: 'ai.weft.result.v1', key: body.executionId, context: contextOf({ tenant: 'default' }), body })]),
    close: async () => {
      await running.close();
      await bus.close();
      await pool.end();
      await store.close();
    },
  };
}
