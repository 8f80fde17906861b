// The composition of validation: the only file where its ports meet its parts.
import { Inject, Module, type DynamicModule } from '@nestjs/common';
import type { Pool } from '@weft/adapter-postgres';
import { HealthChecks } from '@weft/nest-platform';
import { claimRedeemingWorker, systemClock, type Clock, type PayloadStore } from '@weft/pipeline';
import { ValidationWorker } from './carry-out/validation.worker.js';
import { VALIDATION_WIRE_WORKER, VALIDATION_WORKER, WorkerController } from './consume/worker.controller.js';
import { SchemaChecker } from './carry-out/schema-checker.js';
import { VerdictStore } from './persist/verdict.store.js';

/** What validation runs on. Whoever hands it in closes it. */
export interface ValidationPorts {
  /** Of validation's engine role. */
  readonly enginePool: Pool;
  /** Where large texts of jobs and results lie that come over the wire. Without it calls carry all. */
  readonly payloads?: PayloadStore;
  /** Default: the system's. */
  readonly clock?: Clock;
}

const POOL = Symbol('weft.validation.pool');

@Module({})
export class ValidationModule {
  constructor(@Inject(POOL) pool: Pool, @Inject(HealthChecks) health: HealthChecks) {
    health.register('validation store', async () => void (await pool.query('select 1')));
  }

  /** Validation on ports that exist already. It exports the worker of its process under `VALIDATION_WORKER`. */
  static forRoot({ enginePool, payloads, clock = systemClock }: ValidationPorts): DynamicModule {
    return {
      module: ValidationModule,
      controllers: [WorkerController],
      providers: [
        { provide: POOL, useFactory: () => enginePool },
        { provide: VALIDATION_WORKER, useFactory: () => new ValidationWorker(new SchemaChecker(), new VerdictStore(enginePool), clock) },
        { provide: VALIDATION_WIRE_WORKER, inject: [VALIDATION_WORKER], useFactory: (worker: ValidationWorker) => (payloads ? claimRedeemingWorker(worker, payloads) : worker) },
      ],
      exports: [VALIDATION_WORKER],
    };
  }
}
