import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { kafkaFault } from './kafka-fault.js';

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
