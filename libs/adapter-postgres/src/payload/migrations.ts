import type { MigrationInterface, QueryRunner } from 'typeorm';
import { serviceSchema, tenantTable } from '../building-blocks.js';
import type { ServiceMigrations } from '../migrate.js';

/**
 * Payloads that messages refer to. They are copies for the road: what is to last lies in history, in requests and in ledgers.
 * `used_at` moves when a payload is sent again, so that retention takes only what no message on its way can name.
 */
class Payloads1700000000020 implements MigrationInterface {
  readonly name = 'Payloads1700000000020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(serviceSchema('payloads'));
    await runner.query(`
      create table payloads.payloads (
        tenant text not null,
        digest text not null,
        size bigint not null,
        bytes bytea not null,
        erasable boolean not null default true,
        created_at timestamptz not null default now(),
        used_at timestamptz not null default now(),
        primary key (tenant, digest)
      );
      alter table payloads.payloads alter column bytes set storage external;
      create index payloads_used on payloads.payloads (used_at);
    `);
    await runner.query(tenantTable('payloads', 'payloads', { tenantMay: 'select' }));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema payloads cascade');
  }
}

/** The schema of the payload store, which every service uses by its roles. */
export const payloadMigrations: ServiceMigrations = { service: 'payloads', migrations: [Payloads1700000000020] };
