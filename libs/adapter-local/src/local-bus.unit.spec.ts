import { contextOf, type Delivery } from '@weft/contracts';
import { outgoing, type Outgoing } from '@weft/pipeline';
import { describe, expect, it, vi } from 'vitest';
import { LocalBus } from './local-bus.js';

const message = (n: number, key = 'k'): Outgoing =>
  outgoing('lifecycle', {
    id: `m${n}`,
    source: '/test',
    type: 'test',
    key,
    context: contextOf({ tenant: 'default' }),
    body: { executionId: 'e', requestId: 'r', workflow: 'w', data: n },
  });
const messages = (count: number): Outgoing[] => Array.from({ length: count }, (_, n) => message(n));
const idOf = (delivery: Delivery): string => (delivery.ok ? delivery.envelope.id : '');

describe('LocalBus', () => {
  it('hands on the very envelope that was published', async () => {
    const bus = new LocalBus();
    const seen: Delivery[] = [];
    await bus.subscribe({ topic: 'weft.lifecycle', group: 'g', handle: async (batch) => void seen.push(...batch) });
    const sent = message(1);
    await bus.publish([sent]);
    await bus.close();
    expect(seen[0]?.ok && seen[0].envelope).toBe(sent.envelope);
  });

  it('gives the record of a message to whoever sets it aside', async () => {
    const bus = new LocalBus();
    const seen: Delivery[] = [];
    await bus.subscribe({ topic: 'weft.lifecycle', group: 'g', handle: async (batch) => void seen.push(...batch) });
    await bus.publish([message(1), message(2)]);
    await bus.close();
    expect(seen[1]?.raw).toMatchObject({ topic: 'weft.lifecycle', partition: 0, offset: '1', key: 'k', headers: { ce_id: 'm2' } });
  });

  it('never enters a handler from within publish, nor twice at a time', async () => {
    const bus = new LocalBus();
    let inside = 0;
    let insideMax = 0;
    let handled = 0;
    await bus.subscribe({
      topic: 'weft.lifecycle',
      group: 'g',
      handle: async (batch) => {
        insideMax = Math.max(insideMax, ++inside);
        if (handled === 0) await bus.publish(messages(3));
        handled += batch.length;
        inside--;
      },
    });
    const publishing = bus.publish([message(0)]);
    expect(inside + handled).toBe(0);
    await publishing;
    await vi.waitFor(() => expect(handled).toBe(4));
    expect(insideMax).toBe(1);
  });

  it('fills batches to their bound', async () => {
    const bus = new LocalBus({ batchMax: 4 });
    const sizes: number[] = [];
    await bus.subscribe({ topic: 'weft.lifecycle', group: 'g', handle: async (batch) => void sizes.push(batch.length) });
    await bus.publish(messages(10));
    await bus.close();
    expect(sizes).toEqual([4, 4, 2]);
  });

  it('makes publish wait while a queue is full', async () => {
    const bus = new LocalBus({ batchMax: 1, queueMax: 2, patienceMs: 10_000 });
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    await bus.subscribe({ topic: 'weft.lifecycle', group: 'g', handle: () => gate });
    let isPublished = false;
    const publishing = bus.publish(messages(5)).then(() => (isPublished = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isPublished).toBe(false);
    release();
    await publishing;
    await bus.close();
  });

  it('queues a message over the bound rather than let two full topics wait for each other', async () => {
    const bus = new LocalBus({ batchMax: 1, queueMax: 1, patienceMs: 5 });
    let handled = 0;
    await bus.subscribe({
      topic: 'weft.lifecycle',
      group: 'g',
      handle: async () => {
        if (++handled <= 3) await bus.publish(messages(2));
      },
    });
    await bus.publish([message(0)]);
    await vi.waitFor(() => expect(handled).toBe(7));
  });

  it('drops messages that nobody subscribes to, also those of a group that left', async () => {
    const bus = new LocalBus();
    await bus.publish(messages(3));
    const seen: string[] = [];
    const handle = async (batch: readonly Delivery[]): Promise<void> => void seen.push(...batch.map(idOf));
    await (await bus.subscribe({ topic: 'weft.lifecycle', group: 'g', handle })).close();
    await bus.publish(messages(3));
    await bus.subscribe({ topic: 'weft.lifecycle', group: 'g', handle });
    await bus.publish([message(9)]);
    await bus.close();
    expect(seen).toEqual(['m9']);
  });

  it('lets timers have their turn while handlers feed each other', async () => {
    const bus = new LocalBus();
    let isOver = false;
    await bus.subscribe({ topic: 'weft.lifecycle', group: 'g', handle: async () => (isOver ? undefined : bus.publish([message(1)])) });
    await bus.publish([message(0)]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    isOver = true;
    await bus.close();
  });

  it('ends a drain although a handler keeps throwing, and refuses messages afterwards', async () => {
    const faults: unknown[] = [];
    const bus = new LocalBus({ onFault: (fault) => faults.push(fault) });
    await bus.subscribe({ topic: 'weft.lifecycle', group: 'g', handle: () => Promise.reject(new Error('no')) });
    await bus.publish([message(0)]);
    await bus.close();
    expect(faults).toHaveLength(1);
    await expect(bus.publish([message(1)])).rejects.toMatchObject({ name: 'Fault', retryable: true });
  });
});
