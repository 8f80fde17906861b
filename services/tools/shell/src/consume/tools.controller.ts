// The Tools service, in process and over gRPC.
import { Inject } from '@nestjs/common';
import {
  ToolsService,
  type Context,
  type DecideToolRequest,
  type EffectDetail,
  type EffectPage,
  type ListEffectsRequest,
  type ListToolsRequest,
  type ResolvedResources,
  type ResolveResourcesRequest,
  type ShowEffectRequest,
  type ShowToolRequest,
  type ToolDetail,
  type ToolPage,
  type ToolsPeer,
} from '@weft/contracts';
import { PeerController } from '@weft/nest-platform';

/** Token of the tools of this process as people see them: a `ToolsPeer` that may be called in process. */
export const TOOLS_PEER = Symbol('weft.tools.tools');

@PeerController(ToolsService, 'tools')
export class ToolsController implements ToolsPeer {
  constructor(@Inject(TOOLS_PEER) private readonly tools: ToolsPeer) {}

  listTools(request: ListToolsRequest, context: Context): Promise<ToolPage> {
    return this.tools.listTools(request, context);
  }

  showTool(request: ShowToolRequest, context: Context): Promise<ToolDetail> {
    return this.tools.showTool(request, context);
  }

  decideTool(request: DecideToolRequest, context: Context): Promise<ToolDetail> {
    return this.tools.decideTool(request, context);
  }

  listEffects(request: ListEffectsRequest, context: Context): Promise<EffectPage> {
    return this.tools.listEffects(request, context);
  }

  showEffect(request: ShowEffectRequest, context: Context): Promise<EffectDetail> {
    return this.tools.showEffect(request, context);
  }

  resolveResources(request: ResolveResourcesRequest, context: Context): Promise<ResolvedResources> {
    return this.tools.resolveResources(request, context);
  }
}
