import { status } from '@grpc/grpc-js';
import { isJsonObject, type JsonObject } from '@weft/kernel';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { acceptAll, carry, outputOf, toolJob, ToolsBench, type ToolsParts } from '../source/tools.testing.js';
import { startShop, type Shop } from './shop.testing.js';

let bench: ToolsBench;
let shop: Shop;
let number = 0;
let name: string;

beforeAll(async () => void (bench = await ToolsBench.open()));
afterAll(() => bench.close());
beforeEach(async () => {
  shop = await startShop();
  name = `shop${++number}`;
});
afterEach(async () => {
  await bench.reset();
  await shop.close();
});

const declared = (more: object = {}, grpc: object = {}) => ({
  name,
  grpc: { target: shop.address, tls: false, ...grpc },
  timeoutMs: 2_000,
  tools: [
    { match: 'Orders.Get', effect: 'read' },
    { match: 'Orders.Place', effect: 'non-idempotent-write' },
  ],
  ...more,
});

async function open(more: object = {}, grpc: object = {}): Promise<ToolsParts> {
  const parts = await bench.start([declared(more, grpc)]);
  await acceptAll(parts, name);
  return parts;
}
const get = (): string => `${name}.Orders.Get`;
const place = (): string => `${name}.Orders.Place`;

describe('a gRPC server that describes itself', () => {
  it('offers its unary methods, with schemas of the JSON form of their messages', async () => {
    const parts = await bench.start([declared()]);
    expect(await acceptAll(parts, name)).toEqual([get(), place()]);
    const { input } = parts.sources.all[0]!.offered!.get(place())!.tool;
    const properties = input['properties'] as JsonObject;
    expect(properties).toMatchObject({
      total: { type: ['integer', 'string'] },
      placed: { format: 'date-time' },
      tags: { additionalProperties: { type: 'string' } },
      note: { type: ['string', 'null'] },
      cashCents: { type: 'integer', minimum: 0 },
      before: { $ref: '#/$defs/shop.v1.Order' },
      status: { anyOf: [{ enum: ['STATUS_UNSPECIFIED', 'PAID'] }, { type: 'integer' }] },
    });
    expect(input['allOf']).toEqual([{ not: { required: ['card', 'cashCents'] } }]);
  });

  it('is called with its messages, key and metadata, and answers in JSON with every field', async () => {
    const parts = await open({}, { metadata: { 'x-shop': 'one' } });
    const job = toolJob(get(), { id: '7' });
    const { completeJob } = await carry(parts, job);
    expect(JSON.parse(completeJob!.outputJson)).toMatchObject({
      id: '7',
      lines: [{ sku: 'a', count: 2 }],
      status: 'PAID',
      total: '12345678901234',
      placed: '2023-11-14T22:13:20Z',
      tags: { x: 'y' },
      note: 'hi',
    });
    expect(JSON.parse((await carry(parts, toolJob(place(), {}))).completeJob!.outputJson)).toMatchObject({ id: '', status: 'STATUS_UNSPECIFIED', lines: [] });
    expect(shop.requests[0]!.metadata.getMap()).toMatchObject({ 'idempotency-key': job.idempotencyKey, 'weft-execution': job.executionId, 'x-shop': 'one' });
  });

  it('gets every kind of field as it was given', async () => {
    const parts = await open();
    const order = {
      id: '1',
      lines: [{ sku: 'a', count: -1 }],
      total: '-9007199254740993',
      placed: '2026-01-01T00:00:00Z',
      tags: { a: 'b' },
      note: null,
      cashCents: 5,
      extra: { deep: [1, { x: true }] },
      patience: '1.5s',
      before: { id: '0' },
      seal: 'AQI=',
    };
    await outputOf(parts, place(), order);
    expect(shop.requests[0]!.request).toMatchObject({
      total: '-9007199254740993',
      cashCents: 5,
      pay: 'cashCents',
      before: { id: '0' },
      seal: Buffer.from([1, 2]),
      patience: { seconds: '1', nanos: 500_000_000 },
    });
  });

  it.each<[string, object]>([
    ['two alternatives at once', { card: '1', cashCents: 1 }],
    ['a field that there is not', { nothing: 1 }],
    ['a number beyond its type', { lines: [{ count: 2 ** 40 }] }],
    ['a time that is none', { placed: 'soon' }],
  ])('is not asked with %s', async (_what, args) => {
    const parts = await open();
    expect((await carry(parts, toolJob(place(), args as JsonObject))).failJob).toMatchObject({ failure: { code: 'input-invalid' } });
    expect(shop.requests).toEqual([]);
  });

  it.each<[string, Shop['plan'][number], object]>([
    ['a refusal of the service as failed', status.FAILED_PRECONDITION, { outcome: 'failed', failure: { code: 'tool-failed' } }],
    ['wrong arguments as failed', status.INVALID_ARGUMENT, { outcome: 'failed', failure: { code: 'tool-failed', retryable: false } }],
    ['an internal error as unknown', status.INTERNAL, { outcome: 'unknown', needsPerson: true }],
    ['an unavailable service as unknown, because it was sent', status.UNAVAILABLE, { outcome: 'unknown', needsPerson: true }],
    ['what the service does not have as failed', status.UNIMPLEMENTED, { outcome: 'failed', failure: { code: 'tool-failed' } }],
    ['a good end without an answer as unknown', 'none', { outcome: 'unknown', needsPerson: true }],
    ['two answers to one call as unknown', 'two', { outcome: 'unknown', needsPerson: true }],
    ['exhaustion as unknown', status.RESOURCE_EXHAUSTED, { outcome: 'unknown', needsPerson: true }],
    ['a cut connection as unknown', 'cut', { outcome: 'unknown', needsPerson: true }],
    ['no answer in time as unknown', 'hang', { outcome: 'unknown', needsPerson: true }],
  ])('reports %s', async (_what, planned, expected) => {
    const parts = await open({ timeoutMs: 700 });
    shop.plan.push(planned);
    expect((await carry(parts, toolJob(place(), { id: '1' }))).failJob).toMatchObject(expected);
    expect(shop.requests).toHaveLength(1);
  });

  it('that is not there is known not to have done anything', async () => {
    const parts = await open();
    await shop.close();
    expect((await carry(parts, toolJob(place(), { id: '1' }))).failJob).toMatchObject({ outcome: 'failed', failure: { code: 'unreachable', retryable: true } });
  });

  it('gets an idempotent write again when an answer is lost, under its key', async () => {
    const parts = await open({ tools: [{ match: '*', effect: 'idempotent-write' }] });
    shop.plan.push(status.UNKNOWN);
    await outputOf(parts, place(), { id: '1' });
    const keys = shop.requests.map(({ metadata }) => metadata.get('idempotency-key')[0]);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  it('that comes back with other messages is not called before somebody has accepted them', async () => {
    const parts = await open();
    await outputOf(parts, get(), { id: '1' });
    const { address } = shop;
    await shop.close();
    shop = await startShop('shop-renumbered.proto', Number(address.split(':')[1]));
    expect((await carry(parts, toolJob(place(), { id: '1' }))).failJob).toMatchObject({ failure: { code: 'tool-quarantined' } });
    expect(shop.requests).toEqual([]);
  });

  it('on a forbidden address is never connected to', async () => {
    const parts = await bench.start([declared({}, { target: '169.254.169.254:443' })]);
    await expect(acceptAll(parts, name)).rejects.toThrow(/never reached/);
  });

  it('may be narrowed to some of its services', async () => {
    const parts = await bench.start([declared({}, { services: ['shop.v1.None'] })]);
    expect(await acceptAll(parts, name)).toEqual([]);
    expect(isJsonObject(parts.sources.all[0]!.source.identity as JsonObject)).toBe(true);
  });
});
