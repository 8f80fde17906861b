// The Worker service of memory, over gRPC and in process.
import { Inject } from '@nestjs/common';
import { WorkerService, type CommandBatch, type Context, type JobBatch, type WorkerPeer } from '@weft/contracts';
import { PeerController } from '@weft/nest-platform';

/** Token of the worker of this process. */
export const MEMORY_WORKER = Symbol('weft.memory.worker');
/** Token of the same worker as calls over the wire reach it. */
export const MEMORY_WIRE_WORKER = Symbol('weft.memory.wire-worker');

@PeerController(WorkerService, 'memory')
export class WorkerController implements WorkerPeer {
  constructor(@Inject(MEMORY_WIRE_WORKER) private readonly worker: WorkerPeer) {}

  carryOut(batch: JobBatch, context: Context): AsyncIterable<CommandBatch> {
    return this.worker.carryOut(batch, context);
  }
}
