import type { ServiceMigrations } from '@weft/adapter-postgres';
import { Log1700000000001 } from './0001-log.js';

export const auditMigrations: ServiceMigrations = { service: 'audit', migrations: [Log1700000000001] };
