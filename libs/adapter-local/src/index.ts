export * from './local-bus.js';
export * from './local-limiter.js';
export * from './local-stream.js';
export * from './local-slots.js';
