import { tenantTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Kill switches and approvals that were used. Both only grow: a switch is what its last change says, an approval is used by the key
 * that came first. `tenant` of a switch is `*` for the things of all tenants.
 */
export class Permissions1700000000010 implements MigrationInterface {
  readonly name = 'Permissions1700000000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tools.switch_changes (
        tenant text not null,
        kind text not null check (kind in ('agent', 'workflow', 'tool', 'tenant', 'everything')),
        name text not null,
        sequence integer not null,
        is_off boolean not null,
        structure text not null,
        payload_key text,
        reason text not null,
        reason_salt bytea not null,
        reason_digest bytea not null,
        changed_by text not null,
        changed_at timestamptz not null,
        commit_id uuid not null,
        primary key (tenant, kind, name, sequence)
      );
      create table tools.approvals_used (
        tenant text not null,
        review_id text not null,
        key text not null,
        digest text not null,
        structure text not null,
        salt bytea not null,
        used_at timestamptz not null,
        commit_id uuid not null,
        primary key (tenant, review_id)
      );
    `);
    await runner.query(tenantTable('tools', 'switch_changes', { tenantMay: 'select', engineMay: 'select, insert' }));
    await runner.query(tenantTable('tools', 'approvals_used', { tenantMay: 'select', engineMay: 'select, insert' }));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tools.approvals_used; drop table tools.switch_changes');
  }
}
