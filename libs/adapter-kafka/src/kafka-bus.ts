import { Fault, type Bus, type Outgoing, type SubscribeOptions, type Subscription } from '@weft/pipeline';
import type { Admin, Kafka } from 'kafkajs';
import { kafkaClient, type KafkaConnection } from './kafka-client.js';
import { KafkaPublisher } from './kafka-publisher.js';
import { KafkaSubscription, type ConsumerTiming } from './kafka-subscription.js';

export interface KafkaBusOptions extends KafkaConnection, Partial<ConsumerTiming> {
  /** Messages in one call of a handler at most. Default 256. */
  readonly batchMax?: number;
  /** Told of each batch that a handler threw on, and of each trouble of a consumer. The messages come again. */
  readonly onFault?: (fault: unknown, topic: string, group: string) => void;
}

const TIMING: ConsumerTiming = { sessionTimeoutMs: 6_000, heartbeatMs: 500, rebalanceTimeoutMs: 3_000, fetchWaitMs: 250, watchdogMs: 20_000 };

/**
 * The Bus on Apache Kafka. Topics must exist (`ensureTopics`). At least once: a message comes again after a throw, a
 * rebalance or a lost acknowledgement. It connects when first used.
 */
export class KafkaBus implements Bus {
  readonly #client: Kafka;
  readonly #publisher: KafkaPublisher;
  readonly #subscriptions = new Set<Subscription>();
  readonly #timing: ConsumerTiming;
  #admin: Promise<Admin> | undefined;
  #closed = false;

  constructor(private readonly options: KafkaBusOptions) {
    const { sessionTimeoutMs, heartbeatMs, rebalanceTimeoutMs, fetchWaitMs, watchdogMs } = { ...TIMING, ...options };
    this.#timing = { sessionTimeoutMs, heartbeatMs, rebalanceTimeoutMs, fetchWaitMs, watchdogMs };
    this.#client = kafkaClient(options);
    this.#publisher = new KafkaPublisher(this.#client);
  }

  /** How long the oldest message that waits to be stored has waited, in milliseconds; 0 when none does. A bus that is away shows here first. */
  get publishWaitMs(): number {
    return this.#publisher.waitMs;
  }

  /** Resolves when all in-sync replicas have the messages. @throws Fault when that is not known; some may be stored then. */
  publish(messages: readonly Outgoing[]): Promise<void> {
    return this.#publisher.publish(messages);
  }

  /** Resolves when the group has been joined. @throws Fault when the topic does not exist or no broker answers. */
  async subscribe(subscribe: SubscribeOptions): Promise<Subscription> {
    if (this.#closed) throw new Fault('the bus is closed: the process is shutting down', true);
    const { batchMax = 256, onFault } = this.options;
    const subscription = await new KafkaSubscription({
      ...subscribe,
      client: this.#client,
      admin: () => this.#connectedAdmin(),
      timing: this.#timing,
      batchMax,
      onFault: (fault) => onFault?.(fault, subscribe.topic, subscribe.group),
    }).start();
    if (this.#closed) {
      await subscription.close();
      throw new Fault('the bus was closed while a group was being joined: the process is shutting down', true);
    }
    const owned: Subscription = {
      close: async (how) => {
        this.#subscriptions.delete(owned);
        await subscription.close(how);
      },
    };
    this.#subscriptions.add(owned);
    return owned;
  }

  async close(): Promise<void> {
    this.#closed = true;
    // Handlers under way may still publish: the producer goes last.
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
    await this.#publisher.close();
    await (await this.#admin?.catch(() => undefined))?.disconnect().catch(() => undefined);
  }

  #connectedAdmin(): Promise<Admin> {
    const admin = this.#client.admin({ retry: { retries: 2 } });
    this.#admin ??= admin.connect().then(
      () => admin,
      (thrown: unknown) => {
        this.#admin = undefined;
        throw thrown;
      },
    );
    return this.#admin;
  }
}
