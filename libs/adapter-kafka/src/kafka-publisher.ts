// The producer: one request under way at a time, which keeps order across retries; what is published meanwhile shares the next.
import { bucketOf } from '@weft/kernel';
import { failpoint, Fault, type Outgoing } from '@weft/pipeline';
import type { Kafka, Message, Producer } from 'kafkajs';
import { kafkaFault } from './kafka-fault.js';

interface Record {
  readonly topic: string;
  readonly message: Message;
  readonly bytes: number;
}

interface Waiting {
  readonly records: readonly Record[];
  readonly bytes: number;
  /** When it was handed in, by the monotonic clock. */
  readonly since: number;
  readonly resolve: () => void;
  readonly reject: (fault: Fault) => void;
}

// A broker takes about 1 MB in one record batch by default; a larger single message still goes, in a request of its own.
const REQUEST_BYTES_MAX = 768 * 1024;

/** Publishes with acks from all in-sync replicas. A message may be stored twice when an acknowledgement is lost: consumers are idempotent. */
export class KafkaPublisher {
  readonly #producer: Producer;
  readonly #waiting: Waiting[] = [];
  #connected: Promise<void> | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  /** Since when the oldest message of the request under way has waited. */
  #sendingSince: number | undefined;

  constructor(client: Kafka) {
    this.#producer = client.producer({
      allowAutoTopicCreation: false,
      // Idempotent producers of kafkajs end in a final sequence error when a broker restarts; order needs only one request at a time.
      idempotent: false,
      createPartitioner:
        () =>
        ({ partitionMetadata, message }) =>
          bucketOf(message.key?.toString() ?? '') % partitionMetadata.length,
      retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 6 },
    });
  }

  /** How long the oldest of the messages has waited that are not known to be stored, in milliseconds. */
  get waitMs(): number {
    const since = this.#sendingSince ?? this.#waiting[0]?.since;
    return since === undefined ? 0 : performance.now() - since;
  }

  /** @throws Fault when it is not known that all messages are stored. */
  publish(messages: readonly Outgoing[]): Promise<void> {
    if (this.#closed) return Promise.reject(new Fault('the bus is closed: the process is shutting down', true));
    if (messages.length === 0) return Promise.resolve();
    const records = messages.map(record);
    const bytes = records.reduce((sum, { bytes }) => sum + bytes, 0);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, bytes, since: performance.now(), resolve, reject });
      // In a microtask, so that all of this tick share the first request.
      this.#running ??= Promise.resolve().then(() => this.#run());
    });
  }

  /** Sends what is waiting, then disconnects. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    if (this.#connected) await this.#producer.disconnect().catch(() => undefined);
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup();
      this.#sendingSince = group[0]!.since;
      try {
        await this.#send(group);
        for (const { resolve } of group) resolve();
      } catch (thrown) {
        const fault = kafkaFault('publishing failed', thrown);
        if (group.length === 1 || fault.retryable) for (const { reject } of group) reject(fault);
        else await this.#sendEach(group);
      }
      this.#sendingSince = undefined;
    }
    // In the same turn as the last look at the queue: a message published from now on starts anew.
    this.#running = undefined;
  }

  #nextGroup(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || bytes + this.#waiting[count]!.bytes <= REQUEST_BYTES_MAX)) bytes += this.#waiting[count++]!.bytes;
    return this.#waiting.splice(0, count);
  }

  // The broker refused something in the group for good: each by itself, so that only its owner learns of it.
  async #sendEach(group: readonly Waiting[]): Promise<void> {
    for (const waiting of group) {
      try {
        await this.#send([waiting]);
        waiting.resolve();
      } catch (thrown) {
        waiting.reject(kafkaFault('publishing failed', thrown));
      }
    }
  }

  async #send(group: readonly Waiting[]): Promise<void> {
    this.#connected ??= this.#producer.connect();
    try {
      await this.#connected;
    } catch (thrown) {
      this.#connected = undefined;
      throw thrown;
    }
    for (const records of slices(group.flatMap((waiting) => waiting.records))) {
      const byTopic = Map.groupBy(records, ({ topic }) => topic);
      failpoint('kafka.publish', 'before');
      await this.#producer.sendBatch({
        acks: -1,
        topicMessages: [...byTopic].map(([topic, of]) => ({ topic, messages: of.map(({ message }) => message) })),
      });
      failpoint('kafka.publish', 'after');
    }
  }
}

function record({ topic, envelope, toRecord }: Outgoing): Record {
  const { headers, value } = toRecord();
  const bytes = value.length + Object.entries(headers).reduce((sum, [name, text]) => sum + name.length + text.length, 0);
  return { topic, bytes, message: { key: envelope.key, headers, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength) } };
}

function* slices(records: readonly Record[]): Generator<readonly Record[]> {
  let slice: Record[] = [];
  let bytes = 0;
  for (const each of records) {
    if (slice.length > 0 && bytes + each.bytes > REQUEST_BYTES_MAX) {
      yield slice;
      [slice, bytes] = [[], 0];
    }
    slice.push(each);
    bytes += each.bytes;
  }
  if (slice.length > 0) yield slice;
}
