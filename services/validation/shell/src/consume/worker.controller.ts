// The Worker service of validation, over gRPC and in process.
import { Inject } from '@nestjs/common';
import { WorkerService, type CommandBatch, type Context, type JobBatch, type WorkerPeer } from '@weft/contracts';
import { PeerController } from '@weft/nest-platform';

/** Token of the worker of this process. */
export const VALIDATION_WORKER = Symbol('weft.validation.worker');
/** Token of the same worker as calls over the wire reach it. */
export const VALIDATION_WIRE_WORKER = Symbol('weft.validation.wire-worker');

@PeerController(WorkerService, 'validation')
export class WorkerController implements WorkerPeer {
  constructor(@Inject(VALIDATION_WIRE_WORKER) private readonly worker: WorkerPeer) {}

  carryOut(batch: JobBatch, context: Context): AsyncIterable<CommandBatch> {
    return this.worker.carryOut(batch, context);
  }
}
