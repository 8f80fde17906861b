import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { isCoordinatorAway, kafkaFault } from './kafka-fault.js';

const protocolError = (message: string, retriable: boolean): Error => new kafkajs.KafkaJSProtocolError(Object.assign(new Error(message), { retriable }));
const exceeded = (cause: Error): Error => new kafkajs.KafkaJSNumberOfRetriesExceeded(cause, { retryCount: 5, retryTime: 100 });

describe('kafkaFault', () => {
  it('is retryable when retries ran out on something that may pass', () => {
    expect(kafkaFault('publishing failed', exceeded(protocolError('no leader', true)))).toMatchObject({ name: 'Fault', retryable: true, message: 'publishing failed: no leader' });
    expect(kafkaFault('publishing failed', new kafkajs.KafkaJSConnectionError('refused')).retryable).toBe(true);
  });

  it('is final when the broker refuses for good', () => {
    expect(kafkaFault('publishing failed', protocolError('too large', false))).toMatchObject({ retryable: false, message: 'publishing failed: too large' });
  });
});

describe('isCoordinatorAway', () => {
  const answered = (type: string): Error => new kafkajs.KafkaJSProtocolError(Object.assign(new Error(type), { type, retriable: true }));

  it.each(['GROUP_LOAD_IN_PROGRESS', 'GROUP_COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR_FOR_GROUP'])('holds for %s, however it is wrapped', (type) => {
    expect(isCoordinatorAway(answered(type))).toBe(true);
    expect(isCoordinatorAway(kafkaFault('subscribing failed', exceeded(answered(type))))).toBe(true);
  });

  it('does not hold for a missing topic, a refused connection or anything else', () => {
    for (const thrown of [answered('UNKNOWN_TOPIC_OR_PARTITION'), new kafkajs.KafkaJSConnectionError('refused'), new Error('x'), undefined]) expect(isCoordinatorAway(thrown)).toBe(false);
  });
});
