import { engineTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What workers bring, and the mailbox between replicas. A call lies in the mailbox while it waits for a worker that is connected
 * elsewhere; the ledger is the truth about effects, so the mailbox may be lost with the server, and is not logged.
 */
export class WorkerCalls1700000000040 implements MigrationInterface {
  readonly name = 'WorkerCalls1700000000040';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tools.worker_tools (
        source text not null,
        tool text not null,
        definition text not null,
        brought_by text not null,
        brought_at timestamptz not null,
        primary key (source, tool)
      );
      create unlogged table tools.worker_calls (
        id uuid primary key,
        source text not null,
        tool text not null,
        digest text not null,
        state text not null check (state in ('waiting', 'taken', 'done')),
        call text not null,
        result text,
        posted_at timestamptz not null,
        expires_at timestamptz not null,
        lease_until timestamptz
      );
      create index worker_calls_waiting on tools.worker_calls (source, tool, digest, posted_at) where state = 'waiting';
      create index worker_calls_expiry on tools.worker_calls (expires_at);
    `);
    await runner.query(engineTable('tools', 'worker_tools'));
    await runner.query(engineTable('tools', 'worker_calls'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tools.worker_calls');
    await runner.query('drop table tools.worker_tools');
  }
}
