// The Worker service of memory, over gRPC and in process.
import { Inject } from '@nestjs/common';
import { WorkerService, type CommandBatch, type JobBatch, type WorkerPeer } from '@weft/contracts';
import { PeerController } from '@weft/nest-platform';
import type { MemoryWorker } from '../carry-out/memory.worker.js';

/** Token of the worker of this process. */
export const MEMORY_WORKER = Symbol('weft.memory.worker');

@PeerController(WorkerService, 'memory')
export class WorkerController implements WorkerPeer {
  constructor(@Inject(MEMORY_WORKER) private readonly worker: MemoryWorker) {}

  carryOut(batch: JobBatch): AsyncIterable<CommandBatch> {
    return this.worker.carryOut(batch);
  }
}
