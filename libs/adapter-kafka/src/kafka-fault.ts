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

// A broker that has just started reads what its groups committed before it answers for them; so does the one that takes over.
const COORDINATOR_AWAY: ReadonlySet<unknown> = new Set(['GROUP_LOAD_IN_PROGRESS', 'GROUP_COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR_FOR_GROUP']);

/** Whether the group's coordinator is not there yet: loading, starting or moving. It passes by itself. */
export function isCoordinatorAway(thrown: unknown): boolean {
  const origin = originOf(thrown);
  return origin instanceof Error && 'type' in origin && COORDINATOR_AWAY.has(origin.type);
}

function originOf(thrown: unknown): unknown {
  let origin = thrown;
  while (origin instanceof Error && origin.cause instanceof Error) origin = origin.cause;
  return origin;
}
