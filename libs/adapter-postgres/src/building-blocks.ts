// What migrations are made of: schemas and tables that cannot be created without their protection. Each gives SQL text.
import { engineRole, SEQUENCER_ROLE, sqlName, tenantRole } from './roles.js';

/** The schema of a service, usable by its two roles. */
export function serviceSchema(service: string): string {
  return `
    create schema if not exists ${sqlName(service)};
    grant usage on schema ${service} to ${tenantRole(service)}, ${engineRole(service)};`;
}

export interface TableOptions {
  /** What the engine role may do. Default: select, insert, update, delete. */
  readonly engineMay?: string;
}

export interface TenantTableOptions extends TableOptions {
  /** What the tenant role may do. Default: select, insert, update, delete. */
  readonly tenantMay?: string;
}

const EVERYTHING = 'select, insert, update, delete';
// After a transaction-local value has ended the setting reads as '', not as null: neither names a tenant.
const CURRENT_TENANT = `nullif(current_setting('weft.tenant', true), '')`;

/**
 * Protects a table that has a `tenant` column: row-level security, forced for the owner too. The tenant role sees the rows
 * of the tenant set for its transaction, and none without; the engine role sees all, by its own policy. A partitioned table
 * protects its partitions, as long as nobody is granted anything on those.
 */
export function tenantTable(service: string, table: string, options: TenantTableOptions = {}): string {
  const name = `${sqlName(service)}.${sqlName(table)}`;
  return `${engineTable(service, table, options)}
    create policy tenant_rows on ${name} to ${tenantRole(service)} using (tenant = ${CURRENT_TENANT}) with check (tenant = ${CURRENT_TENANT});
    grant ${options.tenantMay ?? EVERYTHING} on ${name} to ${tenantRole(service)};`;
}

/** Protects a table that callers never reach: the engine role alone. */
export function engineTable(service: string, table: string, options: TableOptions = {}): string {
  const name = `${sqlName(service)}.${sqlName(table)}`;
  return `
    alter table ${name} enable row level security;
    alter table ${name} force row level security;
    create policy engine_rows on ${name} to ${engineRole(service)} using (true) with check (true);
    grant ${options.engineMay ?? EVERYTHING} on ${name} to ${engineRole(service)};`;
}

/**
 * The commit rows of a service: one for each batch. `members` is JSON text [[subject, sequence], ...]; `digests` holds their
 * 32-byte digests, joined in that order. It is the outbox (`published`) and the audit log's leaf (`sequenced` = its index).
 */
export function commitTable(service: string): string {
  const name = `${sqlName(service)}.commits`;
  return `
    create table ${name} (
      id uuid primary key,
      members text not null,
      digests bytea not null check (octet_length(digests) % 32 = 0),
      tenants text[] not null,
      published boolean not null,
      sequenced bigint,
      recorded_at timestamptz not null,
      traceparents text[] not null default '{}'
    );
    create index commits_unpublished on ${name} (recorded_at) where not published;
    create index commits_unsequenced on ${name} (id) where sequenced is null;
    ${engineTable(service, 'commits')}
    create policy sequencer_rows on ${name} to ${SEQUENCER_ROLE} using (true) with check (true);
    grant usage on schema ${service} to ${SEQUENCER_ROLE};
    grant select, update (sequenced) on ${name} to ${SEQUENCER_ROLE};`;
}
