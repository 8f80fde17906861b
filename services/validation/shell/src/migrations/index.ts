import type { ServiceMigrations } from '@weft/adapter-postgres';
import { Verdicts1700000000001 } from './0001-verdicts.js';

export const validationMigrations: ServiceMigrations = { service: 'validation', migrations: [Verdicts1700000000001] };
