// Nest's transport over the Bus port. The stock Kafka transport cannot hand over batches.
import type { CustomTransportStrategy, MessageHandler } from '@nestjs/microservices';
import { Server } from '@nestjs/microservices';
import type { Delivery } from '@weft/contracts';
import { Defect, invariant } from '@weft/kernel';
import type { Bus, Subscription } from '@weft/pipeline';
import { isObservable, lastValueFrom } from 'rxjs';
import { BUS_TRANSPORT, type TopicOptions } from './on-topic.js';

export interface BusTransportOptions {
  /** The topics behind a declared one, such as those of all tenants. Default: the topic itself. */
  readonly topicsOf?: (topic: string) => readonly string[];
}

interface Handler {
  readonly topic: string;
  readonly options: TopicOptions;
  readonly handle: MessageHandler;
}

/**
 * Feeds batches of a bus to methods with `@OnTopic`. It subscribes when the application starts its microservices and
 * leaves the bus itself open when it closes: whoever made the bus closes it.
 */
export class BusTransport extends Server implements CustomTransportStrategy {
  override transportId = BUS_TRANSPORT;
  override propagatesEventHandlerErrors = true;
  readonly #handlers: Handler[] = [];
  readonly #subscriptions: Subscription[] = [];

  constructor(
    private readonly bus: Bus,
    private readonly transportOptions: BusTransportOptions = {},
  ) {
    super();
  }

  // Nest chains handlers of one topic behind each other; here each has its own group and therefore its own subscription.
  override addHandler(pattern: unknown, handle: MessageHandler, isEventHandler = false, extras: Record<string, unknown> = {}): void {
    invariant(isEventHandler && typeof pattern === 'string', `a handler of the bus is declared with @OnTopic, not for ${JSON.stringify(pattern)}`);
    invariant(typeof extras['group'] === 'string' && extras['group'] !== '', `the handler of ${pattern} names its group`);
    const { group, from } = extras as unknown as TopicOptions;
    this.#handlers.push({ topic: pattern, options: { group, ...(from === undefined ? {} : { from }) }, handle });
  }

  listen(callback: (error?: unknown) => void): void {
    this.#subscribe().then(
      () => callback(),
      (error: unknown) => callback(error),
    );
  }

  /** Stops taking messages and waits for the batches under way. */
  async close(): Promise<void> {
    await Promise.all(this.#subscriptions.splice(0).map((subscription) => subscription.close()));
  }

  on(): never {
    throw new Defect('the bus transport has no events of its own');
  }

  unwrap<T>(): T {
    return this.bus as T;
  }

  async #subscribe(): Promise<void> {
    for (const { topic, options, handle } of this.#handlers) {
      for (const name of this.transportOptions.topicsOf?.(topic) ?? [topic]) {
        this.#subscriptions.push(await this.bus.subscribe({ topic: name, ...options, handle: (batch) => deliver(handle, batch) }));
      }
    }
  }
}

async function deliver(handle: MessageHandler, batch: readonly Delivery[]): Promise<void> {
  const answer: unknown = await handle(batch);
  // A fault comes back as an observable that fails: waiting for it is what makes the bus deliver again.
  if (isObservable(answer)) await lastValueFrom(answer, { defaultValue: undefined });
}
