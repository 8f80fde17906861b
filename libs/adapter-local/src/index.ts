export * from './local-bus.js';
export * from './local-limiter.js';
