import { commitTable, serviceSchema, tenantTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Requests and commit rows. One row a request, under the name its sender gave it: (tenant, source, id). `redeliver_at` stays
 * set until the start was taken note of (accepted) or the result was handed on (refused).
 */
export class Requests1700000000001 implements MigrationInterface {
  readonly name = 'Requests1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(serviceSchema('routing'));
    await runner.query(`
      create table routing.requests (
        tenant text not null,
        source text not null,
        request_id text not null,
        request_type text not null,
        execution_id uuid not null,
        bucket smallint not null,
        status text not null check (status in ('accepted', 'refused')),
        commit_id uuid not null,
        accepted_at timestamptz not null,
        structure text not null,
        payload text,
        payload_key text,
        payload_salt bytea not null,
        payload_digest bytea not null,
        deliveries integer not null default 1,
        redeliver_at timestamptz,
        primary key (tenant, source, request_id),
        unique (execution_id, tenant)
      );
      create index requests_due on routing.requests (redeliver_at) where redeliver_at is not null;
    `);
    await runner.query(tenantTable('routing', 'requests'));
    await runner.query(commitTable('routing'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema routing cascade');
  }
}
