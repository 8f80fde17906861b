import { execute, type Pool } from '@weft/adapter-postgres';
import { refuse } from '@weft/kernel';

const FIND_SQL = `select n.nspname as service from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relname = 'commits' and c.relkind = 'r' and n.nspname = any($1) and has_table_privilege(c.oid, 'select')`;

/** Those of the services that have commit rows, in the order of the list. @throws Refused `store-not-migrated` when none has. */
export async function servicesWithCommits(pool: Pool, services: readonly string[]): Promise<readonly string[]> {
  const rows = await execute<{ service: string }>(pool, { name: 'audit-commit-tables-1', text: FIND_SQL, values: [services] });
  const present = services.filter((service) => rows.some((row) => row.service === service));
  if (present.length === 0) refuse('store-not-migrated', `Expected commit tables of ${services.join(', ')} but the store has none. Run \`./weft db migrate\`.`);
  return present;
}
