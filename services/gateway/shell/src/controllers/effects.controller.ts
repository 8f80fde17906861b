import { Controller, Get, Inject, Param, Req } from '@nestjs/common';
import type { ToolsPeer } from '@weft/contracts';
import { refuse } from '@weft/kernel';
import { effectDetailView, effectView } from '../answer/tool-views.js';
import type { KnownRequest } from '../http/key.guard.js';
import { pageOf, queryText } from '../http/query.js';
import { TOOLS } from '../ports.js';

@Controller('v1/effects')
export class EffectsController {
  constructor(@Inject(TOOLS) private readonly tools: ToolsPeer) {}

  /** Effects of the tenant, the newest first: `state`, `execution`, `tool`, `limit`, `cursor`. */
  @Get()
  async list(@Req() request: KnownRequest): Promise<object> {
    const asked = { ...pageOf(request), state: queryText(request, 'state'), executionId: queryText(request, 'execution'), tool: queryText(request, 'tool') };
    const { effects, nextCursor } = await this.tools.listEffects(asked, request.context);
    return { effects: effects.map(effectView), nextCursor };
  }

  /** One effect by its idempotency key: every decision about it, what was asked for and what was answered. */
  @Get(':key')
  async show(@Param('key') key: string, @Req() request: KnownRequest): Promise<object> {
    if (/[\u0000-\u001f\u007f]/.test(key)) refuse('unknown-effect', 'Expected the idempotency key of an effect of this tenant.');
    return effectDetailView(await this.tools.showEffect({ key }, request.context));
  }
}
