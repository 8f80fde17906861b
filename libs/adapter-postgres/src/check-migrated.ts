import { refuse } from '@weft/kernel';
import type { DataSource } from 'typeorm';
import type { ServiceMigrations } from './migrate.js';
import type { Pool } from './pool.js';
import { sqlName } from './roles.js';
import { faultOf, stateOf } from './store-fault.js';

// No such table, schema, database or role; not allowed to look (the role is of another database's migration).
const NOT_THERE = new Set(['42P01', '3F000', '3D000', '28000', '42501']);

/**
 * Checks that the store stands where this release expects it. Every service asks before it starts.
 * @throws Refused store-not-migrated, naming what is missing or newer, and what to run. Fault when the store is not reached.
 */
export async function checkMigrated(store: Pool | DataSource, { service, migrations }: ServiceMigrations): Promise<void> {
  const found = await namesIn(store, service);
  const missing = namesOf(migrations).filter((name) => !found.includes(name));
  refuseNewer(service, migrations, found);
  if (missing.length > 0)
    refuse('store-not-migrated', `Expected the schema ${service} to be migrated but ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing. Run \`./weft db migrate\`.`, {
      details: { service, missing },
    });
}

/** @throws Refused store-not-migrated when the store holds migrations that this release does not know. */
export function refuseNewer(service: string, migrations: ServiceMigrations['migrations'], found: readonly string[]): void {
  const known = namesOf(migrations);
  const newer = found.filter((name) => !known.includes(name));
  if (newer.length > 0)
    refuse(
      'store-not-migrated',
      `Expected the schema ${service} as this release knows it but the store has ${newer.join(', ')}, which it does not know. Start the release that made it, or a later one.`,
      { details: { service, newer } },
    );
}

async function namesIn(store: Pool | DataSource, service: string): Promise<readonly string[]> {
  const text = `select name from ${sqlName(service)}.migrations`;
  try {
    const rows = 'isInitialized' in store ? await store.query<{ name: string }[]>(text) : (await store.query<{ name: string }>(text)).rows;
    return rows.map((row) => row.name);
  } catch (fault) {
    const cause = (fault as { driverError?: unknown }).driverError ?? fault;
    if (NOT_THERE.has(stateOf(cause) ?? '')) return [];
    throw faultOf(cause);
  }
}

const namesOf = (migrations: ServiceMigrations['migrations']): string[] => migrations.map((migration) => new migration().name ?? migration.name);
