// What a subscription makes of a group that cannot be joined, told by a consumer that only acts as one.
import kafkajs, { type Consumer, type ConsumerRunConfig, type EachBatchPayload, type Kafka } from 'kafkajs';
import v8 from 'node:v8';
import vm from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KafkaSubscription } from './kafka-subscription.js';

const TIMING = { sessionTimeoutMs: 6_000, heartbeatMs: 300, rebalanceTimeoutMs: 6_000, fetchWaitMs: 100, watchdogMs: 60_000 };
const answered = (type: string, retriable = true): Error => new kafkajs.KafkaJSProtocolError(Object.assign(new Error(type), { type, retriable }));

/** A client whose consumers join their group, but for the first `failures`, which crash with what the broker answered. */
function clientThat(
  failures: number,
  answer: Error,
  onRun: (run: ConsumerRunConfig) => void = () => undefined,
): { readonly client: Kafka; readonly made: () => number; readonly connected: () => number } {
  const { events } = new kafkajs.Kafka({ brokers: ['unused:9092'] }).consumer({ groupId: 'unused' });
  let [made, connected] = [0, 0];
  const consumer = (): Partial<Consumer> => {
    const isRefused = made++ < failures;
    const listeners = new Map<string, (event: { readonly payload: unknown }) => void>();
    return {
      events,
      on: ((name: string, listener: (event: { readonly payload: unknown }) => void) => listeners.set(name, listener)) as unknown as Consumer['on'],
      connect: async () => void connected++,
      disconnect: async () => void connected--,
      subscribe: async () => undefined,
      run: async (run) => {
        onRun(run ?? {});
        if (isRefused) listeners.get(events.CRASH)?.({ payload: { error: answer, restart: 'retriable' in answer && answer.retriable === true } });
        else listeners.get(events.GROUP_JOIN)?.({ payload: { memberAssignment: { 'weft.jobs': [0] } } });
      },
    };
  };
  return { client: { consumer } as unknown as Kafka, made: () => made, connected: () => connected };
}

const subscriptionOf = (client: Kafka, handle: () => Promise<void> = async () => undefined): KafkaSubscription =>
  new KafkaSubscription({
    client,
    admin: () => Promise.reject(new Error('no admin here')),
    timing: TIMING,
    batchMax: 1,
    onFault: () => undefined,
    topic: 'weft.jobs',
    group: 'g',
    handle,
  });

describe('a subscription that runs for long', () => {
  it('keeps nothing of what it handled in memory', async () => {
    v8.setFlagsFromString('--expose-gc');
    const collect = vm.runInNewContext('gc') as () => void;
    let eachBatch: (payload: EachBatchPayload) => Promise<void> = async () => undefined;
    const { client } = clientThat(0, answered('none'), (run) => (eachBatch = run.eachBatch!));
    let fault: WeakRef<Error> | undefined;
    const handle = async (): Promise<void> => {
      const thrown = new Error('of this batch alone');
      fault = new WeakRef(thrown);
      throw thrown;
    };
    const subscription = await subscriptionOf(client, handle).start();
    const message = { key: null, value: Buffer.from('{}'), headers: {}, offset: '0', timestamp: '0', attributes: 0 };
    const payload = { batch: { partition: 0, messages: [message] }, isRunning: () => true, isStale: () => false, heartbeat: async () => undefined, pause: () => () => undefined };
    await eachBatch(payload as unknown as EachBatchPayload);
    await vi.waitFor(
      () => {
        collect();
        // Compared here: what an assertion is given lives on in it.
        expect(fault!.deref() === undefined).toBe(true);
      },
      { timeout: 3_000, interval: 20 },
    );
    await subscription.close();
  });
});

describe('KafkaSubscription', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('waits for a coordinator that is loading', async () => {
    const { client, made, connected } = clientThat(4, answered('GROUP_LOAD_IN_PROGRESS'));
    const starting = subscriptionOf(client).start();
    await vi.advanceTimersByTimeAsync(5_000);
    const subscription = await starting;
    expect([made(), connected()]).toEqual([5, 1]);
    await subscription.close();
    expect(connected()).toBe(0);
  });

  it('gives up after half a minute, with what the broker said', async () => {
    const { client, connected } = clientThat(Infinity, answered('GROUP_LOAD_IN_PROGRESS'));
    const starting = subscriptionOf(client)
      .start()
      .catch((fault: unknown) => fault);
    await vi.advanceTimersByTimeAsync(28_000);
    expect(await Promise.race([starting, 'still waiting'])).toBe('still waiting');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await starting).toMatchObject({ name: 'Fault', retryable: true, message: 'subscribing g.weft.jobs failed: GROUP_LOAD_IN_PROGRESS' });
    expect(connected()).toBe(0);
  });

  it.each([
    ['missing topic', answered('UNKNOWN_TOPIC_OR_PARTITION'), true],
    ['refusal for good', answered('GROUP_AUTHORIZATION_FAILED', false), false],
  ])('tells of a %s at once, and builds nothing more', async (_what, answer, retryable) => {
    const { client, made, connected } = clientThat(Infinity, answer);
    await expect(subscriptionOf(client).start()).rejects.toMatchObject({ name: 'Fault', retryable });
    await vi.advanceTimersByTimeAsync(60_000);
    expect([made(), connected()]).toEqual([1, 0]);
  });
});
