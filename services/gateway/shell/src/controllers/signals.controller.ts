import { Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { Context, Failure, OrchestrationPeer, RoutingPeer, SignalReceipt } from '@weft/contracts';
import { isUuid, refuse, Refused, type Json } from '@weft/kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import { readWholeEvent, type WholeEvent } from '../answer/read-event.js';
import { linksOf } from '../answer/views.js';
import type { KnownRequest } from '../http/key.guard.js';
import { ORCHESTRATION, ROUTING } from '../ports.js';

// An accepted execution begins within milliseconds; one that does not is answered by a refusal that may be retried.
const BEGINS_WITHIN_MS = 2_000;
const LOOK_MS = 50;

@Controller('v1')
export class SignalsController {
  constructor(
    @Inject(ORCHESTRATION) private readonly orchestration: OrchestrationPeer,
    @Inject(ROUTING) private readonly routing: RoutingPeer,
  ) {}

  /** Sends an event to one execution. 202 once it is durable: a listen took it, or it is kept for one that is not reached yet. */
  @Post('executions/:id/signals')
  @HttpCode(202)
  async signal(@Param('id') id: string, @Req() request: KnownRequest): Promise<object> {
    const event = readWholeEvent(request);
    const { duplicate } = await this.#signal(id, textOf(event), request.context);
    return { executionId: id, eventId: event.id, status: 'accepted', duplicate, links: linksOf(id) };
  }

  /** Sends an event to every execution that listens for it now. 202 once it is durable in all of them. */
  @Post('events')
  @HttpCode(202)
  async publish(@Req() request: KnownRequest): Promise<object> {
    const event = readWholeEvent(request);
    const { receipts } = await this.orchestration.publishEvents({ eventJson: [textOf(event)] }, request.context);
    const { taken, executionIds } = checked(receipts[0]);
    return { eventId: event.id, status: 'accepted', taken, executions: executionIds };
  }

  async #signal(executionId: string, eventJson: string, context: Context): Promise<SignalReceipt> {
    const ask = async (): Promise<SignalReceipt> => (await this.orchestration.signal({ events: [{ executionId, eventJson }] }, context)).receipts[0]!;
    let receipt = await ask();
    if (receipt.refusal?.code !== 'unknown-execution' || !isUuid(executionId)) return checked(receipt);
    // Accepted and not begun: the event must not be lost because it was quicker than the start. Of no such execution this refuses.
    await this.routing.getSelection({ executionId }, context);
    for (let waitedMs = 0; receipt.refusal?.code === 'unknown-execution' && waitedMs < BEGINS_WITHIN_MS; waitedMs += LOOK_MS) {
      await sleep(LOOK_MS);
      receipt = await ask();
    }
    if (receipt.refusal?.code === 'unknown-execution') refuse('unavailable', 'Expected an execution that has begun but it was only accepted yet.', { retryable: true, retryAfterMs: 1_000 });
    return checked(receipt);
  }
}

const textOf = ({ attributes, data }: WholeEvent): string => JSON.stringify({ ...attributes, data });

/** A receipt that refuses nothing. @throws Refused otherwise. */
function checked<R extends { readonly refusal?: Failure | undefined }>(receipt: R | undefined): R {
  if (!receipt) return refuse('internal', 'Expected a receipt of the event but there is none.');
  if (!receipt.refusal) return receipt;
  const { code, message, retryable, retryAfterMs, detailsJson } = receipt.refusal;
  throw new Refused({
    code,
    message,
    retryable,
    ...(retryAfterMs > 0 ? { retryAfterMs } : {}),
    ...(detailsJson === '' ? {} : { details: JSON.parse(detailsJson) as { readonly [key: string]: Json } }),
  });
}
