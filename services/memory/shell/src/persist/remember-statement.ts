// The one statement of a batch of new items. Those that win decide what its commit row holds.

/** Name of the prepared statement; it changes with the text. */
export const REMEMBER_STATEMENT = 'memory-remember-1';

/**
 * $1 commit id, $2 instant; per item, in order of tenant and id: $3 tenants, $4 ids, $5 scopes, $6 trust levels, $7 execution ids,
 * $8 buckets, $9 structures, $10 bodies, $11 metadata; $12 salts (16 bytes each, joined), $13 payload digests and $14 member digests
 * (32 bytes each, joined); $15 traces that are recorded.
 * An id that is taken stays as it is.
 */
export const REMEMBER_SQL = `
with tried as materialized (
  select * from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::smallint[], $9::text[], $10::text[], $11::text[])
    with ordinality as t(tenant, id, scope, trust, execution_id, bucket, structure, body, metadata, ordinal)
), won as (
  insert into memory.items (tenant, id, scope, trust, execution_id, bucket, commit_id, created_at, structure, body, metadata, payload_salt, payload_digest)
  select tenant, id, scope, trust, execution_id, bucket, $1::uuid, $2::timestamptz, structure, body, metadata,
    substring($12::bytea from (ordinal::int - 1) * 16 + 1 for 16), substring($13::bytea from (ordinal::int - 1) * 32 + 1 for 32)
  from tried order by ordinal
  on conflict (tenant, id) do nothing
  returning tenant, id
)
insert into memory.commits (id, members, digests, tenants, published, recorded_at, traceparents)
select $1::uuid,
  '[' || string_agg(json_build_array(id, 0)::text, ',' order by ordinal) || ']',
  string_agg(substring($14::bytea from (ordinal::int - 1) * 32 + 1 for 32), ''::bytea order by ordinal),
  array_agg(distinct tenant), true, $2::timestamptz, $15::text[]
from tried join won using (tenant, id)
having count(*) > 0`;
