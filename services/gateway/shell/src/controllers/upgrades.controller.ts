import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { OrchestrationPeer } from '@weft/contracts';
import { idempotencyKey } from '../answer/read-event.js';
import { upgradeView } from '../answer/upgrade-view.js';
import { bodyObject, checkStorable } from '../http/body.js';
import type { KnownRequest } from '../http/key.guard.js';
import { upgradeOf } from '../http/upgrade-request.js';
import { ORCHESTRATION } from '../ports.js';

@Controller('v1/upgrades')
export class UpgradesController {
  constructor(@Inject(ORCHESTRATION) private readonly orchestration: OrchestrationPeer) {}

  /**
   * Which executions could not go on under another version: {text}, a document that need not be deployed. Or takes them over:
   * {workflow, to, from?, map?, execution?, reason?, id?}; with `dryRun` it only tells. A page of executions a call, from `cursor`.
   */
  @Post()
  @HttpCode(200)
  async upgrade(@Req() request: KnownRequest): Promise<object> {
    const body = bodyObject(request, 'an upgrade');
    checkStorable(body, 'an upgrade');
    return upgradeView(await this.orchestration.upgrade(upgradeOf(body, idempotencyKey(request)), request.context));
  }
}
