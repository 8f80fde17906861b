// The one statement of a batch. The history rows that win decide everything else: all other parts join them.

/**
 * $1 commit id, $2 instant; per decision, in order of execution id: $3 execution ids, $4 sequences, $5 tenants, $6 buckets,
 * $7 structures, $8 payloads, $9 salts (16 bytes each, joined), $10 payload digests, $11 member digests (32 bytes each, joined),
 * $12 whether it has something to publish; $13 traces that are recorded, so that audit's span joins them.
 */
const DECISIONS = `
with tried as materialized (
  select * from unnest($3::uuid[], $4::int[], $5::text[], $6::smallint[], $7::text[], $8::text[], $12::boolean[])
    with ordinality as t(execution_id, sequence, tenant, bucket, structure, payload, announces, ordinal)
), won as (
  insert into orchestration.history (execution_id, sequence, tenant, bucket, commit_id, recorded_at, structure, payload, payload_salt, payload_digest)
  select execution_id, sequence, tenant, bucket, $1::uuid, $2::timestamptz, structure, payload,
    substring($9::bytea from (ordinal::int - 1) * 16 + 1 for 16), substring($10::bytea from (ordinal::int - 1) * 32 + 1 for 32)
  from tried order by ordinal
  on conflict do nothing
  returning execution_id, sequence
), committed as (
  insert into orchestration.commits (id, members, digests, tenants, published, recorded_at, traceparents)
  select $1::uuid,
    '[' || string_agg('["' || execution_id || '",' || sequence || ']', ',' order by ordinal) || ']',
    string_agg(substring($11::bytea from (ordinal::int - 1) * 32 + 1 for 32), ''::bytea order by ordinal),
    array_agg(distinct tenant), not bool_or(announces), $2::timestamptz, $13::text[]
  from tried join won using (execution_id, sequence)
  having count(*) > 0
`;

/** JSON arrays: $14 starts, $15 changes of status, of those that end with the sequence; $16 earlier commits that have been published. */
const LIFE = `), started as (
  insert into orchestration.executions (tenant, id, bucket, status, definition, digest, request_source, request_id, request_type, trace_id, started_at, ended_at, ended_sequence)
  select s.tenant, s.id, s.bucket, s.status, s.definition, s.digest, s.request_source, s.request_id, s.request_type, s.trace_id, $2::timestamptz, case when s.ended_sequence is not null then $2::timestamptz end, s.ended_sequence
  from json_to_recordset($14::json) as s(tenant text, id uuid, bucket smallint, status text, ended_sequence int, definition text, digest text, request_source text, request_id text, request_type text, trace_id text)
  join won on won.execution_id = s.id
  on conflict do nothing
), ended as (
  update orchestration.executions e set status = x.status, ended_at = case when x.sequence is not null then $2::timestamptz end, ended_sequence = x.sequence
  from json_to_recordset($15::json) as x(tenant text, id uuid, status text, sequence int)
  join won on won.execution_id = x.id
  where e.tenant = x.tenant and e.id = x.id
), acknowledged as (
  update orchestration.commits set published = true where id = any($16::uuid[])`;

/** JSON arrays: $17 waits, $18 waits that are over, $19 reviews opened, $20 reviews closed. */
const WAITING = `
), parked as (
  insert into orchestration.waits (tenant, execution_id, id, bucket, kind, subject, due_at)
  select w.tenant, w.execution_id, w.id, w.bucket, w.kind, w.subject, w.due_at
  from json_to_recordset($17::json) as w(tenant text, execution_id uuid, id text, bucket smallint, kind text, subject text, due_at timestamptz)
  join won using (execution_id)
  on conflict (tenant, execution_id, id) do update set due_at = excluded.due_at, kind = excluded.kind, subject = excluded.subject, claimed_until = null
), unparked as (
  delete from orchestration.waits w
  using json_to_recordset($18::json) as g(tenant text, execution_id uuid, id text) join won using (execution_id)
  where w.tenant = g.tenant and w.execution_id = g.execution_id and w.id = g.id
), opened as (
  insert into orchestration.reviews as r (tenant, id, execution_id, bucket, kind, title, subject, status, opened_at)
  select o.tenant, o.id, o.execution_id, o.bucket, o.kind, o.title, o.subject, 'open', $2::timestamptz
  from json_to_recordset($19::json) as o(tenant text, id text, execution_id uuid, bucket smallint, kind text, title text, subject text)
  join won using (execution_id)
  on conflict (tenant, id) do update set status = 'open', closed_at = null where r.status = 'withdrawn'
), closed as (
  update orchestration.reviews r set status = c.status, decided_by = c.decided_by, comment = c.comment, closed_at = $2::timestamptz
  from json_to_recordset($20::json) as c(tenant text, id text, execution_id uuid, status text, decided_by text, comment text) join won using (execution_id)
  where r.tenant = c.tenant and r.id = c.id`;

/** JSON array: $21 search attributes of executions that start. */
const FOUND_BY = `
), attributed as (
  insert into orchestration.search_attributes (tenant, execution_id, bucket, name, value)
  select a.tenant, a.execution_id, a.bucket, a.name, a.value
  from json_to_recordset($21::json) as a(tenant text, execution_id uuid, bucket smallint, name text, value text)
  join won using (execution_id)
  on conflict do nothing`;

const WINNERS = `
)
select execution_id from won`;

/**
 * The statement in four lengths, each the one before and more; all return the execution ids that won. The server sets up every
 * part of a statement that it runs, empty or not, and a lone decision waits for it (a batch that only writes history saves 15 %
 * of its commit by the short one, the two run in turn). Names change with the texts.
 */
export const COMMIT = {
  decisions: { name: 'orchestration-commit-decisions-1', text: DECISIONS + WINNERS },
  life: { name: 'orchestration-commit-life-3', text: DECISIONS + LIFE + WINNERS },
  waiting: { name: 'orchestration-commit-waiting-3', text: DECISIONS + LIFE + WAITING + WINNERS },
  foundBy: { name: 'orchestration-commit-found-by-2', text: DECISIONS + LIFE + WAITING + FOUND_BY + WINNERS },
} as const;
