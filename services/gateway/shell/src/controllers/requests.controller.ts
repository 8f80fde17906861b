import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import type { Accepted, RoutingPeer } from '@weft/contracts';
import { failpoint } from '@weft/pipeline';
import { traceIdOf } from '@weft/telemetry';
import type { Response } from 'express';
import { leaving } from '../answer/leaving.js';
import { preferredWaitS, readEvent } from '../answer/read-event.js';
import { ResultWaiter } from '../answer/result-waiter.js';
import { linksOf, routeView } from '../answer/views.js';
import { leaveCrowd } from '../http/crowd.js';
import type { KnownRequest } from '../http/key.guard.js';
import type { GatewaySettings } from '../config.js';
import { ROUTING, SETTINGS } from '../ports.js';

@Controller('v1/requests')
export class RequestsController {
  constructor(
    @Inject(ROUTING) private readonly routing: RoutingPeer,
    @Inject(ResultWaiter) private readonly results: ResultWaiter,
    @Inject(SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  /**
   * Publishes a request. 202 once it is durable; with `Prefer: wait=N`, 200 with how its execution ended, or 202 when N seconds
   * were not enough, or too many wait already. The same event again is answered by the first one's execution.
   */
  @Post()
  async publish(@Req() request: KnownRequest, @Res({ passthrough: true }) response: Response): Promise<object> {
    const event = readEvent(request, this.settings.WEFT_REQUEST_BYTES_MAX);
    const context = { ...request.context, purpose: event.type };
    failpoint('gateway.accept', 'before');
    const accepted = await this.routing.accept(event, context);
    failpoint('gateway.accept', 'after');
    leaveCrowd(response);
    response.location(linksOf(accepted.executionId).self);
    const receipt = receiptOf(event.id, accepted, context.traceparent);
    const waitS = preferredWaitS(request.get('prefer'));
    if (waitS !== undefined && waitS > 0 && this.results.hasRoom) {
      response.setHeader('Preference-Applied', `wait=${waitS}`);
      const outcome = await this.results.wait(accepted.executionId, context, waitS * 1000, leaving(response));
      if (outcome) {
        response.status(200);
        return { ...receipt, ...outcome };
      }
    }
    response.status(202);
    return receipt;
  }
}

function receiptOf(requestId: string, { executionId, duplicate, selection }: Accepted, traceparent: string) {
  return { executionId, requestId, status: 'accepted', duplicate, traceId: traceIdOf(traceparent) ?? '', route: selection ? routeView(selection) : null, links: linksOf(executionId) };
}
