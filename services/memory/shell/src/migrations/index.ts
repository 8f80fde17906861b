import type { ServiceMigrations } from '@weft/adapter-postgres';
import { Items1700000000001 } from './0001-items.js';

export const memoryMigrations: ServiceMigrations = { service: 'memory', migrations: [Items1700000000001] };
