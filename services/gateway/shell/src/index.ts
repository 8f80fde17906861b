export { gatewayConfig, gatewaySettings, type GatewaySettings } from './config.js';
export { CHAT_TYPE } from './controllers/chat.controller.js';
export { boundCrowd } from './http/crowd.js';
export { GatewayModule, type GatewayModuleOptions } from './gateway.module.js';
export { createApiKey, hasApiKey, revokeApiKey, type CreatedKey } from './keys/api-key.store.js';
export { gatewayMigrations } from './migrations/index.js';
export type { GatewayPorts } from './ports.js';
export { readExposedTools, type ExposedTool } from './mcp/exposed-tools.js';
