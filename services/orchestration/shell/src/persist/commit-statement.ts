// The one statement of a batch. The history rows that win decide everything else: all other parts ask them.

/**
 * $1 commit id, $2 instant; per decision, in order of execution id: $3 execution ids, $4 sequences, $5 tenants, $6 buckets,
 * $7 structures, $8 payloads, $9 salts, $10 payload digests; of the batch: $11 how many decisions it has, $12 its members as
 * JSON, $13 their digests (32 bytes each, joined), $14 its tenants, $15 whether it has something to publish; $16 traces that are
 * recorded, so that audit's span joins them.
 * The commit row is written as it was made when all decisions won, and put together from the winners otherwise; it may then say
 * that there is something to publish when there is not, which recovery finds out and marks.
 */
const DECISIONS = `
with won as (
  insert into orchestration.history (execution_id, sequence, tenant, bucket, commit_id, recorded_at, structure, payload, payload_salt, payload_digest)
  select execution_id, sequence, tenant, bucket, $1::uuid, $2::timestamptz, structure, payload, salt, digest
  from unnest($3::uuid[], $4::int[], $5::text[], $6::smallint[], $7::text[], $8::text[], $9::bytea[], $10::bytea[])
    as t(execution_id, sequence, tenant, bucket, structure, payload, salt, digest)
  on conflict do nothing
  returning execution_id
), outcome as (
  select count(*) = $11::int as is_whole, count(*) > 0 as is_any from won
), committed as (
  insert into orchestration.commits (id, members, digests, tenants, published, recorded_at, traceparents)
  select $1::uuid,
    case when is_whole then $12::text else (
      select '[' || string_agg('["' || execution_id || '",' || sequence || ']', ',' order by ordinal) || ']'
      from unnest($3::uuid[], $4::int[]) with ordinality as t(execution_id, sequence, ordinal) where execution_id in (select execution_id from won)) end,
    case when is_whole then $13::bytea else (
      select string_agg(substring($13::bytea from (ordinal::int - 1) * 32 + 1 for 32), ''::bytea order by ordinal)
      from unnest($3::uuid[]) with ordinality as t(execution_id, ordinal) where execution_id in (select execution_id from won)) end,
    case when is_whole then $14::text[] else (
      select array_agg(distinct tenant) from unnest($3::uuid[], $5::text[]) as t(execution_id, tenant) where execution_id in (select execution_id from won)) end,
    not $15::boolean, $2::timestamptz, $16::text[]
  from outcome where is_any
`;

/** The same for a lone decision, which need not be put together from lists: a seventh of its commit. $3 to $10 are values, not arrays. */
const DECISION = `
with won as (
  insert into orchestration.history (execution_id, sequence, tenant, bucket, commit_id, recorded_at, structure, payload, payload_salt, payload_digest)
  values ($3::uuid, $4::int, $5::text, $6::smallint, $1::uuid, $2::timestamptz, $7::text, $8::text, $9::bytea, $10::bytea)
  on conflict do nothing
  returning execution_id
), outcome as (
  select count(*) = $11::int as is_whole from won
), committed as (
  insert into orchestration.commits (id, members, digests, tenants, published, recorded_at, traceparents)
  select $1::uuid, $12::text, $13::bytea, $14::text[], not $15::boolean, $2::timestamptz, $16::text[] from outcome where is_whole
`;

// Asked once when every decision won; else of each row.
const HAS_WON = (id: string): string => `((select is_whole from outcome) or ${id} in (select execution_id from won))`;

/** JSON arrays: $17 starts, $18 changes of status, of those that end with the sequence, and of the definition; $19 earlier commits that have been published. */
const LIFE = `), started as (
  insert into orchestration.executions (tenant, id, bucket, status, definition, digest, request_source, request_id, request_type, trace_id, parent, root, started_at, ended_at, ended_sequence)
  select s.tenant, s.id, s.bucket, s.status, s.definition, s.digest, s.request_source, s.request_id, s.request_type, s.trace_id, s.parent, s.root, $2::timestamptz, case when s.ended_sequence is not null then $2::timestamptz end, s.ended_sequence
  from json_to_recordset($17::json) as s(tenant text, id uuid, bucket smallint, status text, ended_sequence int, definition text, digest text, request_source text, request_id text, request_type text, trace_id text, parent uuid, root uuid)
  where ${HAS_WON('s.id')}
  on conflict do nothing
), ended as (
  update orchestration.executions e set status = x.status, definition = coalesce(x.definition, e.definition), digest = coalesce(x.digest, e.digest),
    ended_at = case when x.is_same then e.ended_at when x.sequence is not null then $2::timestamptz end, ended_sequence = case when x.is_same then e.ended_sequence else x.sequence end
  from json_to_recordset($18::json) as x(tenant text, id uuid, status text, sequence int, definition text, digest text, is_same boolean)
  where e.tenant = x.tenant and e.id = x.id and ${HAS_WON('x.id')}
), acknowledged as (
  update orchestration.commits set published = true where id = any($19::uuid[])`;

/** JSON arrays: $20 waits, $21 waits that are over, $22 reviews opened or changed, $23 reviews closed. */
const WAITING = `
), parked as (
  insert into orchestration.waits (tenant, execution_id, id, bucket, kind, subject, due_at, correlation)
  select w.tenant, w.execution_id, w.id, w.bucket, w.kind, w.subject, w.due_at, w.correlation
  from json_to_recordset($20::json) as w(tenant text, execution_id uuid, id text, bucket smallint, kind text, subject text, due_at timestamptz, correlation text)
  where ${HAS_WON('w.execution_id')}
  on conflict (tenant, execution_id, id) do update set due_at = excluded.due_at, kind = excluded.kind, subject = excluded.subject, claimed_until = null
), unparked as (
  delete from orchestration.waits w
  using json_to_recordset($21::json) as g(tenant text, execution_id uuid, id text)
  where w.tenant = g.tenant and w.execution_id = g.execution_id and w.id = g.id and ${HAS_WON('g.execution_id')}
), opened as (
  insert into orchestration.reviews as r (tenant, id, execution_id, bucket, kind, title, subject, form, status, opened_at, workflow, requested_by, digest, assignees, approvals_needed, approved_by,
    claimed_by, claimed_until, due_at, expires_at)
  select o.tenant, o.id, o.execution_id, o.bucket, o.kind, o.title, o.subject, o.form, 'open', o.opened_at, o.workflow, o.requested_by, o.digest, o.assignees, o.approvals_needed, o.approved_by,
    o.claimed_by, o.claimed_until, o.due_at, o.expires_at
  from json_to_recordset($22::json) as o(tenant text, id text, execution_id uuid, bucket smallint, kind text, title text, subject text, form text, opened_at timestamptz, workflow text,
    requested_by text, digest text, assignees text[], approvals_needed smallint, approved_by text[], claimed_by text, claimed_until timestamptz, due_at timestamptz, expires_at timestamptz)
  where ${HAS_WON('o.execution_id')}
  on conflict (tenant, id) do update set status = 'open', closed_at = null, assignees = excluded.assignees, approved_by = excluded.approved_by, claimed_by = excluded.claimed_by,
    claimed_until = excluded.claimed_until where r.status in ('open', 'withdrawn')
), closed as (
  update orchestration.reviews r set status = c.status, decided_by = c.decided_by, comment = c.comment, closed_at = $2::timestamptz, claimed_by = null, claimed_until = null,
    approved_by = coalesce(c.approved_by, r.approved_by)
  from json_to_recordset($23::json) as c(tenant text, id text, execution_id uuid, status text, decided_by text, approved_by text[], comment text)
  where r.tenant = c.tenant and r.id = c.id and ${HAS_WON('c.execution_id')}`;

/** JSON array: $24 search attributes of executions that start. */
const FOUND_BY = `
), attributed as (
  insert into orchestration.search_attributes (tenant, execution_id, bucket, name, value)
  select a.tenant, a.execution_id, a.bucket, a.name, a.value
  from json_to_recordset($24::json) as a(tenant text, execution_id uuid, bucket smallint, name text, value text)
  where ${HAS_WON('a.execution_id')}
  on conflict do nothing`;

/** JSON arrays: $25 by what executions are found before they listen, $26 by what they are found no more. */
const SUBSCRIBED = `
), unsubscribed as (
  delete from orchestration.subscriptions s
  using json_to_recordset($26::json) as g(tenant text, execution_id uuid, correlation text)
  where s.tenant = g.tenant and s.execution_id = g.execution_id and s.correlation = g.correlation and ${HAS_WON('g.execution_id')}
), subscribed as (
  insert into orchestration.subscriptions (tenant, execution_id, bucket, correlation)
  select s.tenant, s.execution_id, s.bucket, s.correlation
  from json_to_recordset($25::json) as s(tenant text, execution_id uuid, bucket smallint, correlation text)
  where ${HAS_WON('s.execution_id')}
  on conflict do nothing`;

const WINNERS = `
)
select execution_id from won`;

/**
 * The statement in five lengths, each the one before and more; all return the execution ids that won. The server sets up every
 * part of a statement that it runs, empty or not, and a lone decision waits for it (a batch that only writes history saves 15 %
 * of its commit by the short one, the two run in turn). The number changes with the texts.
 */
const inLengths = (name: string, decided: string) =>
  ({
    decisions: { name: `${name}-decisions-7`, text: decided + WINNERS },
    life: { name: `${name}-life-7`, text: decided + LIFE + WINNERS },
    waiting: { name: `${name}-waiting-7`, text: decided + LIFE + WAITING + WINNERS },
    foundBy: { name: `${name}-found-by-7`, text: decided + LIFE + WAITING + FOUND_BY + WINNERS },
    subscribed: { name: `${name}-subscribed-7`, text: decided + LIFE + WAITING + FOUND_BY + SUBSCRIBED + WINNERS },
  }) as const;

/** For many decisions and for one. */
export const COMMIT = { batch: inLengths('orchestration-commit', DECISIONS), lone: inLengths('orchestration-commit-lone', DECISION) } as const;
