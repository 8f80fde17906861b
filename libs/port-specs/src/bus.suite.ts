// What every Bus does.
import { contextOf, deadTopicName, topicName, type DeadLetterBody, type Delivery, type ResultBody } from '@weft/contracts';
import { deadLetter, outgoing, type Bus, type Outgoing } from '@weft/pipeline';
import { randomUUID } from 'node:crypto';
import { afterAll, expect, it, vi } from 'vitest';
import { describeAgainst, type ServerUnderTest } from './server-under-test.js';

export interface BusBinding {
  readonly name: string;
  /** The server the adapter needs; none for one that lives in the process. */
  readonly server?: ServerUnderTest;
  /** A new bus on which these topics and their `.dead` twins exist. The suite closes it. */
  readonly create: (topics: readonly string[]) => Promise<Bus>;
  /** Called once after all tests. */
  readonly destroy?: () => Promise<void>;
}

const CALM_MS = 300;
const WAIT = { timeout: 20_000, interval: 10 };

/** Describes the contract of the Bus port for one adapter. */
export function describeBus({ name, server, create, destroy }: BusBinding): void {
  describeAgainst(server, `Bus: ${name}`, () => {
    afterAll(async () => destroy?.());

    /** Runs a test on topics of a tenant of its own, so that tests share a server without seeing each other. */
    const on = (title: string, test: (bus: Bus, tenant: string, topic: string) => Promise<void>): void =>
      it(title, async () => {
        const tenant = `t${randomUUID().slice(0, 8)}`;
        const topic = topicName('results', tenant);
        const bus = await create([topic]);
        try {
          await test(bus, tenant, topic);
        } finally {
          await bus.close();
        }
      });

    on('hands on what was published, with its attributes, context and body', async (bus, tenant, topic) => {
      const seen = await collect(bus, topic, 'reader');
      const sent = message(tenant, 1, 'key-1');
      await bus.publish([sent]);
      await vi.waitFor(() => expect(seen).toHaveLength(1), WAIT);
      expect(seen[0]?.ok && seen[0].envelope).toEqual(sent.envelope);
    });

    on('keeps the order of each key, over many calls of publish', async (bus, tenant, topic) => {
      const seen = await collect(bus, topic, 'reader');
      for (let n = 0; n < 200; n += 10) await bus.publish(range(10, n).map((each) => message(tenant, each, `key-${each % 7}`)));
      await vi.waitFor(() => expect(seen).toHaveLength(200), WAIT);
      for (const key of range(7).map((n) => `key-${n}`)) {
        const numbers = seen.filter((delivery) => keyOf(delivery) === key).map(numberOf);
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      }
    });

    on('loses none of a thousand messages published at once', async (bus, tenant, topic) => {
      const seen = await collect(bus, topic, 'reader');
      await Promise.all(range(100).map((n) => bus.publish(range(10, n * 10).map((each) => message(tenant, each, `key-${each % 50}`)))));
      await vi.waitFor(() => expect(new Set(seen.map(numberOf)).size).toBe(1000), WAIT);
    });

    on('delivers again, and in order, what a handler threw on', async (bus, tenant, topic) => {
      const handled: number[] = [];
      let throwsLeft = 3;
      let calls = 0;
      await bus.subscribe({
        topic,
        group: 'reader',
        handle: async (batch) => {
          calls++;
          if (throwsLeft-- > 0) throw new Error('not yet');
          handled.push(...batch.map(numberOf));
        },
      });
      await bus.publish(range(20).map((n) => message(tenant, n, 'one')));
      await vi.waitFor(() => expect(handled.length).toBeGreaterThanOrEqual(20), WAIT);
      expect(handled).toEqual(range(20));
      expect(calls).toBeGreaterThanOrEqual(4);
    });

    on('shows every message to each group', async (bus, tenant, topic) => {
      const [first, second] = [await collect(bus, topic, 'first'), await collect(bus, topic, 'second')];
      await bus.publish(range(30).map((n) => message(tenant, n, `key-${n}`)));
      await vi.waitFor(() => expect([first.length, second.length]).toEqual([30, 30]), WAIT);
    });

    on('shares the messages of a topic among the members of one group', async (bus, tenant, topic) => {
      const [first, second] = [await collect(bus, topic, 'shared'), await collect(bus, topic, 'shared')];
      await bus.publish(range(60).map((n) => message(tenant, n, `key-${n}`)));
      await vi.waitFor(() => expect(new Set([...first, ...second].map(numberOf)).size).toBe(60), WAIT);
      await calm();
      expect(first.length + second.length).toBe(60);
    });

    on('lets the other members go on when one leaves', async (bus, tenant, topic) => {
      const leaving = await bus.subscribe({ topic, group: 'shared', handle: async () => undefined });
      const staying = await collect(bus, topic, 'shared');
      await leaving.close();
      await bus.publish(range(30).map((n) => message(tenant, n, `key-${n}`)));
      await vi.waitFor(() => expect(new Set(staying.map(numberOf)).size).toBe(30), WAIT);
    });

    on('begins at the latest message when asked to', async (bus, tenant, topic) => {
      await bus.publish([message(tenant, 1, 'early')]);
      const seen: Delivery[] = [];
      await bus.subscribe({ topic, group: 'late', from: 'latest', handle: async (batch) => void seen.push(...batch) });
      await bus.publish([message(tenant, 2, 'late')]);
      await vi.waitFor(() => expect(seen.map(numberOf)).toEqual([2]), WAIT);
    });

    on('waits on close for the batch under way and hands out nothing afterwards', async (bus, tenant, topic) => {
      let started = 0;
      let ended = 0;
      const subscription = await bus.subscribe({
        topic,
        group: 'reader',
        handle: async () => {
          started++;
          await calm();
          ended++;
        },
      });
      await bus.publish([message(tenant, 1, 'a')]);
      await vi.waitFor(() => expect(started).toBe(1), WAIT);
      await subscription.close();
      expect(ended).toBe(1);
      await bus.publish([message(tenant, 2, 'a')]);
      await calm();
      expect(started).toBe(1);
    });

    on('lets handlers under way publish while it closes, and refuses messages afterwards', async (bus, tenant, topic) => {
      let isStarted = false;
      let isPublished = false;
      await bus.subscribe({
        topic,
        group: 'reader',
        handle: async (batch) => {
          if (batch.every((delivery) => numberOf(delivery) !== 1)) return;
          isStarted = true;
          await calm();
          await bus.publish([message(tenant, 2, 'a')]);
          isPublished = true;
        },
      });
      await bus.publish([message(tenant, 1, 'a')]);
      await vi.waitFor(() => expect(isStarted).toBe(true), WAIT);
      await bus.close();
      expect(isPublished).toBe(true);
      await expect(bus.publish([message(tenant, 3, 'a')])).rejects.toMatchObject({ name: 'Fault', retryable: true });
    });

    on('carries dead letters with their reason and with the message as it was', async (bus, tenant, topic) => {
      const dead = await collect(bus, deadTopicName(topic), 'undertaker');
      await bus.subscribe({
        topic,
        group: 'reader',
        handle: (batch) =>
          bus.publish(
            batch.map((delivery) => {
              if (!delivery.raw) throw new Error('Expected the record of the message');
              return deadLetter(delivery.raw, { code: 'message-invalid', message: 'Expected sense but got none.', retryable: false }, contextOf({ tenant }), 0);
            }),
          ),
      });
      const sent = message(tenant, 1, 'a');
      await bus.publish([sent]);
      await vi.waitFor(() => expect(dead).toHaveLength(1), WAIT);
      const [first] = dead;
      const letter = first?.ok ? (first.envelope.body as DeadLetterBody) : undefined;
      expect(letter).toMatchObject({ reason: { code: 'message-invalid' }, topic, key: 'a', headers: { ce_id: sent.envelope.id } });
      expect(Buffer.from(letter?.valueBase64 ?? '', 'base64')).toEqual(Buffer.from(sent.toRecord().value));
    });
  });
}

function message(tenant: string, n: number, key: string): Outgoing {
  const body: ResultBody = { executionId: '', requestId: String(n), status: 'completed', output: { n } };
  const traceparent = `00-${'0'.repeat(31)}1-${'0'.repeat(15)}1-01`;
  const context = contextOf({ tenant, actor: 'tester, Ünal', traceparent, attempt: 2, deadlineMs: 17, taint: ['a b', 'c'] });
  return outgoing('results', { id: `${tenant}-${n}`, source: '/weft/suite', type: 'ai.weft.result.v1', subject: String(n), time: 1_700_000_000_000, key, context, body });
}

async function collect(bus: Bus, topic: string, group: string): Promise<Delivery[]> {
  const seen: Delivery[] = [];
  await bus.subscribe({ topic, group, handle: async (batch) => void seen.push(...batch) });
  return seen;
}

const numberOf = (delivery: Delivery): number => (delivery.ok ? Number((delivery.envelope.body as ResultBody).requestId) : Number.NaN);
const keyOf = (delivery: Delivery): string => (delivery.ok ? delivery.envelope.key : '');
const range = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => from + n);
const calm = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, CALM_MS));
