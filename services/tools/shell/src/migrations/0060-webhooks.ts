import { engineTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Messages to webhooks, until they were taken or set aside. No caller reaches them. */
export class Webhooks1700000000060 implements MigrationInterface {
  readonly name = 'Webhooks1700000000060';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tools.webhook_messages (
        tenant text not null,
        webhook text not null,
        id text not null,
        body text not null,
        state text not null default 'waiting' check (state in ('waiting', 'taken', 'set-aside')),
        attempts smallint not null default 0,
        next_at timestamptz not null,
        problem text not null default '',
        primary key (tenant, webhook, id)
      );
      create index webhook_messages_due on tools.webhook_messages (next_at) where state = 'waiting';
      create index webhook_messages_over on tools.webhook_messages (next_at) where state <> 'waiting';
    `);
    await runner.query(engineTable('tools', 'webhook_messages'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tools.webhook_messages');
  }
}
