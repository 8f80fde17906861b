export * from './config.js';
export { OrchestrationController } from './consume/orchestration.controller.js';
export { orchestrationMigrations } from './migrations/index.js';
export * from './orchestration.module.js';
export type { Workers } from './publish/workers.js';
