export * from './bus.suite.js';
export * from './limiter.suite.js';
export * from './server-under-test.js';
