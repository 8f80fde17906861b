export { toolsConfig, toolsSettings, type ToolsSettings } from './config.js';
export { PERMISSIONS_PEER } from './consume/permissions.controller.js';
export { TOOLS_WORKER } from './consume/worker.controller.js';
export { toolsMigrations } from './migrations/index.js';
export { readPoliciesFile } from './permission/policy-set.js';
export { FileInvalid, NO_DECLARATIONS, parseDeclarations, parseGrants, parseTools, readGrantsFile, readToolsFile } from './registry/files.js';
export { environmentSecrets, type Secrets } from './secret/secrets.js';
export { ToolsModule, toolsParts, type ToolsModuleOptions, type ToolsPorts } from './tools.module.js';
export { readWebhooksFile } from './webhook/webhook.file.js';
