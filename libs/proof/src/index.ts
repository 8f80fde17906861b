export * from './archive.js';
export * from './commit-leaf.js';
export * from './commit-parts.js';
export * from './decision-proof.js';
export * from './member-digest.js';
