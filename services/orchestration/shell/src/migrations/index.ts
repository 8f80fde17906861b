import type { ServiceMigrations } from '@weft/adapter-postgres';
import { Executions1700000000001 } from './0001-executions.js';
import { Search1700000000010 } from './0010-search.js';
import { Listens1700000000013 } from './0013-listens.js';
import { Replicas1700000000017 } from './0017-replicas.js';
import { Partitions1700000000019 } from './0019-partitions.js';
import { Snapshots1700000000020 } from './0020-snapshots.js';
import { Running1700000000021 } from './0021-running.js';
import { Reviews1700000000030 } from './0030-reviews.js';
import { Subscriptions1700000000043 } from './0043-subscriptions.js';
import { Children1700000000046 } from './0046-children.js';
import { Schedules1700000000047 } from './0047-schedules.js';
import { Resources1700000000060 } from './0060-resources.js';
import { createHistoryPartitions } from './history-partitions.js';

export const orchestrationMigrations: ServiceMigrations = {
  service: 'orchestration',
  migrations: [
    Executions1700000000001,
    Search1700000000010,
    Listens1700000000013,
    Replicas1700000000017,
    Partitions1700000000019,
    Snapshots1700000000020,
    Running1700000000021,
    Reviews1700000000030,
    Subscriptions1700000000043,
    Children1700000000046,
    Schedules1700000000047,
    Resources1700000000060,
  ],
  topUp: createHistoryPartitions,
};
