export * from './bus.js';
export * from './clock.js';
export * from './fault.js';
export * from './handle-batch.js';
export * from './history-store.js';
export * from './lanes.js';
export * from './limiter.js';
export * from './state-cache.js';
