export * from './decider.js';
export * from './failure.js';
export * from './ids.js';
export * from './instant.js';
export * from './json.js';
export * from './name-pattern.js';
export * from './retry-policy.js';
