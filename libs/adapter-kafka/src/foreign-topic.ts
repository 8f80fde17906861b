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

export interface Collecting {
  /** Milliseconds to collect for. */
  readonly forMs: number;
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

/** Collects what is published from now on, until the last one is taken or the time is over. @param group a name of its own. @returns whether the last one was taken. @throws Error without a connection. */
export async function collectFrom(cluster: ForeignCluster, topic: string, group: string, { forMs, take, signal, onReady }: Collecting): Promise<boolean> {
  const consumer = clientOf(cluster).consumer({ groupId: group, allowAutoTopicCreation: false, maxWaitTimeInMs: 200, retry: { initialRetryTime: 200, retries: 8 } });
  const enough = Promise.withResolvers<boolean>();
  const over = new AbortController();
  // It may come when nobody waits any more.
  enough.promise.catch(() => undefined);
  consumer.on('consumer.crash', ({ payload: { error, restart } }) => void (restart || enough.reject(error)));
  consumer.on('consumer.group_join', () => onReady?.());
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: false });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        if (over.signal.aborted || !take({ value: message.value ?? Buffer.alloc(0), headers: textsOf(message.headers ?? {}) })) return;
        over.abort();
        enough.resolve(true);
      },
    });
    const late = sleep(forMs, false, { signal: AbortSignal.any([over.signal, ...(signal ? [signal] : [])]) }).catch(() => false);
    return await Promise.race([enough.promise, late.then((isLast) => (over.signal.aborted ? enough.promise : isLast))]);
  } finally {
    over.abort();
    await consumer.disconnect().catch(() => undefined);
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
