import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A key may act for a person, and give roles: what reviews ask for. */
export class KeyUsers1700000000030 implements MigrationInterface {
  readonly name = 'KeyUsers1700000000030';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table gateway.api_keys add column acts_for text not null default '', add column roles text[] not null default '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table gateway.api_keys drop column acts_for, drop column roles');
  }
}
