import { engineTable, serviceSchema, tenantTable } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Budgets that were set by people, what has been drawn on each, and the reservations behind it. The epoch rises with every change of a budget, so
 * that a process can tell cheaply whether what it knows still holds. A counter holds what was spent and what is
 * reserved of one budget in one period (from the epoch without one); a reservation names the counters that it was taken from, so that it
 * can be given back by whoever finds it. `hold` is empty for writes, of which one key is one call, and names the carrying-out of all else.
 */
export class Budgets1700000000020 implements MigrationInterface {
  readonly name = 'Budgets1700000000020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(serviceSchema('tools'));
    await runner.query(`
      create table tools.budgets (
        tenant text not null,
        scope text not null check (scope in ('tenant', 'execution', 'agent', 'tool', 'model')),
        name text not null,
        per text not null check (per in ('total', 'day', 'month')),
        money_micros bigint,
        tokens bigint,
        calls bigint,
        version integer not null,
        is_removed boolean not null default false,
        structure text not null,
        commit_id uuid not null,
        changed_at timestamptz not null,
        primary key (tenant, scope, name, per)
      );
      create table tools.budget_epoch (
        only_row boolean primary key default true check (only_row),
        epoch bigint not null
      );
      insert into tools.budget_epoch (epoch) values (0);
      create table tools.budget_counters (
        tenant text not null,
        counter text not null,
        start_at timestamptz not null,
        spent_money bigint not null default 0,
        spent_tokens bigint not null default 0,
        spent_calls bigint not null default 0,
        reserved_money bigint not null default 0 check (reserved_money >= 0),
        reserved_tokens bigint not null default 0 check (reserved_tokens >= 0),
        reserved_calls bigint not null default 0 check (reserved_calls >= 0),
        changed_at timestamptz not null default clock_timestamp(),
        primary key (tenant, counter, start_at)
      ) with (fillfactor = 50);
      create table tools.budget_reservations (
        tenant text not null,
        key text not null,
        hold text not null,
        state text not null check (state in ('held', 'spent', 'freed')),
        money bigint not null,
        tokens bigint not null,
        calls bigint not null,
        counters text[] not null,
        starts timestamptz[] not null,
        lease_until timestamptz not null,
        primary key (tenant, key, hold)
      ) with (fillfactor = 80);
      create index budget_reservations_held on tools.budget_reservations (lease_until) where state = 'held';
      create index budget_reservations_over on tools.budget_reservations (lease_until) where state <> 'held';
    `);
    for (const table of ['budgets', 'budget_counters', 'budget_reservations']) await runner.query(tenantTable('tools', table, { tenantMay: 'select' }));
    await runner.query(engineTable('tools', 'budget_epoch', { engineMay: 'select, update' }));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tools.budget_reservations, tools.budget_counters, tools.budgets, tools.budget_epoch');
  }
}
