import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { contextOf, type Delivery } from '@weft/contracts';
import { Fault, type Bus, type SubscribeOptions, type Subscription } from '@weft/pipeline';
import { describe, expect, it } from 'vitest';
import { BusTransport } from './bus.transport.js';
import { OnTopic } from './on-topic.js';

/** A bus that shows who subscribed and lets the spec hand over batches. */
class ShownBus implements Bus {
  readonly subscriptions: (SubscribeOptions & { closed: boolean; abandoned: boolean })[] = [];
  refusals = 0;

  async publish(): Promise<void> {}

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    if (options.group === 'weft.audit' && this.refusals-- > 0) throw broken;
    const subscription = { ...options, closed: false, abandoned: false };
    this.subscriptions.push(subscription);
    return { close: async ({ abandon = false } = {}) => void Object.assign(subscription, { closed: true, abandoned: abandon }) };
  }

  async close(): Promise<void> {}

  of(topic: string, group: string): SubscribeOptions {
    return this.subscriptions.find((subscription) => subscription.topic === topic && subscription.group === group) ?? expect.unreachable(`nobody subscribed to ${topic} as ${group}`);
  }
}

const seen: { who: string; batch: readonly Delivery[] }[] = [];
const broken = new Fault('the store is away', true);

@Controller()
class RoutingConsumer {
  @OnTopic('weft.requests', { group: 'weft.routing' })
  async onRequests(batch: readonly Delivery[]): Promise<void> {
    seen.push({ who: 'routing', batch });
  }

  @OnTopic('weft.jobs', { group: 'weft.routing', from: 'latest' })
  async onJobs(): Promise<void> {
    throw broken;
  }
}

@Controller()
class AuditConsumer {
  @OnTopic('weft.requests', { group: 'weft.audit' })
  async onRequests(batch: readonly Delivery[]): Promise<void> {
    seen.push({ who: 'audit', batch });
  }
}

@Module({ controllers: [RoutingConsumer, AuditConsumer] })
class ConsumersModule {}

const batch: readonly Delivery[] = ['a', 'b'].map((id) => ({ ok: true, envelope: { id, source: '/s', type: 't', key: 'k', context: contextOf({ tenant: 'acme' }), body: null } }));

async function started(topicsOf?: (topic: string) => readonly string[]) {
  seen.length = 0;
  const bus = new ShownBus();
  const transport = new BusTransport(bus, topicsOf === undefined ? {} : { topicsOf });
  const app = await NestFactory.createMicroservice(ConsumersModule, { strategy: transport, logger: false });
  await app.listen();
  return { bus, app, transport };
}

describe('BusTransport', () => {
  it('subscribes each method with its own group and hands it whole batches', async () => {
    const { bus, app } = await started();
    expect(bus.subscriptions.map(({ topic, group, from }) => [topic, group, from])).toEqual([
      ['weft.requests', 'weft.routing', undefined],
      ['weft.jobs', 'weft.routing', 'latest'],
      ['weft.requests', 'weft.audit', undefined],
    ]);
    await bus.of('weft.requests', 'weft.audit').handle(batch);
    expect(seen).toEqual([{ who: 'audit', batch }]);
    expect(seen[0]?.batch).toBe(batch);
    await app.close();
  });

  it('lets the bus see the fault of a method as it was thrown, so that the batch comes again', async () => {
    const { bus, app } = await started();
    await expect(bus.of('weft.jobs', 'weft.routing').handle(batch)).rejects.toBe(broken);
    await app.close();
  });

  it('subscribes to every topic that a declared one stands for', async () => {
    const { bus, app } = await started((topic) => (topic === 'weft.requests' ? [topic, `${topic}.acme`] : [topic]));
    expect(bus.subscriptions.filter(({ group }) => group === 'weft.audit').map(({ topic }) => topic)).toEqual(['weft.requests', 'weft.requests.acme']);
    await app.close();
  });

  it('closes its subscriptions when the application closes', async () => {
    const { bus, app } = await started();
    await app.close();
    expect(bus.subscriptions.every(({ closed }) => closed)).toBe(true);
  });

  it('gives everything back without waiting when it is suspended, and takes it up when it is resumed', async () => {
    const { bus, app, transport } = await started();
    await transport.suspend();
    expect(bus.subscriptions.map(({ closed, abandoned }) => [closed, abandoned])).toEqual(Array(3).fill([true, true]));
    await Promise.all([transport.resume(), transport.resume()]);
    expect(bus.subscriptions.map(({ closed }) => closed)).toEqual([true, true, true, false, false, false]);
    await app.close();
    expect(bus.subscriptions.at(-1)).toMatchObject({ closed: true, abandoned: false });
  });

  it('takes up nothing when it cannot take up everything, and says so', async () => {
    const { bus, app, transport } = await started();
    await transport.suspend();
    bus.refusals = 1;
    await expect(transport.resume()).rejects.toBe(broken);
    expect(bus.subscriptions.every(({ closed }) => closed)).toBe(true);
    await transport.resume();
    expect(bus.subscriptions.filter(({ closed }) => !closed)).toHaveLength(3);
    await app.close();
  });

  it('takes up nothing once the application has closed', async () => {
    const { bus, app, transport } = await started();
    await transport.suspend();
    await app.close();
    await transport.resume();
    expect(bus.subscriptions.every(({ closed }) => closed)).toBe(true);
  });
});
