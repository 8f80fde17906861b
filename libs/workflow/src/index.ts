export * from './canonical.js';
export * from './document.js';
export * from './duration.js';
export * from './error-type.js';
export * from './functions.js';
export * from './parse.js';
export * from './schema-problem.js';
