import { engineTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which replicas are there. Losing these rows loses nothing: each comes again with its replica's next beat. */
export class Replicas1700000000017 implements MigrationInterface {
  readonly name = 'Replicas1700000000017';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table orchestration.replicas (
        name text primary key,
        life uuid not null,
        is_able boolean not null,
        beat_at timestamptz not null
      ) with (fillfactor = 50);
    `);
    await runner.query(engineTable('orchestration', 'replicas'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table orchestration.replicas');
  }
}
