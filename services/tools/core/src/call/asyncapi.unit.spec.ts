import type { Json } from '@weft/kernel';
import { describe, expect, it } from 'vitest';
import { readAsyncApiCall } from './asyncapi-call.js';
import { asyncApiPlace } from './asyncapi-document.js';

const V2: Json = {
  asyncapi: '2.6.0',
  servers: {
    rest: { url: 'https://{env}.example.com/hooks/', protocol: 'https', variables: { env: { default: 'prod' } } },
    stream: { url: 'broker-1:9092', protocol: 'kafka' },
    shout: { url: 'wss://example.com', protocol: 'ws' },
  },
  channels: {
    '/orders': { publish: { bindings: { http: { method: 'PUT' } } }, subscribe: {} },
    orders: { servers: ['stream'], bindings: { kafka: { topic: 'shop.orders' } }, publish: {} },
  },
};
const V3: Json = {
  asyncapi: '3.0.0',
  servers: { stream: { host: 'broker-1:9093', protocol: 'kafka-secure' }, rest: { host: 'example.com', pathname: '/v1', protocol: 'http' } },
  channels: { orders: { address: 'shop/orders', servers: [{ $ref: '#/servers/rest' }] }, events: { address: 'shop.events' } },
  operations: { send: { action: 'send', channel: { $ref: '#/channels/orders' } }, hear: { action: 'receive', channel: { $ref: '#/channels/events' } }, lost: { channel: { $ref: 'other.yaml#/x' } } },
};
const place = (document: Json, call: { readonly [name: string]: Json }) => {
  const read = readAsyncApiCall({ document: { endpoint: 'https://example.com/doc' }, message: { payload: 1 }, ...call });
  if (!read.ok) throw new Error(read.failure.message);
  return asyncApiPlace(document, read.value);
};

describe('where a message of an AsyncAPI document goes', () => {
  it('of version 2 by its channel: the first of its servers, or of all', () => {
    expect(place(V2, { channel: 'orders' })).toMatchObject({ protocol: 'kafka', server: 'broker-1:9092', address: 'shop.orders', isSecure: false });
    expect(place(V2, { channel: '/orders' })).toMatchObject({ protocol: 'http', server: 'https://prod.example.com/hooks', address: '/orders', method: 'PUT' });
  });

  it('of version 3 by its operation', () => {
    expect(place(V3, { operation: 'send' })).toMatchObject({ protocol: 'http', server: 'http://example.com/v1', address: '/shop/orders' });
    expect(place(V3, { operation: 'hear' })).toMatchObject({ protocol: 'kafka', server: 'broker-1:9093', address: 'shop.events', isSecure: true });
  });

  it('to the server that the call names, with its variables, or that speaks its protocol', () => {
    expect(place(V2, { channel: '/orders', server: { name: 'rest', variables: { env: 'dev' } } })).toMatchObject({ server: 'https://dev.example.com/hooks' });
    expect(place(V2, { channel: '/orders', protocol: 'kafka' })).toMatchObject({ protocol: 'kafka', server: 'broker-1:9092' });
  });

  it.each([
    ['a channel that there is not', V2, { channel: 'gone' }, /channels\/gone; it has \/orders, orders/],
    ['no channel', V2, { operation: 'send' }, /a `channel`/],
    ['no operation', V3, { channel: 'orders' }, /an `operation`/],
    ['a protocol that no server speaks', V3, { operation: 'hear', protocol: 'mqtt' }, /a server that speaks mqtt/],
    ['a reference to elsewhere', V3, { operation: 'lost' }, /a reference within itself/],
    ['another version', { asyncapi: '1.0' }, { channel: 'x' }, /version "1.0"/],
    ['no document', 'text', { channel: 'x' }, /no object/],
  ] as const)('%s is told', (_what, document, call, words) => {
    expect(place(document, call)).toMatch(words);
  });

  it('reads what a subscription is to collect', () => {
    const read = readAsyncApiCall({ document: { endpoint: 'https://example.com/doc' }, channel: 'x', subscription: { consume: { amount: 5, for: { seconds: 10 } } } });
    expect(read).toMatchObject({ ok: true, value: { direction: 'subscribe', subscription: { amount: 5, forMs: 10_000 } } });
    expect(readAsyncApiCall({ document: { endpoint: 'https://example.com/doc' }, channel: 'x' })).toMatchObject({ ok: false, failure: { message: expect.stringContaining('message is missing') } });
  });
});
