// Messages of one subscription, as far as they fit and are bounded.
import { compile } from '@weft/jq';
import { rejection, type Failure, type Json } from '@weft/kernel';
import type { AsyncApiSubscription, InboundMessage } from '@weft/tools/core';

const MESSAGES_MAX = 1_000;
const BYTES_MAX = 1024 * 1024;
/** A batch that is this long is enough for one job; what it takes beyond is at most one message. */
const BATCH_BYTES = 256 * 1024;

export class InboundMessages {
  readonly messages: InboundMessage[] = [];
  /** Why collecting ended with nothing to show for it. */
  failure: Failure | undefined;
  #bytes = 0;
  readonly #fits: (message: InboundMessage) => boolean;

  /** @param now what `now` is in the filter, milliseconds since the Unix epoch. */
  constructor(
    private readonly subscription: AsyncApiSubscription,
    now: number,
  ) {
    this.#fits = this.#filter(now);
  }

  /** Takes a message that fits. @returns whether it was the last one. */
  readonly take = ({ value, headers }: { readonly value: Buffer; readonly headers: { readonly [name: string]: string } }): boolean => {
    const { correlationId = headers['correlation-id'] } = headers;
    const message: InboundMessage = { payload: payloadOf(value), headers, ...(correlationId === undefined ? {} : { correlationId }) };
    if (!this.#fits(message)) return this.failure !== undefined;
    this.#bytes += value.length;
    this.failure = this.#tooLong(value.length);
    if (!this.failure) this.messages.push(message);
    const { amount = MESSAGES_MAX, batch } = this.subscription;
    return this.failure !== undefined || this.messages.length >= amount || (batch !== undefined && this.#bytes >= BATCH_BYTES);
  };

  #tooLong(bytes: number): Failure | undefined {
    if (this.subscription.batch) {
      const bytesMax = BYTES_MAX - BATCH_BYTES;
      return bytes > bytesMax ? rejection('output-invalid', `Expected messages of at most ${bytesMax} bytes but one has ${bytes}.`) : undefined;
    }
    return this.#bytes > BYTES_MAX ? rejection('output-invalid', `Expected at most ${BYTES_MAX} bytes of messages but there are more.`) : undefined;
  }

  #filter(now: number): (message: InboundMessage) => boolean {
    const { filter } = this.subscription;
    if (!filter) return () => true;
    const compiled = compile(filter.expression, { variables: Object.keys(filter.variables) });
    if (!compiled.ok) {
      this.failure = rejection('input-invalid', `Expected a filter that can be evaluated but ${compiled.failure.message}`);
      return () => false;
    }
    return (message) => {
      const found = compiled.expression.first(message as unknown as Json, filter.variables, { now });
      // What a filter fails on does not fit, as for events.
      return found.ok && found.value === true;
    };
  }
}

function payloadOf(value: Buffer): Json {
  const text = value.toString('utf8').replaceAll('\u0000', '\uFFFD');
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
