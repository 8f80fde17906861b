import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which execution started another one, and which one is at the top. Most executions have no parent, and no row in these indexes. */
export class Children1700000000046 implements MigrationInterface {
  readonly name = 'Children1700000000046';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table orchestration.executions add column parent uuid, add column root uuid;
      create index executions_of_parent on orchestration.executions (tenant, parent, id) where parent is not null;
      create index executions_of_root on orchestration.executions (tenant, root, id) where root is not null;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table orchestration.executions drop column parent, drop column root');
  }
}
