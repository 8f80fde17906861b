import { tenantTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** By what events find executions that have not reached their `listen`. Only of documents that correlate, and until they end. */
export class Subscriptions1700000000043 implements MigrationInterface {
  readonly name = 'Subscriptions1700000000043';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table orchestration.subscriptions (
        tenant text not null,
        execution_id uuid not null,
        bucket smallint not null,
        correlation text not null,
        primary key (tenant, execution_id, correlation)
      );
      create index subscriptions_correlation on orchestration.subscriptions (tenant, correlation);
    `);
    await runner.query(tenantTable('orchestration', 'subscriptions'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table orchestration.subscriptions');
  }
}
