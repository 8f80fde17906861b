export * from './redis-connection.js';
export * from './redis-limiter.js';
export * from './redis-stream.js';
export * from './redis-slots.js';
