import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Reviews as a queue: who may decide and who has it in hand, when it is due, and the digest of the action that it is about. */
export class Reviews1700000000030 implements MigrationInterface {
  readonly name = 'Reviews1700000000030';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table orchestration.reviews
        add column workflow text not null default '',
        add column requested_by text not null default '',
        add column digest text,
        add column assignees text[] not null default '{}',
        add column approvals_needed smallint not null default 1,
        add column approved_by text[] not null default '{}',
        add column claimed_by text,
        add column claimed_until timestamptz,
        add column due_at timestamptz,
        add column expires_at timestamptz,
        add column form text;
      create index reviews_of_execution on orchestration.reviews (tenant, execution_id);
      create index reviews_by_opening on orchestration.reviews (tenant, opened_at, id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop index orchestration.reviews_of_execution;
      drop index orchestration.reviews_by_opening;
      alter table orchestration.reviews
        drop column workflow, drop column requested_by, drop column digest, drop column assignees, drop column approvals_needed, drop column approved_by,
        drop column claimed_by, drop column claimed_until, drop column due_at, drop column expires_at, drop column form;
    `);
  }
}
