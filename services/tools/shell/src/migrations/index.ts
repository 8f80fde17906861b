import type { ServiceMigrations } from '@weft/adapter-postgres';
import { Effects1700000000001 } from './0001-effects.js';
import { Permissions1700000000010 } from './0010-permissions.js';
import { Budgets1700000000020 } from './0020-budgets.js';
import { Pins1700000000030 } from './0030-pins.js';
import { WorkerCalls1700000000040 } from './0040-worker-calls.js';
import { Webhooks1700000000060 } from './0060-webhooks.js';
import { Resources1700000000080 } from './0080-resources.js';

export const toolsMigrations: ServiceMigrations = {
  service: 'tools',
  migrations: [Effects1700000000001, Permissions1700000000010, Budgets1700000000020, Pins1700000000030, WorkerCalls1700000000040, Webhooks1700000000060, Resources1700000000080],
};
