// One subscription: a consumer of its own, guarded against what kafkajs 2.2 is known for (kafkajs issues 659, 1097, 1593).
import type { Delivery } from '@weft/contracts';
import { Fault, type CloseOptions, type SubscribeOptions, type Subscription } from '@weft/pipeline';
import type { Admin, Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { BatchLane } from './batch-lane.js';
import { isCoordinatorAway, kafkaFault } from './kafka-fault.js';
import { recordReader, type RecordReader } from './kafka-record.js';
import { OffsetCommits } from './offset-commits.js';

/** Timing of consumers, in milliseconds. */
export interface ConsumerTiming {
  /** A member that the broker has not heard for this long is out. Default 6,000: the least that a broker allows by default. */
  readonly sessionTimeoutMs: number;
  /** Default 500. With the fetch wait it is how long it takes to notice a rebalance, and the group stands still until the last member has. */
  readonly heartbeatMs: number;
  /** How long a rebalance waits for members to come back. Default 3,000: for a member that died during one, all others wait this long. */
  readonly rebalanceTimeoutMs: number;
  /** How long a fetch waits at the broker for a first message. Default 250. */
  readonly fetchWaitMs: number;
  /** A consumer with lag and without progress for this long is built anew. Default 20,000. */
  readonly watchdogMs: number;
}

export interface SubscriptionOptions extends SubscribeOptions {
  readonly client: Kafka;
  readonly admin: () => Promise<Admin>;
  readonly timing: ConsumerTiming;
  readonly batchMax: number;
  /** Told of each fault that makes messages come again, and of each rebuilding. */
  readonly onFault: (fault: unknown) => void;
}

/** Members of one Kafka group must all read the same topics, so each topic of a group is a Kafka group of its own. */
export const subscriptionGroupId = (group: string, topic: string): string => `${group}.${topic}`;

// A broker that has just started needs seconds to load its groups.
const COORDINATOR_WAIT_MS = 30_000;
const LEAVE_MS_MAX = 2_000;
const PAUSE_MIN_MS = 20;
const PAUSE_MAX_MS = 2_000;
const PARTITIONS_AT_ONCE = 64;

/** What a handler that is no longer waited for is taken to have said: its messages come again elsewhere. */
const ABANDONED = { fault: { thrown: new Fault('the partitions were given back while their messages were being handled', true) } };

interface Progress {
  readonly committed: string;
  readonly since: number;
}

export class KafkaSubscription implements Subscription {
  readonly #groupId: string;
  readonly #read: RecordReader;
  #consumer: Consumer | undefined;
  #offsets: OffsetCommits | undefined;
  #closed = false;
  #rebuilding: Promise<void> | undefined;
  #rebuilds = 0;
  #isWatching = false;
  /** What ends the waiting for each handler under way. */
  readonly #abandoning = new Set<() => void>();
  #watchdog: NodeJS.Timeout | undefined;
  /** Partitions this member owns, as of its last join; `undefined` before. */
  #assigned: readonly number[] | undefined;
  #startedAt = 0;
  /** Partitions whose messages are with the handler, or wait after a throw: their silence is no stall. */
  readonly #busy = new Set<number>();
  readonly #batches = new Set<Promise<void>>();
  readonly #pauses = new Map<number, number>();
  readonly #progress = new Map<number, Progress>();

  constructor(private readonly options: SubscriptionOptions) {
    this.#groupId = subscriptionGroupId(options.group, options.topic);
    this.#read = recordReader(options.topic);
  }

  /** Resolves when the group has been joined; a coordinator that is not there yet is waited for, up to 30 s. @throws Fault when that fails. */
  async start(): Promise<this> {
    await this.#join();
    const { watchdogMs } = this.options.timing;
    this.#watchdog = setInterval(() => this.#look(), watchdogMs / 4);
    this.#watchdog.unref();
    return this;
  }

  /** How often the watchdog built the consumer anew. */
  get rebuilds(): number {
    return this.#rebuilds;
  }

  async close({ abandon = false }: CloseOptions = {}): Promise<void> {
    this.#closed = true;
    clearInterval(this.#watchdog);
    if (abandon) for (const end of this.#abandoning) end();
    await this.#rebuilding;
    if (!abandon) {
      // The client commits nothing any more once it is told to stop, and it is told before its last batches have ended.
      await Promise.allSettled(this.#batches);
      await this.#offsets?.flush();
    }
    const leaving = this.#consumer?.disconnect().catch(this.options.onFault) ?? Promise.resolve();
    // Whoever abandons its work may have lost the broker too: then the broker finds out by itself.
    await (abandon ? within(leaving, LEAVE_MS_MAX) : leaving);
  }

  // A broker that answers slowly must not find itself asked by several looks at once.
  #look(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    void this.#watch()
      .catch(this.options.onFault)
      .finally(() => (this.#isWatching = false));
  }

  async #join(): Promise<void> {
    const giveUpAt = Date.now() + COORDINATOR_WAIT_MS;
    for (let pauseMs = 200; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
      try {
        return await this.#build();
      } catch (thrown) {
        if (!isCoordinatorAway(thrown) || Date.now() + pauseMs > giveUpAt) throw thrown;
        this.options.onFault(thrown);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  async #build(): Promise<void> {
    const { client, topic, from, timing, handle, batchMax, onFault } = this.options;
    const consumer = client.consumer({
      groupId: this.#groupId,
      sessionTimeout: timing.sessionTimeoutMs,
      heartbeatInterval: timing.heartbeatMs,
      rebalanceTimeout: timing.rebalanceTimeoutMs,
      maxWaitTimeInMs: timing.fetchWaitMs,
      maxBytesPerPartition: 1024 * 1024,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 6, restartOnFailure: async () => !this.#closed },
    });
    this.#consumer = consumer;
    const offsets = (this.#offsets = new OffsetCommits(consumer, topic, onFault));
    this.#assigned = undefined;
    this.#startedAt = Date.now();
    this.#busy.clear();
    this.#batches.clear();
    this.#progress.clear();
    const lane = new BatchLane(handle, batchMax);
    let settle: (fault?: unknown) => void = () => undefined;
    const ready = new Promise<void>((resolve, reject) => (settle = (fault) => (fault === undefined ? resolve() : reject(fault))));
    let isReady = false;
    // It may reject while `connect` or `run` is still being awaited.
    ready.then(
      () => (isReady = true),
      () => undefined,
    );
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      this.#assigned = payload.memberAssignment[topic] ?? [];
      offsets.forget();
      this.#progress.clear();
      // A group that begins at the latest message stands there only once it has fetched.
      if (from !== 'latest') settle();
    });
    consumer.on(consumer.events.FETCH, () => settle());
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      onFault(kafkaFault(`the consumer ${this.#groupId} crashed`, payload.error));
      settle(payload.error);
      if (this.#closed) void consumer.disconnect().catch(() => undefined);
      // Before that, whoever builds it hears of it and decides.
      else if (isReady && !payload.restart && this.#consumer === consumer) this.#rebuild('it crashed for good');
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: from !== 'latest' });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
        eachBatch: (payload) => this.#underWay(this.#eachBatch(consumer, lane, offsets, payload)),
      });
      await ready;
    } catch (thrown) {
      await consumer.disconnect().catch(() => undefined);
      throw kafkaFault(`subscribing ${this.#groupId} failed`, thrown);
    }
  }

  async #underWay(batch: Promise<void>): Promise<void> {
    this.#batches.add(batch);
    try {
      await batch;
    } finally {
      this.#batches.delete(batch);
    }
  }

  async #eachBatch(consumer: Consumer, lane: BatchLane, offsets: OffsetCommits, payload: EachBatchPayload): Promise<void> {
    const { partition, messages } = payload.batch;
    const isOver = (): boolean => this.#closed || this.#consumer !== consumer || !payload.isRunning() || payload.isStale();
    for (let at = 0; at < messages.length && !isOver(); at += this.options.batchMax) {
      const part = messages.slice(at, at + this.options.batchMax);
      this.#busy.add(partition);
      const fault = await this.#handled(lane, offsets, part, payload);
      if (this.#consumer !== consumer) return;
      if (fault !== undefined) {
        this.options.onFault(fault.thrown);
        this.#pause(payload);
        return;
      }
      this.#pauses.delete(partition);
      this.#busy.delete(partition);
      const { offset } = part.at(-1)!;
      payload.resolveOffset(offset);
      offsets.handled(partition, offset);
      await payload.heartbeat();
    }
  }

  /** Resolves with the handler's fault, or with nothing. @throws what the heartbeat threw: this member has to join again. */
  async #handled(lane: BatchLane, offsets: OffsetCommits, part: readonly KafkaMessage[], payload: EachBatchPayload): Promise<{ readonly thrown: unknown } | undefined> {
    const deliveries: Delivery[] = part.map((message) => this.#read(payload.batch.partition, message));
    const outcome = lane.submit(deliveries).then(
      () => ({ fault: undefined }),
      (thrown: unknown) => ({ fault: { thrown } }),
    );
    // A promise of each batch's own: whatever waits for one that lives as long as the subscription stays in memory as long.
    let abandon: () => void = () => undefined;
    const ending = Promise.race([outcome, new Promise<typeof ABANDONED>((resolve) => (abandon = () => resolve(ABANDONED)))]);
    this.#abandoning.add(abandon);
    try {
      return await this.#ended(ending, offsets, part, payload);
    } finally {
      this.#abandoning.delete(abandon);
    }
  }

  async #ended(
    ending: Promise<{ readonly fault: { readonly thrown: unknown } | undefined }>,
    offsets: OffsetCommits,
    part: readonly KafkaMessage[],
    payload: EachBatchPayload,
  ): Promise<{ readonly thrown: unknown } | undefined> {
    const { heartbeatMs, rebalanceTimeoutMs } = this.options.timing;
    for (;;) {
      const ended = await within(ending, heartbeatMs / 2);
      if (ended) return ended.fault;
      try {
        await payload.heartbeat();
      } catch (lost) {
        // The group waits for its members: there is a little time to finish and to commit, rather than to do it all again.
        const late = await within(ending, rebalanceTimeoutMs / 2);
        this.#busy.delete(payload.batch.partition);
        if (late && late.fault === undefined) offsets.handled(payload.batch.partition, part.at(-1)!.offset);
        await offsets.flush();
        throw lost;
      }
    }
  }

  // The offset was not resolved, so the same messages are what the partition's next fetch begins with.
  #pause({ batch: { partition }, pause }: EachBatchPayload): void {
    const pauseMs = Math.min(this.#pauses.get(partition) ?? PAUSE_MIN_MS, PAUSE_MAX_MS);
    this.#pauses.set(partition, pauseMs * 2);
    const resume = pause();
    setTimeout(() => {
      this.#busy.delete(partition);
      resume();
    }, pauseMs).unref();
  }

  /** Looks for partitions of this member that have lag although their committed offset stands still and nobody is busy with them. */
  async #watch(): Promise<void> {
    if (this.#closed || this.#rebuilding) return;
    const { topic, timing, admin } = this.options;
    const consumer = this.#consumer;
    if (this.#assigned === undefined) {
      if (Date.now() - this.#startedAt > timing.watchdogMs) this.#rebuild('it did not join its group');
      return;
    }
    const client = await admin();
    const [ends, [group]] = await Promise.all([client.fetchTopicOffsets(topic), client.fetchOffsets({ groupId: this.#groupId, topics: [topic] })]);
    if (this.#closed || this.#consumer !== consumer) return;
    const committed = new Map(group?.partitions.map(({ partition, offset }) => [partition, offset]));
    const now = Date.now();
    for (const { partition, high, low } of ends) {
      const offset = committed.get(partition) ?? '-1';
      const position = BigInt(offset) < 0n ? BigInt(low) : BigInt(offset);
      const isWaiting = this.#assigned?.includes(partition) && position < BigInt(high) && !this.#busy.has(partition);
      const known = this.#progress.get(partition);
      if (!isWaiting) this.#progress.delete(partition);
      else if (known?.committed !== offset) this.#progress.set(partition, { committed: offset, since: now });
      else if (now - known.since >= timing.watchdogMs) return this.#rebuild(`partition ${partition} stands at ${offset} of ${high}`);
    }
  }

  #rebuild(why: string): void {
    this.#rebuilding ??= this.#replace(why).finally(() => (this.#rebuilding = undefined));
  }

  async #replace(why: string): Promise<void> {
    const { onFault, topic } = this.options;
    onFault(new Fault(`rebuilding the consumer ${this.#groupId} of ${topic} (number ${++this.#rebuilds}): ${why}`, true));
    for (let pauseMs = 200; !this.#closed; pauseMs = Math.min(pauseMs * 2, 10_000)) {
      const stuck = this.#consumer;
      this.#consumer = undefined;
      // A silent consumer may never finish stopping; its batches are ignored from here on.
      await within(stuck?.disconnect().catch(() => undefined) ?? Promise.resolve(), 5_000);
      try {
        return await this.#build();
      } catch (thrown) {
        onFault(thrown);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }
}

/** What the promise gives, or `undefined` when it takes longer. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
