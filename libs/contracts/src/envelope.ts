import type { Instant, Rejection } from '@weft/kernel';
import type { Context } from './generated/weft/v1/context.js';

/** A message on the bus: the attributes of a CloudEvent 1.0, the context it carries, and its body. */
export interface Envelope<B = unknown> {
  /** Unique with `source`. Publishing again uses the same id. */
  readonly id: string;
  /** URI reference of the producer, such as `/weft/orchestration`. */
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time?: Instant;
  /** What orders and partitions: an execution id, else a request id. Also the `partitionkey` extension. */
  readonly key: string;
  readonly context: Context;
  readonly body: B;
}

/** A message as it lay on the topic, before anyone understood it. */
export interface RawMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Uint8Array;
}

/** What a subscriber is handed: a decoded message, or one that could not be decoded, with the reason. */
export type Delivery<B = unknown> = { readonly ok: true; readonly envelope: Envelope<B>; readonly raw?: RawMessage } | { readonly ok: false; readonly rejection: Rejection; readonly raw: RawMessage };
