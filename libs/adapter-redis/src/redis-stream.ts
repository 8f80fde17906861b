import { ChunkOrder, Fault, STREAM_CHUNKS_KEPT, STREAM_KEPT_MS, type StreamKey, type TokenChunk, type TokenStream } from '@weft/pipeline';
import type { Redis } from 'ioredis';

export interface RedisStreamOptions {
  /** A connection for publishing and reading back; whoever made it closes it. */
  readonly redis: Redis;
  /** Told of what was lost. */
  readonly onFault?: (fault: unknown) => void;
}

const PREFIX = 'weft:stream:';
/** Chunks that wait to be sent; more are lost. */
const WAITING_MAX = 10_000;

/** Tokens between processes: each execution's latest chunks lie in a list for a minute, and are told to who reads. */
export class RedisStream implements TokenStream {
  readonly #redis: Redis;
  readonly #onFault: (fault: unknown) => void;
  readonly #readers = new Map<string, Set<(chunk: TokenChunk) => void>>();
  #listener: Redis | undefined;
  #waiting: { readonly channel: string; readonly text: string; readonly number: number }[] = [];

  constructor({ redis, onFault = () => undefined }: RedisStreamOptions) {
    this.#redis = redis;
    this.#onFault = onFault;
  }

  publish(stream: StreamKey, chunk: TokenChunk): void {
    if (this.#waiting.length >= WAITING_MAX) return;
    this.#waiting.push({ channel: channelOf(stream), text: JSON.stringify(chunk), number: chunk.number });
    // All that is said in one turn of the loop goes out together.
    if (this.#waiting.length === 1) setImmediate(() => this.#send());
  }

  async subscribe(stream: StreamKey, onChunk: (chunk: TokenChunk) => void): Promise<() => void> {
    const channel = channelOf(stream);
    const order = new ChunkOrder();
    const early: TokenChunk[] = [];
    let isCaughtUp = false;
    const read = (chunk: TokenChunk): void => {
      if (!isCaughtUp) early.push(chunk);
      else if (order.isNext(chunk)) onChunk(chunk);
    };
    const readers = this.#readers.get(channel) ?? new Set();
    this.#readers.set(channel, readers.add(read));
    const leave = (): void => {
      readers.delete(read);
      if (readers.size > 0 || this.#readers.get(channel) !== readers) return;
      this.#readers.delete(channel);
      this.#listener?.unsubscribe(channel).catch(this.#onFault);
    };
    try {
      await this.#listen().subscribe(channel);
      const before = await this.#redis.lrange(channel, 0, -1);
      isCaughtUp = true;
      for (const chunk of [...before.map(chunkOf), ...early]) if (order.isNext(chunk)) onChunk(chunk);
    } catch (cause) {
      leave();
      throw new Fault('Expected Redis to answer but it did not: tokens are not streamed.', true, { cause });
    }
    return leave;
  }

  async close(): Promise<void> {
    this.#listener?.disconnect();
  }

  /** A connection that listens can do nothing else. */
  #listen(): Redis {
    if (this.#listener) return this.#listener;
    const listener = this.#redis.duplicate({ lazyConnect: false, enableOfflineQueue: true, maxRetriesPerRequest: 1 });
    listener.on('error', this.#onFault);
    listener.on('message', (channel: string, text: string) => {
      for (const read of this.#readers.get(channel) ?? []) read(chunkOf(text));
    });
    return (this.#listener = listener);
  }

  #send(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    const pipeline = this.#redis.pipeline();
    const channels = new Set<string>();
    for (const { channel, text, number } of batch) {
      channels.add(channel);
      if (number < STREAM_CHUNKS_KEPT) pipeline.rpush(channel, text);
      pipeline.publish(channel, text);
    }
    for (const channel of channels) pipeline.pexpire(channel, STREAM_KEPT_MS);
    pipeline.exec().catch(this.#onFault);
  }
}

const channelOf = ({ tenant, executionId }: StreamKey): string => `${PREFIX}${tenant}/${executionId}`;
const chunkOf = (text: string): TokenChunk => JSON.parse(text) as TokenChunk;
