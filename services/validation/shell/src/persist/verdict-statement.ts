// The one statement of a batch of verdicts. Those that win decide what its commit row holds.

/** Name of the prepared statement; it changes with the text. */
export const RECORD_STATEMENT = 'validation-record-1';

/**
 * $1 commit id, $2 instant; per verdict, in order of tenant and id: $3 tenants, $4 ids, $5 execution ids, $6 buckets, $7 verdicts,
 * $8 schema digests, $9 policies, $10 structures, $11 evidence; $12 salts (16 bytes each, joined), $13 payload digests and $14 member
 * digests (32 bytes each, joined); $15 traces that are recorded.
 * An id that is taken stays as it is.
 */
export const RECORD_SQL = `
with tried as materialized (
  select * from unnest($3::text[], $4::text[], $5::uuid[], $6::smallint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
    with ordinality as t(tenant, id, execution_id, bucket, verdict, schema_digest, policy, structure, evidence, ordinal)
), won as (
  insert into validation.verdicts (tenant, id, execution_id, bucket, commit_id, recorded_at, verdict, schema_digest, policy, structure, evidence, payload_salt, payload_digest)
  select tenant, id, execution_id, bucket, $1::uuid, $2::timestamptz, verdict, schema_digest, policy, structure, evidence,
    substring($12::bytea from (ordinal::int - 1) * 16 + 1 for 16), substring($13::bytea from (ordinal::int - 1) * 32 + 1 for 32)
  from tried order by ordinal
  on conflict (tenant, id) do nothing
  returning tenant, id
)
insert into validation.commits (id, members, digests, tenants, published, recorded_at, traceparents)
select $1::uuid,
  '[' || string_agg(json_build_array(id, 0)::text, ',' order by ordinal) || ']',
  string_agg(substring($14::bytea from (ordinal::int - 1) * 32 + 1 for 32), ''::bytea order by ordinal),
  array_agg(distinct tenant), true, $2::timestamptz, $15::text[]
from tried join won using (tenant, id)
having count(*) > 0`;
