import { commitTable, serviceSchema, tenantTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Memory items: what was said, by whom, how far it may be trusted; the text apart from what is kept for ever. */
export class Items1700000000001 implements MigrationInterface {
  readonly name = 'Items1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(serviceSchema('memory'));
    await runner.query(`
      create table memory.items (
        tenant text not null,
        id text not null,
        scope text not null,
        execution_id uuid not null,
        bucket smallint not null,
        commit_id uuid not null,
        trust text not null,
        structure text not null,
        payload text,
        payload_key text,
        payload_salt bytea not null,
        payload_digest bytea not null,
        body text,
        words tsvector generated always as (to_tsvector('english', coalesce(body, ''))) stored,
        created_at timestamptz not null,
        primary key (tenant, id)
      );
      create index items_scope on memory.items (tenant, scope, created_at desc);
      create index items_words on memory.items using gin (words);
    `);
    await runner.query(tenantTable('memory', 'items'));
    await runner.query(commitTable('memory'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema memory cascade');
  }
}
