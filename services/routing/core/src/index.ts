export * from './select/match-condition.js';
export * from './select/rank-models.js';
export * from './select/select.js';
export * from './table/canonical-json.js';
export * from './table/read-route-table.js';
export * from './table/route-table.js';
