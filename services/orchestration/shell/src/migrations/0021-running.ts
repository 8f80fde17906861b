import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sweeps walk through what runs in order of the ids, page by page: without that order each page sorts all that is left. */
export class Running1700000000021 implements MigrationInterface {
  readonly name = 'Running1700000000021';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop index orchestration.executions_running;
      create index executions_running on orchestration.executions (id, bucket) where status = 'running';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop index orchestration.executions_running;
      create index executions_running on orchestration.executions (bucket) where status = 'running';
    `);
  }
}
