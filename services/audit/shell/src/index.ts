export { AUDIT_PEER, AuditModule, type AuditPorts } from './audit.module.js';
export { auditProcess, auditSettings, type AuditConfig } from './config.js';
export { AuditController } from './consume/audit.controller.js';
export { verifierKeyOf } from './keys/log-signer.js';
export { servicesWithCommits } from './persist/commit-tables.js';
export { ExecutionProofs } from './query/execution-proofs.js';
export { auditMigrations } from './migrations/index.js';
