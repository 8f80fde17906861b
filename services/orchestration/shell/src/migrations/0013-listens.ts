import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a listen is found by, in its wait row. */
export class Listens1700000000013 implements MigrationInterface {
  readonly name = 'Listens1700000000013';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table orchestration.waits add column correlation text;
      create index waits_correlation on orchestration.waits (tenant, correlation) where correlation is not null;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table orchestration.waits drop column correlation');
  }
}
