import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { RoutingPeer } from '@weft/contracts';
import { Refused } from '@weft/kernel';
import type { TokenStream } from '@weft/pipeline';
import type { Response } from 'express';
import { leaving } from '../answer/leaving.js';
import { ResultWaiter } from '../answer/result-waiter.js';
import { streamTokens } from '../answer/stream-tokens.js';
import type { KnownRequest } from '../http/key.guard.js';
import { ROUTING, TOKENS } from '../ports.js';

/** Longest stream, milliseconds: whoever reads on comes back. */
const STREAM_MAX_MS = 3_600_000;

@Controller('v1/executions')
export class TokensController {
  constructor(
    @Inject(ROUTING) private readonly routing: RoutingPeer,
    @Inject(TOKENS) private readonly tokens: TokenStream,
    @Inject(ResultWaiter) private readonly results: ResultWaiter,
  ) {}

  /** What the models of an execution say, while they say it. Lossy; what counts is in the timeline. */
  @Get(':id/tokens')
  async stream(@Param('id') executionId: string, @Req() request: KnownRequest, @Res() response: Response): Promise<void> {
    const { context } = request;
    // Asked before the stream begins: an execution that is not this tenant's is answered by 404.
    await this.routing.getSelection({ executionId }, context);
    if (!this.results.hasRoom) throw new Refused(this.results.refusal());
    const outcome = this.results.wait(executionId, context, STREAM_MAX_MS, leaving(response));
    await streamTokens(response, { executionId, outcome, subscribe: (onChunk) => this.tokens.subscribe({ tenant: context.tenant, executionId }, onChunk) });
  }
}
