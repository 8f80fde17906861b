import { engineTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What workflow documents refer to, by the digest of its content. No caller reaches it. */
export class Resources1700000000080 implements MigrationInterface {
  readonly name = 'Resources1700000000080';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tools.resources (
        tenant text not null,
        digest text not null,
        media_type text not null,
        content bytea not null,
        fetched_at timestamptz not null default now(),
        primary key (tenant, digest)
      );
    `);
    await runner.query(engineTable('tools', 'resources'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tools.resources');
  }
}
