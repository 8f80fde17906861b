import { engineTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Pins of tools that come from sources: one row a tool, `source.name`. `state` is what is known now, as JSON text, definitions included;
 * `structure` is one line of JSON a decision, in order of sequence: what the log's members are taken of. They hold for the whole deployment, so no caller reaches them.
 */
export class Pins1700000000030 implements MigrationInterface {
  readonly name = 'Pins1700000000030';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tools.pins (
        tool text primary key,
        source text not null,
        sequence integer not null,
        state text not null,
        structure text not null,
        commit_id uuid not null,
        recorded_at timestamptz not null
      );
      create index pins_of_source on tools.pins (source);
    `);
    await runner.query(engineTable('tools', 'pins', { engineMay: 'select, insert, update' }));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tools.pins');
  }
}
