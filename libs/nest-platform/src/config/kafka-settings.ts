// How consumers of the bus keep in touch with their broker: the same settings for every service of the mesh.
import { z } from 'zod';

/** Settings of a process that consumes from Kafka. Spread them into the shell's schema. */
export const kafkaSettings = {
  WEFT_KAFKA_SESSION_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .default(6_000)
    .describe('A consumer that the broker has not heard for this long loses its partitions, in milliseconds. Brokers allow 6,000 at least by default (group.min.session.timeout.ms).'),
  WEFT_KAFKA_HEARTBEAT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .default(500)
    .describe('Time between two heartbeats of a consumer, in milliseconds. A rebalance lasts at least until the last member has sent one.'),
  WEFT_KAFKA_REBALANCE_MS: z.coerce.number().int().min(1_000).default(3_000).describe('How long a rebalance waits for members to come back, in milliseconds.'),
  WEFT_KAFKA_WATCHDOG_MS: z.coerce.number().int().min(1_000).default(20_000).describe('A consumer that has lag and makes no progress for this long is built anew, in milliseconds.'),
} as const;

export type KafkaSettings = Readonly<z.output<z.ZodObject<typeof kafkaSettings>>>;

/** The same as options of the bus. */
export function consumerTimingOf(settings: KafkaSettings): { readonly sessionTimeoutMs: number; readonly heartbeatMs: number; readonly rebalanceTimeoutMs: number; readonly watchdogMs: number } {
  return {
    sessionTimeoutMs: settings.WEFT_KAFKA_SESSION_MS,
    heartbeatMs: settings.WEFT_KAFKA_HEARTBEAT_MS,
    rebalanceTimeoutMs: settings.WEFT_KAFKA_REBALANCE_MS,
    watchdogMs: settings.WEFT_KAFKA_WATCHDOG_MS,
  };
}
