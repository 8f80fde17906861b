import { commitTable, serviceSchema, tenantTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The effect ledger and commit rows. One row an effect, under its idempotency key; `structure` is one line of JSON a decision,
 * in order of sequence; request and response are payload that may be erased, each with salt and digest. Reads write no row.
 */
export class Effects1700000000001 implements MigrationInterface {
  readonly name = 'Effects1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(serviceSchema('tools'));
    await runner.query(`
      create table tools.effects (
        tenant text not null,
        key text not null,
        sequence integer not null,
        execution_id uuid not null,
        bucket smallint not null,
        pointer text not null,
        iteration text not null,
        generation integer not null,
        tool text not null,
        effect text not null check (effect in ('idempotent-write', 'non-idempotent-write')),
        state text not null check (state in ('dispatched', 'confirmed', 'failed', 'unknown')),
        attempts integer not null,
        dispatched_at timestamptz not null,
        timeout_ms integer not null,
        structure text not null,
        payload_key text,
        request text,
        request_salt bytea,
        request_digest bytea,
        response text,
        response_salt bytea,
        response_digest bytea,
        commit_id uuid not null,
        recorded_at timestamptz not null,
        primary key (tenant, key)
      ) with (fillfactor = 80);
      create index effects_of_execution on tools.effects (tenant, execution_id);
      create index effects_open on tools.effects (dispatched_at) where state in ('dispatched', 'unknown');
    `);
    await runner.query(tenantTable('tools', 'effects', { tenantMay: 'select' }));
    await runner.query(commitTable('tools'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema tools cascade');
  }
}
