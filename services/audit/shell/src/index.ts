export { AUDIT_PEER, AuditModule, type AuditPorts } from './audit.module.js';
export { auditProcess, auditSettings, type AuditConfig } from './config.js';
export { AuditController } from './consume/audit.controller.js';
export { auditMigrations } from './migrations/index.js';
