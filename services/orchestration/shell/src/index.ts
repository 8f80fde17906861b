export * from './config.js';
export { OrchestrationController } from './consume/orchestration.controller.js';
export { SkippingClock } from './consume/time-skipper.js';
export { orchestrationMigrations } from './migrations/index.js';
export * from './orchestration.module.js';
export { EndedExecutions, FIRST_PLACE, type EndedExecution, type EndedMember, type HistoryPartition, type RetirePlace } from './retire/ended-executions.js';
export type { Workers } from './publish/workers.js';
