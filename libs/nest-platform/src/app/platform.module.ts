import { Global, Module } from '@nestjs/common';
import { HealthChecks } from '../health/health-checks.js';
import { HealthController } from '../health/health.controller.js';
import { Intake } from './intake.js';
import { Shutdown } from './shutdown.js';

/** What every application has once, however many services it is composed of: health checks, when work is taken in, the order of shutdown. */
@Global()
@Module({ controllers: [HealthController], providers: [HealthChecks, Intake, Shutdown], exports: [HealthChecks, Intake, Shutdown] })
export class PlatformModule {}
