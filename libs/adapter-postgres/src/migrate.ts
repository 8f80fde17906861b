// Migrations: every service's own, run once before start, under one lock.
import { Refused } from '@weft/kernel';
import { Fault } from '@weft/pipeline';
import pg from 'pg';
import type { MigrationInterface } from 'typeorm';
import { refuseNewer } from './check-migrated.js';
import { createRoles } from './create-roles.js';
import { connect, sourceOptions } from './data-source.js';
import type { Query } from './pool.js';
import { engineRole, OWNER_ROLE, sqlName, tenantRole } from './roles.js';
import { clientConfig, type StoreAddress } from './store-address.js';
import { faultOf } from './store-fault.js';

/** A TypeORM migration. Its name ends in 13 digits, which give the order. */
export type MigrationClass = new () => MigrationInterface;

/** The migrations of one service, oldest first. */
export interface ServiceMigrations {
  /** The service's name, and its schema's. */
  readonly service: string;
  readonly migrations: readonly MigrationClass[];
  /** Run at every `db migrate`, as owner, in one transaction: must be safe to repeat (partitions ahead). */
  readonly topUp?: (query: Query) => Promise<void>;
}

export interface MigrateOptions {
  /** Password of a role that logs in; undefined leaves the role as it is (without one: socket trust). */
  readonly passwordOf?: (role: string) => string | undefined;
  readonly onProgress?: (text: string) => void;
}

export interface MigrationReport {
  /** Names of the migrations that were run now, by service. */
  readonly applied: Readonly<Record<string, readonly string[]>>;
}

// Any process that migrates this database takes this lock first.
const MIGRATE_LOCK = 7_303_014_001;

/**
 * Brings every service's schema up to date, each migration in a transaction of its own. Two processes at once run one after the other.
 * @param admin who may create roles and schemas: a superuser, or a role with CREATEROLE that owns the database.
 * @throws Refused store-not-migrated when the store is newer than this release; config-invalid when a role has too much power.
 * Fault when a migration fails: the ones before it stay.
 */
export async function migrate(admin: StoreAddress, services: readonly ServiceMigrations[], options: MigrateOptions = {}): Promise<MigrationReport> {
  const { passwordOf = () => undefined, onProgress = () => undefined } = options;
  const client = new pg.Client({ ...clientConfig(admin), application_name: 'weft migrate' });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await lock(client, onProgress);
    await createRoles(
      client,
      services.map(({ service }) => service),
      passwordOf,
    );
    const applied: Record<string, readonly string[]> = {};
    for (const one of services) {
      applied[one.service] = await migrateService(admin, client, one, onProgress);
      if (one.topUp) await topUp(client, one.topUp);
    }
    return { applied };
  } catch (fault) {
    throw fault instanceof Refused ? fault : faultOf(fault);
  } finally {
    // The lock ends with the session.
    await client.end().catch(() => undefined);
  }
}

async function lock(client: pg.Client, onProgress: (text: string) => void): Promise<void> {
  const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [MIGRATE_LOCK]);
  if (rows[0]?.taken) return;
  onProgress('waiting for another process that migrates this store');
  await client.query('select pg_advisory_lock($1)', [MIGRATE_LOCK]);
}

async function migrateService(admin: StoreAddress, client: pg.Client, { service, migrations }: ServiceMigrations, onProgress: (text: string) => void): Promise<readonly string[]> {
  const schema = sqlName(service);
  await client.query(`create schema if not exists ${schema} authorization ${OWNER_ROLE}`);
  const options = sourceOptions(admin, { applicationName: 'weft migrate', max: 1, statementMsMax: 0 });
  const source = await connect({
    ...options,
    schema,
    migrations: [...migrations],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    // Everything a migration creates belongs to the owner, which no service can log in as.
    extra: { ...options.extra, options: `-c role=${OWNER_ROLE}` },
  });
  try {
    const known = await namesIn(client, schema);
    refuseNewer(service, migrations, known);
    const pending = migrations.length - known.length;
    if (pending > 0) onProgress(`migrating ${service}: ${pending} to run`);
    const applied = (await source.runMigrations()).map((migration) => migration.name);
    await client.query(`grant usage on schema ${schema} to ${tenantRole(service)}, ${engineRole(service)}; grant select on ${schema}.migrations to ${tenantRole(service)}, ${engineRole(service)}`);
    return applied;
  } catch (fault) {
    if (fault instanceof Refused) throw fault;
    const { message } = faultOf(fault);
    throw new Fault(`the migrations of ${service} did not run through (${(await namesIn(client, schema).catch(() => [])).length} of ${migrations.length} are in place): ${message}`, false, {
      cause: fault,
    });
  } finally {
    await source.destroy();
  }
}

async function namesIn(client: pg.Client, schema: string): Promise<readonly string[]> {
  const { rows: tables } = await client.query<{ present: boolean }>('select to_regclass($1) is not null as present', [`${schema}.migrations`]);
  if (!tables[0]?.present) return [];
  return (await client.query<{ name: string }>(`select name from ${schema}.migrations order by timestamp`)).rows.map((row) => row.name);
}

async function topUp(client: pg.Client, run: NonNullable<ServiceMigrations['topUp']>): Promise<void> {
  await client.query(`begin; set local role ${OWNER_ROLE}`);
  await run(async (text, values = []) => (await client.query(text, [...values])).rows);
  const { command } = await client.query('commit');
  if (command !== 'COMMIT') throw new Fault('Expected the top-up of the store to commit but one of its statements had failed.', false);
}
