// The one statement of a batch of ledger decisions: dispatches and outcomes alike, and the batch's commit row.

/** Name of the prepared statement; it changes with the text. */
export const COMMIT_STATEMENT = 'tools-commit-1';

/**
 * $1 commit id, $2 instant; per decision, in order of the key: $3 tenants, $4 keys, $5 sequences, $6 execution ids, $7 buckets,
 * $8 pointers, $9 iterations, $10 generations, $11 tools, $12 effect classes, $13 states, $14 attempts, $15 instants of dispatch,
 * $16 timeouts, $17 structures, $18 requests, $19 responses, $20 salts (16 bytes each, joined), $21 payload digests and
 * $22 member digests (32 bytes each, joined).
 * The first decision inserts, each later one updates the version before it: who comes second changes nothing.
 * @returns the keys that won.
 */
export const COMMIT_SQL = `
with tried as materialized (
  select * from unnest($3::text[], $4::text[], $5::int[], $6::uuid[], $7::smallint[], $8::text[], $9::text[], $10::int[], $11::text[], $12::text[],
      $13::text[], $14::int[], $15::timestamptz[], $16::int[], $17::text[], $18::text[], $19::text[])
    with ordinality as t(tenant, key, sequence, execution_id, bucket, pointer, iteration, generation, tool, effect, state, attempts, dispatched_at, timeout_ms, structure, request, response, ordinal)
), won as (
  insert into tools.effects as e (tenant, key, sequence, execution_id, bucket, pointer, iteration, generation, tool, effect, state, attempts, dispatched_at, timeout_ms,
    structure, request, request_salt, request_digest, response, response_salt, response_digest, commit_id, recorded_at)
  select tenant, key, sequence, execution_id, bucket, pointer, iteration, generation, tool, effect, state, attempts, dispatched_at, timeout_ms, structure,
    request, case when request is not null then salt end, case when request is not null then digest end,
    response, case when response is not null then salt end, case when response is not null then digest end, $1::uuid, $2::timestamptz
  from (select *, substring($20::bytea from (ordinal::int - 1) * 16 + 1 for 16) as salt, substring($21::bytea from (ordinal::int - 1) * 32 + 1 for 32) as digest from tried) as salted
  order by ordinal
  on conflict (tenant, key) do update set
    sequence = excluded.sequence, state = excluded.state, attempts = excluded.attempts, dispatched_at = excluded.dispatched_at, timeout_ms = excluded.timeout_ms,
    structure = e.structure || E'\\n' || excluded.structure,
    response = coalesce(excluded.response, e.response),
    response_salt = coalesce(excluded.response_salt, e.response_salt),
    response_digest = coalesce(excluded.response_digest, e.response_digest),
    commit_id = excluded.commit_id, recorded_at = excluded.recorded_at
    where e.sequence = excluded.sequence - 1
  returning e.tenant, e.key, e.sequence
), committed as (
  insert into tools.commits (id, members, digests, tenants, published, recorded_at)
  select $1::uuid,
    '[' || string_agg(json_build_array(key, sequence)::text, ',' order by ordinal) || ']',
    string_agg(substring($22::bytea from (ordinal::int - 1) * 32 + 1 for 32), ''::bytea order by ordinal),
    array_agg(distinct tenant), true, $2::timestamptz
  from tried join won using (tenant, key, sequence)
  having count(*) > 0
)
select key from won`;
