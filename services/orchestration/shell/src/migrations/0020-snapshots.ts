import { tenantTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** States of long histories, so that taking one up does not read it whole. Their texts are payload: erasing data erases them. */
export class Snapshots1700000000020 implements MigrationInterface {
  readonly name = 'Snapshots1700000000020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table orchestration.history_rest set (toast_tuple_target = 8160);
      create table orchestration.snapshots (
        tenant text not null,
        execution_id uuid not null,
        bucket smallint not null,
        version integer not null,
        form integer not null,
        state text not null,
        primary key (execution_id, tenant)
      );
    `);
    await runner.query(tenantTable('orchestration', 'snapshots', { tenantMay: 'select' }));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table orchestration.snapshots; alter table orchestration.history_rest reset (toast_tuple_target)');
  }
}
