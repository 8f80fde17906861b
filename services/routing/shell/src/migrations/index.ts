import type { ServiceMigrations } from '@weft/adapter-postgres';
import { Requests1700000000001 } from './0001-requests.js';

export const routingMigrations: ServiceMigrations = { service: 'routing', migrations: [Requests1700000000001] };
