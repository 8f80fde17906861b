export * from './names.js';
export * from './span.js';
export * from './trace-context.js';
