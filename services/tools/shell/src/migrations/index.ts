import type { ServiceMigrations } from '@weft/adapter-postgres';
import { Effects1700000000001 } from './0001-effects.js';

export const toolsMigrations: ServiceMigrations = { service: 'tools', migrations: [Effects1700000000001] };
