import { SEQUENCER_ROLE, serviceSchema, tenantRole } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const TENANT = tenantRole('audit');

/**
 * The log: head, hash tiles, leaves, and which leaves an execution is in. The sequencer appends and moves the head; nobody deletes, and a
 * leaf is never updated. A tile has one row, which grows: a narrower tile is the beginning of a wider one.
 */
export class Log1700000000001 implements MigrationInterface {
  readonly name = 'Log1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(serviceSchema('audit'));
    await runner.query(`
      create table audit.head (
        id smallint primary key default 1 check (id = 1),
        size bigint not null,
        root bytea not null,
        epoch bigint not null,
        note text not null,
        updated_at timestamptz not null
      );
      insert into audit.head (size, root, epoch, note, updated_at) values (0, sha256(''), 0, '', now());
      create table audit.tiles (
        level smallint not null,
        index bigint not null,
        bytes bytea not null,
        primary key (level, index)
      );
      create table audit.leaves (
        index bigint primary key,
        service text not null,
        commit_id uuid not null,
        tenants text[] not null,
        entry bytea not null,
        unique (service, commit_id)
      );
      create table audit.members (
        subject uuid not null,
        leaf_index bigint not null,
        primary key (subject, leaf_index)
      );
      -- Hashes and ids do not get smaller by compression.
      alter table audit.tiles alter column bytes set storage external;
      alter table audit.leaves alter column entry set storage external;
      grant usage on schema audit to ${SEQUENCER_ROLE};`);
    const rights = { head: 'select, update', tiles: 'select, insert, update', leaves: 'select, insert', members: 'select, insert' };
    for (const [table, mayDo] of Object.entries(rights)) {
      // A tenant sees the leaves of commits that it has a part in; where they are and the tree over them say nothing about anyone.
      const visible = table === 'leaves' ? `nullif(current_setting('weft.tenant', true), '') = any(tenants)` : 'true';
      await runner.query(`
        alter table audit.${table} enable row level security;
        alter table audit.${table} force row level security;
        create policy sequencer_rows on audit.${table} to ${SEQUENCER_ROLE} using (true) with check (true);
        create policy tenant_rows on audit.${table} for select to ${TENANT} using (${visible});
        grant ${mayDo} on audit.${table} to ${SEQUENCER_ROLE};
        grant select on audit.${table} to ${TENANT};`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema audit cascade');
  }
}
