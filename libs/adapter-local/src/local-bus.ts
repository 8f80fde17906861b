import type { Envelope, RawMessage } from '@weft/contracts';
import { Fault, type Bus, type Outgoing, type SubscribeOptions, type Subscription } from '@weft/pipeline';
import { GroupQueue } from './group-queue.js';

export interface LocalBusOptions {
  /** Messages in one call of a handler at most. Default 256. */
  readonly batchMax?: number;
  /** Messages waiting for one group of one topic before `publish` waits for room. Default 10,000. */
  readonly queueMax?: number;
  /**
   * How long `publish` waits for room, in milliseconds; default 1,000. Then the message is queued all the same: two topics
   * whose handlers publish to each other would otherwise wait for each other for ever.
   */
  readonly patienceMs?: number;
  /** How long `close` lets new batches begin, in milliseconds; default 5,000. */
  readonly drainMs?: number;
  /** Told of each batch that a handler threw on. The batch comes again. */
  readonly onFault?: (fault: unknown, topic: string, group: string) => void;
}

/**
 * The Bus within one process. Envelopes are handed on by reference, never encoded; messages of a topic that nobody
 * subscribes to are dropped; nothing outlives the process. `publish` resolves when the message is queued.
 */
export class LocalBus implements Bus {
  readonly #topics = new Map<string, Map<string, GroupQueue>>();
  readonly #sequences = new Map<string, number>();
  readonly #options: Required<Omit<LocalBusOptions, 'onFault'>> & Pick<LocalBusOptions, 'onFault'>;
  #closing = false;
  #closed = false;

  constructor(options: LocalBusOptions = {}) {
    this.#options = { batchMax: 256, queueMax: 10_000, patienceMs: 1_000, drainMs: 5_000, ...options };
  }

  /** @throws Fault (retryable) once the bus is closed. */
  async publish(messages: readonly Outgoing[]): Promise<void> {
    if (this.#closed) throw new Fault('the bus is closed: the process is shutting down', true);
    const crowded = new Set<GroupQueue>();
    for (const message of messages) {
      const groups = this.#topics.get(message.topic);
      if (!groups || groups.size === 0) continue;
      const sequence = this.#sequences.get(message.topic) ?? 0;
      this.#sequences.set(message.topic, sequence + 1);
      const delivery = new LocalDelivery(message, sequence);
      for (const queue of groups.values()) {
        queue.push(delivery);
        if (queue.length > this.#options.queueMax) crowded.add(queue);
      }
    }
    for (const queue of crowded) await queue.room(this.#options.patienceMs);
  }

  async subscribe({ topic, group, handle }: SubscribeOptions): Promise<Subscription> {
    if (this.#closing) throw new Fault('the bus is closed: the process is shutting down', true);
    const groups = this.#topics.get(topic) ?? new Map<string, GroupQueue>();
    this.#topics.set(topic, groups);
    const { batchMax, queueMax, onFault } = this.#options;
    const queue = groups.get(group) ?? new GroupQueue({ batchMax, queueMax, onFault: (fault) => onFault?.(fault, topic, group) });
    groups.set(group, queue);
    // Each subscription is a member of its own, also when two share a function.
    const member: SubscribeOptions['handle'] = (batch) => handle(batch);
    queue.join(member);
    return {
      close: async () => {
        const left = queue.leave(member);
        if (queue.isAbandoned && groups.get(group) === queue) groups.delete(group);
        await left;
      },
    };
  }

  /**
   * Resolves when the handlers have dealt with all that is queued, and with what they publish meanwhile; after `drainMs` no
   * new batch begins. A batch that throws now is not tried again.
   */
  async close(): Promise<void> {
    this.#closing = true;
    const queues = [...this.#topics.values()].flatMap((groups) => [...groups.values()]);
    const late = setTimeout(() => queues.forEach((queue) => queue.stop()), this.#options.drainMs);
    while (queues.some((queue) => queue.isBusy)) await Promise.all(queues.map((queue) => queue.drain()));
    clearTimeout(late);
    this.#closed = true;
    this.#topics.clear();
  }
}

/** The envelope as it was published. `raw` is made only when asked for, as for setting a message aside. */
class LocalDelivery {
  readonly ok = true;
  readonly #message: Outgoing;
  readonly #sequence: number;

  constructor(message: Outgoing, sequence: number) {
    this.#message = message;
    this.#sequence = sequence;
  }

  get envelope(): Envelope {
    return this.#message.envelope;
  }

  get raw(): RawMessage {
    const { headers, value } = this.#message.toRecord();
    return { topic: this.#message.topic, partition: 0, offset: String(this.#sequence), key: this.#message.envelope.key, headers, value };
  }
}
