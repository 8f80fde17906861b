export * from './bus.suite.js';
export * from './history-store.suite.js';
export * from './limiter.suite.js';
export * from './memory-history-store.js';
export * from './memory-payload-store.js';
export * from './payload-store.suite.js';
export * from './server-under-test.js';
