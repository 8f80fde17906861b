import { Fault } from '@weft/pipeline';

/**
 * What kafkajs threw, as a `Fault`. Retryable unless the broker's own answer, at the bottom of the causes, says that asking
 * again is pointless (too large, not authorised, no such version).
 */
export function kafkaFault(what: string, thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  const origin = originOf(thrown);
  // The wrapper "retries exceeded" calls itself final; what it gave up on tells.
  const isFinal = origin instanceof Error && origin.name === 'KafkaJSProtocolError' && 'retriable' in origin && origin.retriable === false;
  return new Fault(`${what}: ${origin instanceof Error ? origin.message : String(origin)}`, !isFinal, { cause: thrown });
}

function originOf(thrown: unknown): unknown {
  let origin = thrown;
  while (origin instanceof Error && origin.cause instanceof Error) origin = origin.cause;
  return origin;
}
