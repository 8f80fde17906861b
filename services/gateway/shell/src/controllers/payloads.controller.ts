import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import { refuse } from '@weft/kernel';
import type { Response } from 'express';
import type { KnownRequest } from '../http/key.guard.js';
import { PAYLOADS, type PayloadReader } from '../ports.js';

@Controller('v1/payloads')
export class PayloadsController {
  constructor(@Inject(PAYLOADS) private readonly payloads: PayloadReader) {}

  /** What an event's `dataref` points to, as JSON: readable by its tenant, for as long as payloads are kept. */
  @Get(':digest')
  async get(@Param('digest') digest: string, @Req() request: KnownRequest, @Res() response: Response): Promise<void> {
    const bytes = /^[0-9a-f]{64}$/.test(digest) ? await this.payloads.read(request.context.tenant, digest) : undefined;
    if (bytes === undefined) refuse('not-found', `Expected a payload of this tenant but ${JSON.stringify(digest.slice(0, 80))} is not one, or is kept no longer.`);
    // A digest never changes its meaning.
    response.set({ 'content-type': 'application/json', etag: `"${digest}"`, 'cache-control': 'private, max-age=3600, immutable' }).end(Buffer.from(bytes));
  }
}
