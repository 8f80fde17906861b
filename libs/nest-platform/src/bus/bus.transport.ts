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
  #isListening = false;
  /** Suspending and resuming, one after the other. */
  #turns: Promise<void> = Promise.resolve();

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
    this.#isListening = true;
    this.#subscribe().then(
      () => callback(),
      (error: unknown) => callback(error),
    );
  }

  /**
   * Gives the partitions back without waiting for batches under way, which come again elsewhere: for a process that cannot do
   * its work for now. `resume` takes them up again; it rejects when the bus does not let it.
   */
  suspend(): Promise<void> {
    return this.#next(() => this.#abandon());
  }

  resume(): Promise<void> {
    return this.#next(async () => {
      if (!this.#isListening || this.#subscriptions.length > 0) return;
      try {
        await this.#subscribe();
      } catch (fault) {
        await this.#abandon();
        throw fault;
      }
    });
  }

  async #abandon(): Promise<void> {
    await Promise.all(this.#subscriptions.splice(0).map((subscription) => subscription.close({ abandon: true })));
  }

  #next(turn: () => Promise<void>): Promise<void> {
    const done = this.#turns.then(turn);
    this.#turns = done.catch(() => undefined);
    return done;
  }

  /** Stops taking messages and waits for the batches under way. */
  async close(): Promise<void> {
    this.#isListening = false;
    await this.#turns;
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
