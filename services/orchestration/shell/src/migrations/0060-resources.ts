import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What definition versions refer to, as it was when they were published: JSON text by URI; null for those that refer to nothing. */
export class Resources1700000000060 implements MigrationInterface {
  readonly name = 'Resources1700000000060';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table orchestration.definitions add column resources text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table orchestration.definitions drop column resources');
  }
}
