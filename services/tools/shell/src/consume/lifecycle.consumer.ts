// weft.lifecycle: what webhooks are told of. The offset moves when the messages are in their rows.
import type { Delivery, Envelope, LifecycleBody } from '@weft/contracts';
import { isToldOf, type Webhook } from '@weft/tools/core';
import type { WebhookMessage } from '../webhook/webhook.store.js';

/** Topic group of those who tell webhooks. */
export const WEBHOOKS_GROUP = 'tools-webhooks';

export class LifecycleConsumer {
  constructor(
    private readonly webhooks: readonly Webhook[],
    private readonly tell: (messages: readonly WebhookMessage[]) => Promise<void>,
  ) {}

  /** Takes a batch. What cannot be read tells nobody. */
  async handle(batch: readonly Delivery[]): Promise<void> {
    const messages = batch.flatMap((delivery) => (delivery.ok ? this.#messagesOf(delivery.envelope as Envelope<LifecycleBody>) : []));
    await this.tell(messages);
  }

  #messagesOf(envelope: Envelope<LifecycleBody>): readonly WebhookMessage[] {
    const { tenant } = envelope.context;
    const told = { tenant, type: envelope.type, data: envelope.body?.data };
    const receivers = this.webhooks.filter((webhook) => isToldOf(webhook, told));
    if (receivers.length === 0) return [];
    const body = JSON.stringify(cloudEventOf(envelope));
    return receivers.map(({ name }) => ({ tenant, webhook: name, id: idOf(envelope), body }));
  }
}

/** Ids of emitted events are unique with their source alone. */
const idOf = ({ id, source, body }: Envelope<LifecycleBody>): string => (body?.event === undefined ? id : `${source} ${id}`);

/** The event in structured mode, with what it is about in `data`. */
function cloudEventOf({ id, source, type, subject, time, context, body }: Envelope<LifecycleBody>): object {
  const { executionId, requestId, workflow, data, event: _event, ...standard } = body;
  return {
    specversion: '1.0',
    id,
    source,
    type,
    ...(subject === undefined ? {} : { subject }),
    ...(time === undefined ? {} : { time: new Date(time).toISOString() }),
    datacontenttype: 'application/json',
    wefttenant: context.tenant,
    data: { ...standard, executionId, requestId, workflow, ...(typeof data === 'object' && data !== null && !Array.isArray(data) ? data : data === undefined ? {} : { value: data }) },
  };
}
