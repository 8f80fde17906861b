export * from './commit-row.js';
export * from './log-edge.js';
export * from './proof-tiles.js';
