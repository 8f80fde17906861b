import { serviceSchema, tenantTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tenants and their API keys. Of a key only the salted digest of its secret is stored; a tenant never sees even that. */
export class ApiKeys1700000000001 implements MigrationInterface {
  readonly name = 'ApiKeys1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(serviceSchema('gateway'));
    await runner.query(`
      create table gateway.tenants (
        tenant text primary key,
        created_at timestamptz not null default now()
      );
      create table gateway.api_keys (
        tenant text not null,
        id text not null unique,
        name text not null,
        salt bytea not null,
        digest bytea not null,
        created_at timestamptz not null default now(),
        revoked_at timestamptz,
        primary key (tenant, id)
      );
    `);
    await runner.query(tenantTable('gateway', 'tenants', { tenantMay: 'select' }));
    await runner.query(tenantTable('gateway', 'api_keys', { tenantMay: 'select (tenant, id, name, created_at, revoked_at)' }));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema gateway cascade');
  }
}
