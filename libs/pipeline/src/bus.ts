// The Bus port: batches in, batches out. Kafka in the mesh, in process in standalone.
import { deadTopicName, jsonCodec, topicName, TOPICS, toRecord, type BodyCodec, type BodyOf, type DeadLetterBody, type Delivery, type Envelope, type RawMessage, type TopicKey } from '@weft/contracts';
import type { Instant, Rejection } from '@weft/kernel';

/** A message on its way out. */
export interface Outgoing {
  /** Full name, tenant suffix included. */
  readonly topic: string;
  readonly envelope: Envelope;
  /** Encodes the message; a bus that stays in the process never asks. */
  readonly toRecord: () => { readonly headers: Record<string, string>; readonly value: Uint8Array };
}

export interface SubscribeOptions {
  /** Full topic name. */
  readonly topic: string;
  /** Consumers of one group share the topic's messages; each group sees all. */
  readonly group: string;
  /** Where a group without an offset begins. Default `earliest`. */
  readonly from?: 'earliest' | 'latest';
  /**
   * Handles a batch. Offsets move only after it resolves; when it throws, the batch comes again after a pause.
   * Deliveries of one key are in order.
   */
  readonly handle: (batch: readonly Delivery[]) => Promise<void>;
}

export interface CloseOptions {
  /** Does not wait for the batch under way: its messages come again, to whoever has the partitions then. Default false. */
  readonly abandon?: boolean;
}

export interface Subscription {
  /** Stops taking messages, waits for the batch under way, releases the partitions. */
  close(options?: CloseOptions): Promise<void>;
}

export interface Bus {
  /** Resolves when the messages are as durable as the bus makes them. Rejects with a `Fault` when that is not known. */
  publish(messages: readonly Outgoing[]): Promise<void>;
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  /** Closes subscriptions, then flushes and closes the producer. */
  close(): Promise<void>;
}

/** A message for a registered topic. Results go to the topic of the tenant in their context. */
export function outgoing<K extends TopicKey>(key: K, envelope: Envelope<BodyOf<K>>): Outgoing {
  const codec = TOPICS[key].codec as unknown as BodyCodec<BodyOf<K>>;
  return { topic: topicName(key, envelope.context.tenant), envelope, toRecord: () => toRecord(envelope, codec) };
}

/** The dead letter of a message that is set aside. Its id derives from where the message lay: setting aside again is the same letter. */
export function deadLetter(raw: RawMessage, reason: Rejection, context: Envelope['context'], now: Instant): Outgoing {
  const { topic, partition, offset, key, headers, value } = raw;
  const body: DeadLetterBody = { reason, topic, partition, offset, key, headers, valueBase64: Buffer.from(value).toString('base64') };
  const envelope: Envelope<DeadLetterBody> = {
    id: `${topic}/${partition}/${offset}`,
    source: '/weft/dead-letter',
    type: 'ai.weft.dead-letter.v1',
    subject: reason.code,
    time: now,
    key,
    context,
    body,
  };
  return { topic: deadTopicName(topic), envelope, toRecord: () => toRecord(envelope, jsonCodec<DeadLetterBody>()) };
}
