import { tenantTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What executions are found by. A row an attribute and value, in a b-tree: equality of texts may be used before row-level
 * security has judged a row, which operators on arrays and jsonb may not. Few executions end badly or stand still, so these
 * have an index that the others do not pay for. Source: docs/adr/0019.
 */
export class Search1700000000010 implements MigrationInterface {
  readonly name = 'Search1700000000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table orchestration.search_attributes (
        tenant text not null,
        execution_id uuid not null,
        bucket smallint not null,
        name text not null,
        value text not null,
        primary key (tenant, execution_id, name, value)
      );
      create index search_attributes_found on orchestration.search_attributes (tenant, name, value, execution_id);
      alter table orchestration.executions add column request_type text not null default '';
      create index executions_noticed on orchestration.executions (tenant, status, id) where status not in ('running', 'completed');
    `);
    await runner.query(tenantTable('orchestration', 'search_attributes', { tenantMay: 'select' }));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table orchestration.search_attributes; drop index orchestration.executions_noticed; alter table orchestration.executions drop column request_type');
  }
}
