// The Worker service of validation, over gRPC and in process.
import { Inject } from '@nestjs/common';
import { WorkerService, type CommandBatch, type JobBatch, type WorkerPeer } from '@weft/contracts';
import { PeerController } from '@weft/nest-platform';
import type { ValidationWorker } from '../carry-out/validation.worker.js';

/** Token of the worker of this process. */
export const VALIDATION_WORKER = Symbol('weft.validation.worker');

@PeerController(WorkerService, 'validation')
export class WorkerController implements WorkerPeer {
  constructor(@Inject(VALIDATION_WORKER) private readonly worker: ValidationWorker) {}

  carryOut(batch: JobBatch): AsyncIterable<CommandBatch> {
    return this.worker.carryOut(batch);
  }
}
