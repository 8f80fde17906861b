export { memoryConfig, memorySettings } from './config.js';
export { MEMORY_WORKER } from './consume/worker.controller.js';
export { MemoryModule, type MemoryPorts } from './memory.module.js';
export { memoryMigrations } from './migrations/index.js';
