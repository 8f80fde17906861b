// Topics of other people's clusters: one message out, or a few in. Nothing of ours runs over them.
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type ISocketFactory, type Kafka, type KafkaConfig } from 'kafkajs';

export interface ForeignCluster {
  /** `host:port`, separated by commas. */
  readonly brokers: string;
  /** Makes every connection, also to brokers that the cluster names. */
  readonly connect: ISocketFactory;
  readonly isSecure: boolean;
  readonly sasl?: NonNullable<KafkaConfig['sasl']>;
}

export interface ForeignMessage {
  readonly value: Buffer;
  readonly headers: { readonly [name: string]: string };
}

/** `notSent`: no connection, so nothing was published. `lost`: it may have been. */
export type Publishing = { readonly kind: 'published' } | { readonly kind: 'notSent' | 'lost'; readonly message: string };

/** The next offset to read, by partition. */
export type TopicPosition = { readonly [partition: string]: string };

export interface Collecting {
  /** Milliseconds to collect for. */
  readonly forMs: number;
  /** Where to begin; partitions that it does not name are new, and read from their first message. Default: what is published from now on. */
  readonly from?: TopicPosition | undefined;
  /** Takes a message. @returns whether it was the last one. */
  readonly take: (message: ForeignMessage) => boolean;
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined;
  /** Told when messages that come from now on are taken. */
  readonly onReady?: () => void;
}

/** Publishes one message and waits for all in-sync replicas. Never rejects. */
export async function publishOnce(cluster: ForeignCluster, topic: string, message: ForeignMessage, key: string): Promise<Publishing> {
  const producer = clientOf(cluster).producer({ allowAutoTopicCreation: false, retry: { retries: 1 } });
  let isConnected = false;
  try {
    await producer.connect();
    isConnected = true;
    await producer.send({ topic, acks: -1, messages: [{ key, value: message.value, headers: { ...message.headers } }] });
    return { kind: 'published' };
  } catch (error) {
    return { kind: isConnected ? 'lost' : 'notSent', message: (error as Error).message };
  } finally {
    await producer.disconnect().catch(() => undefined);
  }
}

/** Where a topic ends: from there on is read what is published from now on. @throws Error without a connection. */
export async function endOfTopic(cluster: ForeignCluster, topic: string): Promise<TopicPosition> {
  return Object.fromEntries((await offsetsOf(cluster, topic)).map(({ partition, high }) => [partition, high]));
}

/**
 * Collects messages until the last one is taken or the time is over.
 * @param group a name of its own. @returns where to go on, of one that was told where to begin. @throws Error without a connection.
 */
export async function collectFrom(cluster: ForeignCluster, topic: string, group: string, { forMs, from, take, signal, onReady }: Collecting): Promise<TopicPosition> {
  const next: Record<string, string> = from ? await startOf(cluster, topic, from) : {};
  const consumer = clientOf(cluster).consumer({ groupId: group, allowAutoTopicCreation: false, maxWaitTimeInMs: 200, retry: { initialRetryTime: 200, retries: 8 } });
  const enough = Promise.withResolvers<void>();
  const over = new AbortController();
  // It may come when nobody waits any more.
  enough.promise.catch(() => undefined);
  consumer.on('consumer.crash', ({ payload: { error, restart } }) => void (restart || enough.reject(error)));
  consumer.on('consumer.group_join', () => {
    // A group that is joined anew begins at the end again.
    for (const [partition, offset] of Object.entries(next)) consumer.seek({ topic, partition: Number(partition), offset });
    onReady?.();
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: false });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message: { offset, value, headers = {} } }) => {
        if (over.signal.aborted || BigInt(offset) < BigInt(next[partition] ?? 0)) return;
        if (from) next[partition] = String(BigInt(offset) + 1n);
        if (!take({ value: value ?? Buffer.alloc(0), headers: textsOf(headers) })) return;
        over.abort();
        enough.resolve();
      },
    });
    const late = sleep(forMs, undefined, { signal: AbortSignal.any([over.signal, ...(signal ? [signal] : [])]) }).catch(() => undefined);
    await Promise.race([enough.promise, late]);
    return next;
  } finally {
    over.abort();
    await consumer.disconnect().catch(() => undefined);
  }
}

/** A position as far as the topic still has it: what it no longer keeps is passed over, and one that was made anew is read from its beginning. */
async function startOf(cluster: ForeignCluster, topic: string, from: TopicPosition): Promise<Record<string, string>> {
  return Object.fromEntries(
    (await offsetsOf(cluster, topic)).map(({ partition, low, high }) => {
      const wanted = BigInt(from[partition] ?? 0);
      return [partition, wanted < BigInt(low) || wanted > BigInt(high) ? low : String(wanted)];
    }),
  );
}

async function offsetsOf(cluster: ForeignCluster, topic: string): Promise<readonly { readonly partition: number; readonly low: string; readonly high: string }[]> {
  const admin = clientOf(cluster).admin();
  try {
    await admin.connect();
    return await admin.fetchTopicOffsets(topic);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

function clientOf({ brokers, connect, isSecure, sasl }: ForeignCluster): Kafka {
  return new kafkajs.Kafka({
    brokers: brokers.split(','),
    clientId: 'weft',
    socketFactory: connect,
    ssl: isSecure,
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { initialRetryTime: 200, retries: 1 },
    logLevel: kafkajs.logLevel.NOTHING,
    ...(sasl === undefined ? {} : { sasl }),
  });
}

type Header = Buffer | string | (Buffer | string)[] | undefined;
const textsOf = (headers: { readonly [name: string]: Header }): { readonly [name: string]: string } =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(Array.isArray(value) ? value[0] : value)]])));
