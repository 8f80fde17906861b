export * from './compose.js';
export * from './config.js';
export { migrateStore, openStore, type OpenedStore } from './store.js';
