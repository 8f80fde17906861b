import type { ServiceMigrations } from '@weft/adapter-postgres';
import { ApiKeys1700000000001 } from './0001-api-keys.js';
import { KeyUsers1700000000030 } from './0030-key-users.js';

export const gatewayMigrations: ServiceMigrations = { service: 'gateway', migrations: [ApiKeys1700000000001, KeyUsers1700000000030] };
