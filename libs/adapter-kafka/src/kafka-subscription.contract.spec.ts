// What only a real broker can show of the Kafka adapter.
import { contextOf, deadTopicName, topicName, type Delivery } from '@weft/contracts';
import { bucketOf } from '@weft/kernel';
import { outgoing, type Outgoing } from '@weft/pipeline';
import { describeAgainst, serverUnderTest } from '@weft/port-specs';
import type { Consumer, Kafka } from 'kafkajs';
import { randomUUID } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { ensureTopics } from './ensure-topics.js';
import { KafkaBus } from './kafka-bus.js';
import { kafkaClient } from './kafka-client.js';
import { KafkaSubscription } from './kafka-subscription.js';

const server = serverUnderTest('kafka');
const brokers = [server.address ?? ''];
const WAIT = { timeout: 20_000, interval: 20 };
const TIMING = { sessionTimeoutMs: 6_000, heartbeatMs: 300, rebalanceTimeoutMs: 6_000, fetchWaitMs: 100, watchdogMs: 1_000 };

const newTenant = (): string => `t${randomUUID().slice(0, 8)}`;
const message = (tenant: string, n: number, size = 1): Outgoing =>
  outgoing('results', {
    id: `m${n}`,
    source: '/weft/suite',
    type: 't',
    key: `key-${n}`,
    context: contextOf({ tenant }),
    body: { executionId: '', requestId: String(n), status: 'completed', output: 'x'.repeat(size) },
  });
const idOf = (delivery: Delivery): string => (delivery.ok ? delivery.envelope.id : 'unreadable');

describeAgainst(server, 'KafkaBus against a broker', () => {
  it('creates topics with dead-letter twins, once', async () => {
    const name = topicName('requests', newTenant());
    expect(await ensureTopics({ brokers }, [name])).toEqual([name, deadTopicName(name)]);
    expect(await ensureTopics({ brokers }, [name])).toEqual([]);
  });

  it('puts a key on the partition of its bucket', async () => {
    const [tenant, seen] = [newTenant(), [] as Delivery[]];
    const topic = topicName('results', tenant);
    await ensureTopics({ brokers }, [topic]);
    const bus = new KafkaBus({ brokers, ...TIMING });
    await bus.subscribe({ topic, group: 'g', handle: async (batch) => void seen.push(...batch) });
    await bus.publish(Array.from({ length: 40 }, (_, n) => message(tenant, n)));
    await vi.waitFor(() => expect(seen).toHaveLength(40), WAIT);
    for (const { raw } of seen) expect(raw?.partition).toBe(bucketOf(raw?.key ?? '') % 6);
    await bus.close();
  });

  it('hands on what it cannot read with the reason, between its neighbours', async () => {
    const [tenant, seen] = [newTenant(), [] as Delivery[]];
    const topic = topicName('results', tenant);
    await ensureTopics({ brokers }, [topic]);
    const producer = kafkaClient({ brokers }).producer();
    await producer.connect();
    const bus = new KafkaBus({ brokers, ...TIMING });
    await bus.subscribe({ topic, group: 'g', handle: async (batch) => void seen.push(...batch) });
    await bus.publish([message(tenant, 1)]);
    await producer.send({ topic, messages: [{ key: null, value: Buffer.from([0xff, 0x00]), headers: { 'x-from': 'elsewhere' } }] });
    await bus.publish([message(tenant, 2)]);
    await vi.waitFor(() => expect(seen.map(idOf).toSorted()).toEqual(['m1', 'm2', 'unreadable']), WAIT);
    expect(seen.find(({ ok }) => !ok)).toMatchObject({ rejection: { code: 'message-invalid' }, raw: { headers: { 'x-from': 'elsewhere' } } });
    await Promise.all([producer.disconnect(), bus.close()]);
  });

  it('refuses a message the broker finds too large, for good, and stores those published at the same time', async () => {
    const [tenant, seen] = [newTenant(), [] as Delivery[]];
    const topic = topicName('results', tenant);
    await ensureTopics({ brokers }, [topic]);
    const bus = new KafkaBus({ brokers, ...TIMING });
    await bus.subscribe({ topic, group: 'g', handle: async (batch) => void seen.push(...batch) });
    const [large, small] = await Promise.allSettled([bus.publish([message(tenant, 1, 5 * 1024 * 1024)]), bus.publish([message(tenant, 2)])]);
    expect(large).toMatchObject({ status: 'rejected', reason: { name: 'Fault', retryable: false } });
    expect(small.status).toBe('fulfilled');
    await vi.waitFor(() => expect(seen.map(idOf)).toEqual(['m2']), WAIT);
    await bus.close();
  });

  it('loses nothing while members come and go', async () => {
    const tenant = newTenant();
    const topic = topicName('results', tenant);
    await ensureTopics({ brokers }, [topic]);
    const seen = new Set<string>();
    const member = async (): Promise<KafkaBus> => {
      const bus = new KafkaBus({ brokers, ...TIMING });
      await bus.subscribe({
        topic,
        group: 'g',
        handle: async (batch) => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          for (const delivery of batch) seen.add(idOf(delivery));
        },
      });
      return bus;
    };
    const publisher = new KafkaBus({ brokers });
    const first = await member();
    const publishing = (async () => {
      for (let n = 0; n < 600; n += 20) await publisher.publish(Array.from({ length: 20 }, (_, each) => message(tenant, n + each)));
    })();
    const second = await member();
    await first.close();
    const third = await member();
    await publishing;
    await vi.waitFor(() => expect(seen.size).toBe(600), WAIT);
    await Promise.all([second.close(), third.close(), publisher.close()]);
  });

  it('keeps its partitions while a handler takes longer than the session timeout', async () => {
    const [tenant, seen] = [newTenant(), [] as string[]];
    const topic = topicName('results', tenant);
    await ensureTopics({ brokers }, [topic]);
    const bus = new KafkaBus({ brokers, ...TIMING, heartbeatMs: 1_000 });
    await bus.subscribe({
      topic,
      group: 'g',
      handle: async (batch) => {
        await new Promise((resolve) => setTimeout(resolve, 7_000));
        seen.push(...batch.map(idOf));
      },
    });
    await bus.publish([message(tenant, 1)]);
    await vi.waitFor(() => expect(seen).toEqual(['m1']), WAIT);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(seen).toEqual(['m1']);
    await bus.close();
  });

  it('commits what it was handling when it was closed: nobody handles that again', async () => {
    const [tenant, seen] = [newTenant(), [] as string[]];
    const topic = topicName('results', tenant);
    await ensureTopics({ brokers }, [topic]);
    const [closing, other] = [new KafkaBus({ brokers, ...TIMING }), new KafkaBus({ brokers, ...TIMING })];
    let finish: () => void = () => undefined;
    let isHandling = false;
    const handle = (): Promise<void> => {
      isHandling = true;
      return new Promise((resolve) => (finish = resolve));
    };
    const subscription = await closing.subscribe({ topic, group: 'g', handle });
    await closing.publish([message(tenant, 1)]);
    await vi.waitFor(() => expect(isHandling).toBe(true), WAIT);
    const closed = subscription.close();
    setTimeout(finish, 100);
    await closed;
    await other.subscribe({ topic, group: 'g', handle: async (batch) => void seen.push(...batch.map(idOf)) });
    // On the same partition: it comes after whatever was left of the first.
    const first = message(tenant, 1).envelope;
    await closing.publish([outgoing('results', { ...first, id: 'm2', body: { executionId: '', requestId: '2', status: 'completed' } })]);
    await vi.waitFor(() => expect(seen).toContain('m2'), WAIT);
    expect(seen).toEqual(['m2']);
    await Promise.all([closing.close(), other.close()]);
  });

  it('gives partitions back without waiting for a handler that hangs, and their messages go to another member', async () => {
    const [tenant, seen] = [newTenant(), [] as string[]];
    const topic = topicName('results', tenant);
    await ensureTopics({ brokers }, [topic]);
    const [hanging, other] = [new KafkaBus({ brokers, ...TIMING }), new KafkaBus({ brokers, ...TIMING })];
    let hangs = 0;
    const subscription = await hanging.subscribe({ topic, group: 'g', handle: () => new Promise(() => void hangs++) });
    await hanging.publish([message(tenant, 1)]);
    await vi.waitFor(() => expect(hangs).toBe(1), WAIT);
    await subscription.close({ abandon: true });
    await other.subscribe({ topic, group: 'g', handle: async (batch) => void seen.push(...batch.map(idOf)) });
    await vi.waitFor(() => expect(seen).toEqual(['m1']), WAIT);
    await Promise.all([hanging.close(), other.close()]);
  });

  it('loses nothing and goes on in a storm of members that come and go', async () => {
    const tenant = newTenant();
    const topic = topicName('results', tenant);
    await ensureTopics({ brokers }, [topic]);
    const seen = new Map<string, number>();
    const member = async (): Promise<KafkaBus> => {
      const bus = new KafkaBus({ brokers, heartbeatMs: 300, fetchWaitMs: 100 });
      await bus.subscribe({ topic, group: 'g', handle: async (batch) => void batch.forEach((each) => seen.set(idOf(each), (seen.get(idOf(each)) ?? 0) + 1)) });
      return bus;
    };
    const [stays, publisher] = [await member(), new KafkaBus({ brokers })];
    let isOver = false;
    let published = 0;
    const progress: number[] = [];
    const publishing = (async () => {
      for (; !isOver; await new Promise((resolve) => setTimeout(resolve, 50))) {
        await publisher.publish(Array.from({ length: 10 }, () => message(tenant, published++)));
      }
    })();
    for (let round = 0; round < 4; round++) {
      const passing = await member();
      await new Promise((resolve) => setTimeout(resolve, 700));
      await passing.close();
      await new Promise((resolve) => setTimeout(resolve, 700));
      progress.push(seen.size);
    }
    isOver = true;
    await publishing;
    await vi.waitFor(() => expect(seen.size).toBe(published), WAIT);
    // More was seen after each of them.
    expect(progress).toEqual([...new Set(progress)].sort((a, b) => a - b));
    await Promise.all([stays.close(), publisher.close()]);
  });

  it('says how long messages have waited that no broker has taken', async () => {
    const away = new KafkaBus({ brokers: ['127.0.0.1:9'] });
    expect(away.publishWaitMs).toBe(0);
    const failing = away.publish([message(newTenant(), 1)]).catch(() => undefined);
    await vi.waitFor(() => expect(away.publishWaitMs).toBeGreaterThan(500), WAIT);
    await failing;
    expect(away.publishWaitMs).toBe(0);
    await away.close();
  });

  it('builds a consumer anew that has lag and makes no progress', async () => {
    const [tenant, seen, faults] = [newTenant(), [] as string[], [] as string[]];
    const topic = topicName('results', tenant);
    await ensureTopics({ brokers }, [topic]);
    const bus = new KafkaBus({ brokers });
    const client = kafkaClient({ brokers });
    const admin = client.admin();
    await admin.connect();
    const subscription = await new KafkaSubscription({
      client: silentAtFirst(client),
      admin: async () => admin,
      timing: TIMING,
      batchMax: 256,
      onFault: (fault) => faults.push(String(fault)),
      topic,
      group: 'g',
      handle: async (batch) => void seen.push(...batch.map(idOf)),
    }).start();
    await bus.publish([message(tenant, 1)]);
    await vi.waitFor(() => expect(seen).toEqual(['m1']), WAIT);
    expect(faults.join()).toMatch(/rebuilding the consumer g\.weft\.results.*stands at/);
    await Promise.all([subscription.close(), bus.close(), admin.disconnect()]);
  });

  it('sets no timers over and over while it is idle', async () => {
    const topic = topicName('results', newTenant());
    await ensureTopics({ brokers }, [topic]);
    const bus = new KafkaBus({ brokers });
    await bus.subscribe({ topic, group: 'g', handle: async () => undefined });
    const timers = vi.spyOn(globalThis, 'setTimeout');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const count = timers.mock.calls.length;
    timers.mockRestore();
    await bus.close();
    expect(count).toBeLessThan(50);
  });
});

/** A client whose first consumer joins its group and fetches, but never hands anything on. */
function silentAtFirst(client: Kafka): Kafka {
  let made = 0;
  const consumer: Kafka['consumer'] = (options) => {
    const real: Consumer = client.consumer(options);
    if (made++ > 0) return real;
    return { ...real, run: (run) => real.run({ ...run, eachBatch: () => new Promise((resolve) => setTimeout(resolve, 100)) }) };
  };
  return new Proxy(client, { get: (target, name) => (name === 'consumer' ? consumer : Reflect.get(target, name)) });
}
