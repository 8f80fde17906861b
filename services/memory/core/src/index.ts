export * from './requests.js';
export * from './trust.js';
