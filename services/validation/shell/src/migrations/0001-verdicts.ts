import { commitTable, serviceSchema, tenantTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Verdicts and commit rows. Structure (verdict, rules, whose output) apart from payload (evidence, which names places in the judged value). */
export class Verdicts1700000000001 implements MigrationInterface {
  readonly name = 'Verdicts1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(serviceSchema('validation'));
    await runner.query(`
      create table validation.verdicts (
        tenant text not null,
        id text not null,
        execution_id uuid,
        bucket smallint not null,
        commit_id uuid not null,
        recorded_at timestamptz not null,
        verdict text not null check (verdict in ('pass', 'fail')),
        schema_digest text not null,
        policy text not null,
        structure text not null,
        evidence text,
        payload_key text,
        payload_salt bytea not null,
        payload_digest bytea not null,
        primary key (tenant, id)
      );
      create index verdicts_of_execution on validation.verdicts (tenant, execution_id);
    `);
    await runner.query(tenantTable('validation', 'verdicts'));
    await runner.query(commitTable('validation'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema validation cascade');
  }
}
