// The composition of validation: the only file where its ports meet its parts.
import { Module, type DynamicModule } from '@nestjs/common';
import type { Pool } from '@weft/adapter-postgres';
import { HealthChecks } from '@weft/nest-platform';
import { systemClock, type Clock } from '@weft/pipeline';
import { VALIDATION_WORKER, WorkerController } from './consume/worker.controller.js';
import { ValidationWorker } from './handle/validation-worker.js';
import { VerdictStore } from './persist/verdict.store.js';
import { SchemaChecks } from './schema/schema-checks.js';

/** What validation runs on. Whoever hands it in closes it. */
export interface ValidationPorts {
  /** Of validation's engine role: records verdicts for all tenants. */
  readonly enginePool: Pool;
  /** Default: the system's. */
  readonly clock?: Clock;
}

const HEALTH = Symbol('weft.validation.health');

@Module({})
export class ValidationModule {
  /** Validation on ports that exist already. It exports the worker of its process under `VALIDATION_WORKER`. */
  static forRoot({ enginePool, clock = systemClock }: ValidationPorts): DynamicModule {
    return {
      module: ValidationModule,
      controllers: [WorkerController],
      providers: [
        { provide: VALIDATION_WORKER, useFactory: () => new ValidationWorker(new VerdictStore(enginePool), new SchemaChecks(), clock) },
        { provide: HEALTH, inject: [HealthChecks], useFactory: (health: HealthChecks) => health.register('validation store', async () => void (await enginePool.query('select 1'))) },
      ],
      exports: [VALIDATION_WORKER],
    };
  }
}
