export * from './eventually.js';
export * from './fixed-clock.js';
export * from './given.js';
export * from './model-script.js';
export * from './model-server.js';
export * from './read-model-script.js';
export * from './seeded-random.js';
