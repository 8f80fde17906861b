// Migrations: every service's own, run once before start, under one lock.
import { refuse } from '@weft/kernel';
import pg from 'pg';
import { DataSource, type MigrationInterface } from 'typeorm';
import { OWNER_ROLE, rolesOf } from './roles.js';
import type { Pool, Query } from './pool.js';
import type { StoreAddress } from './store-address.js';

/** The migrations of one service, oldest first. */
export interface ServiceMigrations {
  readonly service: string;
  readonly migrations: readonly (new () => MigrationInterface)[];
  /** Run at every `db migrate`, as owner: must be safe to repeat (partitions ahead). */
  readonly topUp?: (query: Query) => Promise<void>;
}

export interface MigrateOptions {
  /** Password of a role; undefined leaves the role without one (socket trust). */
  readonly passwordOf?: (role: string) => string | undefined;
  readonly onProgress?: (text: string) => void;
}

export interface MigrationReport {
  /** Names of the migrations that were run now, by service. */
  readonly applied: Readonly<Record<string, readonly string[]>>;
}

// Any process that migrates this database takes this lock first.
const MIGRATE_LOCK = 7_303_014_001;

/** Brings every service's schema up to date. Two processes at once run one after the other. */
export async function migrate(admin: StoreAddress, services: readonly ServiceMigrations[], options: MigrateOptions = {}): Promise<MigrationReport> {
  const client = new pg.Client(clientOptions(admin));
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATE_LOCK]);
    await createRoles(client, services, options);
    const applied: Record<string, readonly string[]> = {};
    for (const { service, migrations, topUp } of services) {
      options.onProgress?.(`migrating ${service}`);
      await client.query(`create schema if not exists ${service} authorization ${OWNER_ROLE}`);
      applied[service] = await migrateService(admin, service, migrations);
      await client.query(`grant usage on schema ${service} to public; grant select on ${service}.migrations to public`);
      if (topUp) {
        await client.query(`set role ${OWNER_ROLE}`);
        await topUp(async (text, values = []) => (await client.query(text, [...values])).rows as never);
        await client.query('reset role');
      }
    }
    return { applied };
  } finally {
    await client.end();
  }
}

async function createRoles(client: pg.Client, services: readonly ServiceMigrations[], options: MigrateOptions): Promise<void> {
  for (const role of rolesOf(services.map(({ service }) => service))) {
    const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [role]);
    if (!rowCount) await client.query(`create role ${role} login nosuperuser nobypassrls nocreatedb nocreaterole`);
    const password = options.passwordOf?.(role);
    if (password !== undefined) await client.query(`alter role ${role} password ${client.escapeLiteral(password)}`);
  }
  await client.query(`grant ${OWNER_ROLE} to current_user; grant create on database ${client.escapeIdentifier(client.database!)} to ${OWNER_ROLE}`);
}

async function migrateService(admin: StoreAddress, service: string, migrations: ServiceMigrations['migrations']): Promise<readonly string[]> {
  const source = new DataSource({
    type: 'postgres',
    host: admin.host,
    port: admin.port,
    database: admin.database,
    username: admin.user,
    ...(admin.password === undefined ? {} : { password: admin.password }),
    schema: service,
    migrations: [...migrations],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    // Everything a migration creates belongs to the owner, which no service can log in as.
    extra: { max: 1, options: `-c role=${OWNER_ROLE}` },
    installExtensions: false,
  });
  await source.initialize();
  try {
    return (await source.runMigrations()).map((migration) => migration.name);
  } finally {
    await source.destroy();
  }
}

/**
 * Checks that the store stands where this release expects it.
 * @throws Refused store-not-migrated, naming what is missing or newer, and what to run.
 */
export async function checkMigrated(pool: Pool, { service, migrations }: ServiceMigrations): Promise<void> {
  const expected = migrations.map((migration) => new migration().name ?? migration.name);
  let found: string[];
  try {
    found = (await pool.query<{ name: string }>(`select name from ${service}.migrations`)).rows.map((row) => row.name);
  } catch (fault) {
    const state = (fault as { code?: string }).code;
    if (state !== '42P01' && state !== '3F000' && state !== '28000') throw fault;
    found = [];
  }
  const missing = expected.filter((name) => !found.includes(name));
  const newer = found.filter((name) => !expected.includes(name));
  if (missing.length > 0) refuse('store-not-migrated', `Expected the schema ${service} to be migrated but ${missing.join(', ')} is missing. Run \`./weft db migrate\`.`);
  if (newer.length > 0) refuse('store-not-migrated', `Expected the schema ${service} of this release but the store has ${newer.join(', ')}, which it does not know. Start the release that made it.`);
}

function clientOptions(address: StoreAddress): pg.ClientConfig {
  const { host, port, database, user, password } = address;
  return { host, port, database, user, ...(password === undefined ? {} : { password }), application_name: 'weft migrate' };
}
