// Kafka's messages as the contracts see them.
import { fromRecord, topicOfName, type Delivery, type RawMessage, type TopicKey } from '@weft/contracts';
import type { KafkaMessage } from 'kafkajs';
import { Fault } from '@weft/pipeline';

/** Reads the messages of one topic. Never throws on a message: what cannot be read comes back with its reason. */
export type RecordReader = (partition: number, message: KafkaMessage) => Delivery;

/** @throws Fault (final) when no registered topic has this name. */
export function recordReader(topic: string): RecordReader {
  const key = codecKeyOf(topic);
  return (partition, message) => fromRecord(key, rawMessage(topic, partition, message));
}

function codecKeyOf(topic: string): TopicKey {
  // Dead letters of every topic are JSON events in binary mode, as lifecycle events are; the letter's own body says where it lay.
  if (topic.endsWith('.dead')) return 'lifecycle';
  const found = topicOfName(topic);
  if (!found.ok) throw new Fault(found.rejection.message, false);
  return found.key;
}

function rawMessage(topic: string, partition: number, { key, headers, value, offset }: KafkaMessage): RawMessage {
  const texts: Record<string, string> = {};
  for (const [name, given] of Object.entries(headers ?? {})) {
    const first = Array.isArray(given) ? given[0] : given;
    if (first !== undefined) texts[name] = first.toString();
  }
  return { topic, partition, offset, key: key?.toString() ?? '', headers: texts, value: value ?? new Uint8Array(0) };
}
