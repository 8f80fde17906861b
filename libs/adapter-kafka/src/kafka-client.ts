// One way to build a kafkajs client: quiet unless somebody listens.
import kafkajs, { type Kafka, type KafkaConfig } from 'kafkajs';

/** Where the cluster is and how to get in. */
export interface KafkaConnection {
  /** `host:port` of one or more brokers; the others are found through them. */
  readonly brokers: readonly string[];
  /** Shown in the broker's logs and quotas. Default `weft`. */
  readonly clientId?: string;
  readonly ssl?: NonNullable<KafkaConfig['ssl']>;
  readonly sasl?: NonNullable<KafkaConfig['sasl']>;
  /** Receives the client's warnings and errors. Default: nobody; what matters comes back as a `Fault`. */
  readonly log?: KafkaLog;
}

export interface KafkaLogEntry {
  readonly level: 'error' | 'warn';
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export type KafkaLog = (entry: KafkaLogEntry) => void;

/** A client; it connects when used. */
export function kafkaClient({ brokers, clientId = 'weft', ssl, sasl, log }: KafkaConnection): Kafka {
  return new kafkajs.Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: 3_000,
    requestTimeout: 15_000,
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl }),
    logLevel: log ? kafkajs.logLevel.WARN : kafkajs.logLevel.NOTHING,
    logCreator:
      () =>
      ({ level, log: { message, timestamp: _timestamp, ...details } }) =>
        log?.({ level: level === kafkajs.logLevel.ERROR ? 'error' : 'warn', message, details }),
  });
}
