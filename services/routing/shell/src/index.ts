export { routingConfig, routingSettings, type RoutingSettings } from './config.js';
export { RoutingController } from './consume/routing.controller.js';
export { routingMigrations } from './migrations/index.js';
export { ROUTING_PEER, RoutingModule, type RoutingModuleOptions, type RoutingPorts } from './routing.module.js';
export { loadRouteTable, parseRouteTable, versioned, type VersionedTable } from './table/load-route-table.js';
