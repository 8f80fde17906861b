export * from './redis-connection.js';
export * from './redis-limiter.js';
