import { Global, Module } from '@nestjs/common';
import { HealthChecks } from '../health/health-checks.js';
import { HealthController } from '../health/health.controller.js';
import { Shutdown } from './shutdown.js';

/** What every application has once, however many services it is composed of: health checks and the order of shutdown. */
@Global()
@Module({ controllers: [HealthController], providers: [HealthChecks, Shutdown], exports: [HealthChecks, Shutdown] })
export class PlatformModule {}
