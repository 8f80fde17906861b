// The Worker service of tools, over gRPC.
import { Inject } from '@nestjs/common';
import { WorkerService, type CommandBatch, type Context, type JobBatch, type WorkerPeer } from '@weft/contracts';
import { PeerController } from '@weft/nest-platform';

/** Token of the worker of this process: a `WorkerPeer` that may be called in process. */
export const TOOLS_WORKER = Symbol('weft.tools.worker');
/** Token of the same worker as calls over the wire reach it. */
export const TOOLS_WIRE_WORKER = Symbol('weft.tools.wire-worker');

@PeerController(WorkerService, 'tools')
export class WorkerController implements WorkerPeer {
  constructor(@Inject(TOOLS_WIRE_WORKER) private readonly worker: WorkerPeer) {}

  carryOut(batch: JobBatch, context: Context): AsyncIterable<CommandBatch> {
    return this.worker.carryOut(batch, context);
  }
}
