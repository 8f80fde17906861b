import { tenantTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What starts definitions by itself: a row for each kind of schedule of the version deployed last. `sequence` and `changes` are what
 * people did to it, for the audit log. Events that started an execution, or wait for others to do so, are kept by source and id.
 * Neither table is an execution's: `started_execution` names one from outside, as a parent does, and no bucket of it is theirs.
 */
export class Schedules1700000000047 implements MigrationInterface {
  readonly name = 'Schedules1700000000047';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table orchestration.schedules (
        tenant text not null,
        namespace text not null,
        name text not null,
        kind text not null,
        version text not null,
        digest text not null,
        given text not null,
        after_ms float8,
        due_at timestamptz,
        claimed_until timestamptz,
        paused boolean not null default false,
        started_at timestamptz,
        started_execution uuid,
        changed_by text not null default '',
        changed_at timestamptz,
        reason text not null default '',
        sequence integer not null default 0,
        changes text not null default '',
        primary key (tenant, namespace, name, kind)
      );
      create index schedules_due on orchestration.schedules (due_at) where due_at is not null and not paused;
      create index schedules_after on orchestration.schedules (started_execution) where kind = 'after' and due_at is null;
      create table orchestration.schedule_events (
        tenant text not null,
        namespace text not null,
        name text not null,
        filter smallint not null,
        source text not null,
        id text not null,
        ordinal bigint generated always as identity,
        version text not null,
        digest text not null,
        correlation text not null,
        event text not null,
        received_at timestamptz not null default now(),
        started_execution uuid,
        started boolean not null default false,
        primary key (tenant, namespace, name, filter, source, id)
      );
      create index schedule_events_waiting on orchestration.schedule_events (tenant, namespace, name, ordinal) where started_execution is null;
      create index schedule_events_unstarted on orchestration.schedule_events (received_at) where started_execution is not null and not started;
      create index schedule_events_old on orchestration.schedule_events (received_at);
    `);
    for (const table of ['schedules', 'schedule_events']) await runner.query(tenantTable('orchestration', table));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table orchestration.schedule_events, orchestration.schedules');
  }
}
