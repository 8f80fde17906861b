// The Worker service of tools, over gRPC.
import { Inject } from '@nestjs/common';
import { WorkerService, type CommandBatch, type Context, type JobBatch, type WorkerPeer } from '@weft/contracts';
import { PeerController } from '@weft/nest-platform';
import type { ToolsWorker } from '../carry-out/worker.js';

/** Token of the worker of this process: a `WorkerPeer` that may be called in process. */
export const TOOLS_WORKER = Symbol('weft.tools.worker');

@PeerController(WorkerService, 'tools')
export class WorkerController implements WorkerPeer {
  constructor(@Inject(TOOLS_WORKER) private readonly worker: ToolsWorker) {}

  carryOut(batch: JobBatch, context: Context): AsyncIterable<CommandBatch> {
    return this.worker.carryOut(batch, context);
  }
}
