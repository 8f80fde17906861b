// Envelopes as Kafka records in CloudEvents binary mode, and back. Source: CloudEvents 1.0, Kafka protocol binding.
import { rejection } from '@weft/kernel';
import { contextFromAttributes, contextToAttributes } from './context.js';
import type { Delivery, Envelope, RawMessage } from './envelope.js';
import { readKafkaRequest } from './request-event.js';
import { TOPICS, type BodyCodec, type TopicKey } from './topics.js';

/** Headers and value of an envelope. Header names carry the prefix `ce_`. */
export function toRecord<B>(envelope: Envelope<B>, codec: BodyCodec<B>): { headers: Record<string, string>; value: Uint8Array } {
  const headers: Record<string, string> = {
    ce_specversion: '1.0',
    ce_id: envelope.id,
    ce_source: envelope.source,
    ce_type: envelope.type,
    ce_partitionkey: envelope.key,
    'content-type': codec.contentType,
  };
  if (envelope.subject !== undefined) headers['ce_subject'] = envelope.subject;
  if (envelope.time !== undefined) headers['ce_time'] = new Date(envelope.time).toISOString();
  for (const [name, text] of Object.entries(contextToAttributes(envelope.context))) headers[`ce_${name}`] = text;
  // The W3C names without prefix too: that is where other tools look for them.
  if (envelope.context.traceparent !== '') headers['traceparent'] = envelope.context.traceparent;
  if (envelope.context.tracestate !== '') headers['tracestate'] = envelope.context.tracestate;
  return { headers, value: codec.encode(envelope.body) };
}

/** Reads a record of a registered topic. It never throws: what cannot be read comes back with its reason. */
export function fromRecord(key: TopicKey, raw: RawMessage): Delivery {
  if (key === 'requests') {
    const reading = readKafkaRequest(raw.headers, raw.value);
    if (!reading.ok) return { ok: false, rejection: reading.rejection, raw };
    const { event } = reading;
    const trace = { traceparent: event.context.traceparent || (raw.headers['traceparent'] ?? ''), tracestate: event.context.tracestate || (raw.headers['tracestate'] ?? '') };
    return {
      ok: true,
      envelope: { id: event.id, source: event.source, type: event.type, subject: event.subject, key: raw.key || event.id, context: { ...event.context, ...trace }, body: event.data },
      raw,
    };
  }
  const attribute = (name: string): string | undefined => raw.headers[`ce_${name}`];
  const [id, source, type] = [attribute('id'), attribute('source'), attribute('type')];
  if (!id || !source || !type) {
    return { ok: false, rejection: rejection('message-invalid', `Expected a CloudEvent in binary mode on ${raw.topic} but headers ce_id, ce_source or ce_type are missing.`), raw };
  }
  try {
    const body = TOPICS[key].codec.decode(raw.value);
    const subject = attribute('subject');
    const time = Date.parse(attribute('time') ?? '');
    return {
      ok: true,
      envelope: {
        id,
        source,
        type,
        key: attribute('partitionkey') ?? raw.key,
        context: contextFromAttributes(attribute),
        body,
        ...(subject === undefined ? {} : { subject }),
        ...(Number.isNaN(time) ? {} : { time }),
      },
      raw,
    };
  } catch (fault) {
    return {
      ok: false,
      rejection: rejection('message-invalid', `Expected a ${TOPICS[key].codec.contentType} body on ${raw.topic} but it could not be read: ${fault instanceof Error ? fault.message : String(fault)}.`),
      raw,
    };
  }
}
