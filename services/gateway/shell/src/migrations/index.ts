import type { ServiceMigrations } from '@weft/adapter-postgres';
import { ApiKeys1700000000001 } from './0001-api-keys.js';

export const gatewayMigrations: ServiceMigrations = { service: 'gateway', migrations: [ApiKeys1700000000001] };
