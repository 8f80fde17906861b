export { validationConfig } from './config.js';
export { VALIDATION_WORKER } from './consume/worker.controller.js';
export { validationMigrations } from './migrations/index.js';
export { ValidationModule, type ValidationPorts } from './validation.module.js';
