import { commitTable, serviceSchema, tenantTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Definitions, executions, history, waits, reviews and commit rows. What cannot be added later is here from the start:
 * tenant and bucket columns, forced row-level security, structure apart from payload, history partitioned by execution id.
 */
export class Executions1700000000001 implements MigrationInterface {
  readonly name = 'Executions1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(serviceSchema('orchestration'));
    await runner.query(`
      create table orchestration.definitions (
        tenant text not null,
        digest text not null,
        namespace text not null,
        name text not null,
        version text not null,
        title text not null,
        document text not null,
        created_at timestamptz not null default now(),
        primary key (tenant, digest),
        unique (tenant, namespace, name, version)
      );
      create table orchestration.executions (
        tenant text not null,
        id uuid not null,
        bucket smallint not null,
        status text not null,
        definition text not null,
        digest text not null,
        request_source text not null,
        request_id text not null,
        trace_id text not null,
        started_at timestamptz not null,
        ended_at timestamptz,
        ended_sequence integer,
        primary key (tenant, id)
      );
      create index executions_running on orchestration.executions (bucket) where status = 'running';
      create table orchestration.history (
        execution_id uuid not null,
        sequence integer not null,
        tenant text not null,
        bucket smallint not null,
        commit_id uuid not null,
        recorded_at timestamptz not null,
        structure text not null,
        payload text,
        payload_key text,
        payload_salt bytea not null,
        payload_digest bytea not null,
        primary key (execution_id, sequence)
      ) partition by range (execution_id);
      create table orchestration.history_rest partition of orchestration.history default;
      create table orchestration.waits (
        tenant text not null,
        execution_id uuid not null,
        id text not null,
        bucket smallint not null,
        kind text not null,
        subject text not null,
        due_at timestamptz,
        claimed_until timestamptz,
        primary key (tenant, execution_id, id)
      );
      create index waits_due on orchestration.waits (due_at) where due_at is not null;
      create table orchestration.reviews (
        tenant text not null,
        id text not null,
        execution_id uuid not null,
        bucket smallint not null,
        kind text not null,
        title text not null,
        subject text not null,
        status text not null,
        opened_at timestamptz not null,
        closed_at timestamptz,
        decided_by text,
        comment text,
        primary key (tenant, id)
      );
      create index reviews_open on orchestration.reviews (tenant, opened_at) where status = 'open';
    `);
    for (const table of ['definitions', 'executions', 'history', 'waits', 'reviews']) await runner.query(tenantTable('orchestration', table));
    await runner.query(commitTable('orchestration'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema orchestration cascade');
  }
}
