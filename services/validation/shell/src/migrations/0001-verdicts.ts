import { commitTable, serviceSchema, tenantTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Verdicts: what was judged good enough or not, by which schema; the evidence apart, because it may quote data. */
export class Verdicts1700000000001 implements MigrationInterface {
  readonly name = 'Verdicts1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(serviceSchema('validation'));
    await runner.query(`
      create table validation.verdicts (
        tenant text not null,
        id text not null,
        execution_id uuid not null,
        bucket smallint not null,
        commit_id uuid not null,
        verdict text not null,
        structure text not null,
        payload text,
        payload_key text,
        payload_salt bytea not null,
        payload_digest bytea not null,
        recorded_at timestamptz not null,
        primary key (tenant, id)
      );
      create index verdicts_execution on validation.verdicts (tenant, execution_id);
    `);
    await runner.query(tenantTable('validation', 'verdicts'));
    await runner.query(commitTable('validation'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema validation cascade');
  }
}
