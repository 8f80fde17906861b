// The composition of memory: the only file where its ports meet its parts.
import { Inject, Module, type DynamicModule } from '@nestjs/common';
import type { Pool } from '@weft/adapter-postgres';
import { HealthChecks } from '@weft/nest-platform';
import { claimRedeemingWorker, systemClock, type Clock, type PayloadStore } from '@weft/pipeline';
import { MemoryWorker } from './carry-out/memory.worker.js';
import { MEMORY_WIRE_WORKER, MEMORY_WORKER, WorkerController } from './consume/worker.controller.js';
import { ItemStore } from './persist/item.store.js';

/** What memory runs on. Whoever hands it in closes it. */
export interface MemoryPorts {
  /** Of memory's engine role. */
  readonly enginePool: Pool;
  /** Where large texts of jobs and results lie that come over the wire. Without it calls carry all. */
  readonly payloads?: PayloadStore;
  /** Patterns of scopes whose items are private data. Default: none. */
  readonly privateScopes?: readonly string[];
  /** Default: the system's. */
  readonly clock?: Clock;
}

const POOL = Symbol('weft.memory.pool');

@Module({})
export class MemoryModule {
  constructor(@Inject(POOL) pool: Pool, @Inject(HealthChecks) health: HealthChecks) {
    health.register('memory store', async () => void (await pool.query('select 1')));
  }

  /** Memory on ports that exist already. It exports the worker of its process under `MEMORY_WORKER`. */
  static forRoot({ enginePool, payloads, privateScopes = [], clock = systemClock }: MemoryPorts): DynamicModule {
    return {
      module: MemoryModule,
      controllers: [WorkerController],
      providers: [
        { provide: POOL, useFactory: () => enginePool },
        { provide: MEMORY_WORKER, useFactory: () => new MemoryWorker(new ItemStore(enginePool), clock, privateScopes) },
        { provide: MEMORY_WIRE_WORKER, inject: [MEMORY_WORKER], useFactory: (worker: MemoryWorker) => (payloads ? claimRedeemingWorker(worker, payloads) : worker) },
      ],
      exports: [MEMORY_WORKER],
    };
  }
}
