import { Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { ToolsPeer } from '@weft/contracts';
import { refuse } from '@weft/kernel';
import { toolDetailView, toolView } from '../answer/tool-views.js';
import { bodyObject, checkStorable, onlyFields, textField } from '../http/body.js';
import type { KnownRequest } from '../http/key.guard.js';
import { pageOf, queryText } from '../http/query.js';
import { TOOLS } from '../ports.js';

@Controller('v1/tools')
export class ToolsController {
  constructor(@Inject(TOOLS) private readonly tools: ToolsPeer) {}

  /** Tools by name: `state`, `source`, `limit`, `cursor`. */
  @Get()
  async list(@Req() request: KnownRequest): Promise<object> {
    const asked = { ...pageOf(request), state: queryText(request, 'state'), source: queryText(request, 'source') };
    const { tools, nextCursor, problems } = await this.tools.listTools(asked, request.context);
    return { tools: tools.map(toolView), nextCursor, problems };
  }

  /** One tool: its definitions and what is different between the accepted and the offered one. */
  @Get(':name')
  async show(@Param('name') name: string, @Req() request: KnownRequest): Promise<object> {
    checkName(name);
    return toolDetailView(await this.tools.showTool({ name }, request.context));
  }

  /** Decides about the definition that is offered: {digest, outcome: accept or reject, reason?}. */
  @Post(':name/decide')
  @HttpCode(200)
  async decide(@Param('name') name: string, @Req() request: KnownRequest): Promise<object> {
    checkName(name);
    const body = bodyObject(request, 'a decision');
    onlyFields(body, ['digest', 'outcome', 'reason'], 'a decision');
    checkStorable(body, 'a decision');
    const decision = { name, digest: textField(body, 'digest'), outcome: textField(body, 'outcome'), reason: textField(body, 'reason', '') };
    return toolDetailView(await this.tools.decideTool(decision, request.context));
  }
}

function checkName(name: string): void {
  if (!/^[\x21-\x7e]{1,200}$/.test(name)) refuse('unknown-tool', 'Expected the name of a tool.');
}
