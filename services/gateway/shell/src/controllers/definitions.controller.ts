import { Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import type { OrchestrationPeer } from '@weft/contracts';
import type { Response } from 'express';
import { definitionView, deployedView } from '../answer/views.js';
import { bodyText } from '../http/body.js';
import type { KnownRequest } from '../http/key.guard.js';
import { pageOf } from '../http/query.js';
import { refuse } from '@weft/kernel';
import { ORCHESTRATION } from '../ports.js';

@Controller('v1/definitions')
export class DefinitionsController {
  constructor(@Inject(ORCHESTRATION) private readonly orchestration: OrchestrationPeer) {}

  /** Deploys the workflow in the body (YAML or JSON): 201 when it is a new version, 200 when it was there already. */
  @Post()
  async deploy(@Req() request: KnownRequest, @Res({ passthrough: true }) response: Response): Promise<object> {
    const text = bodyText(request, 'a workflow document (YAML or JSON)');
    if (text.includes('\u0000')) refuse('workflow-syntax', `Expected a workflow document (YAML or JSON) but it has a NUL character at position ${text.indexOf('\u0000')}.`);
    const definition = await this.orchestration.deploy({ text }, request.context);
    response.status(definition.created ? 201 : 200);
    return deployedView(definition);
  }

  /** Definition versions of the tenant, the newest first. */
  @Get()
  async list(@Req() request: KnownRequest): Promise<object> {
    const { definitions, nextCursor } = await this.orchestration.listDefinitions(pageOf(request), request.context);
    return { definitions: definitions.map(definitionView), nextCursor };
  }
}
