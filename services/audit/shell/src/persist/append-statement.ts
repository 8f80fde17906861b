// The one statement that appends: head, claims, tiles, leaves, index and marks together or not at all. It commits by itself, so that a
// sequencer that is stopped in the middle holds no row of another service.

/** Name of the prepared statement. A connection serves one list of services, so the name need not tell lists apart. */
export const APPEND_STATEMENT = 'audit-append-1';

/**
 * $1 epoch, $2 size before, $3 size after, $4 root, $5 signed checkpoint; per leaf, in order: $6 services, $7 commit ids,
 * $8 tenants (JSON arrays as text), $9 entries (joined), $10 and $11 their offsets (from 1) and lengths; per tile: $12 levels,
 * $13 indexes, $14 bytes (joined), $15 and $16 their offsets and lengths; $17 executions with $18 the leaves they are in.
 *
 * Nothing is written unless the head is of this epoch and size, and every commit row could be locked without waiting: waiting would
 * hold up the service that works on it, and could end in a deadlock with it.
 * @returns `is_ours`: the head was as expected; `is_appended`: everything was written; `claimed`: commits that could be locked.
 */
export function appendSql(services: readonly string[]): string {
  const claims = services.map(
    (service, n) => `claimed_${n} as materialized (
  select c.id from ${service}.commits c
  where exists (select from ours) and c.id in (select commit_id from tried where service = '${service}') and c.sequenced is null
  for update of c skip locked
)`,
  );
  const marks = services.map(
    (service, n) => `marked_${n} as (
  update ${service}.commits c set sequenced = $2::bigint + t.ordinal - 1 from tried t, go where t.service = '${service}' and c.id = t.commit_id
)`,
  );
  return `
with ours as materialized (
  select id from audit.head where epoch = $1::bigint and size = $2::bigint for update
), tried as materialized (
  select * from unnest($6::text[], $7::uuid[], $8::text[], $10::int[], $11::int[]) with ordinality as t(service, commit_id, tenants, start, length, ordinal)
), ${claims.join(', ')}, claimed as (
  ${services.map((_, n) => `select id from claimed_${n}`).join(' union all ')}
), go as materialized (
  select 1 as yes from ours where (select count(*) from claimed) = cardinality($7::uuid[])
), stored as (
  insert into audit.tiles (level, index, bytes)
  select t.level, t.index, substring($14::bytea from t.start for t.length) from go, unnest($12::smallint[], $13::bigint[], $15::int[], $16::int[]) as t(level, index, start, length)
  on conflict (level, index) do update set bytes = excluded.bytes
), logged as (
  insert into audit.leaves (index, service, commit_id, tenants, entry)
  select $2::bigint + t.ordinal - 1, t.service, t.commit_id, array(select json_array_elements_text(t.tenants::json)), substring($9::bytea from t.start for t.length) from go, tried t
), indexed as (
  insert into audit.members (subject, leaf_index) select m.subject, m.leaf_index from go, unnest($17::uuid[], $18::bigint[]) as m(subject, leaf_index)
), ${marks.join(', ')}, headed as (
  update audit.head h set size = $3::bigint, root = $4::bytea, note = $5::text, updated_at = now() from go, ours where h.id = ours.id
)
select exists (select from ours) as is_ours, exists (select from go) as is_appended, array(select id::text from claimed) as claimed`;
}

/** Commit rows that are not in the log. $1 rows of a service at most, $2 commits to leave out. */
export function unsequencedSql(services: readonly string[]): string {
  const parts = services.map(
    // A row that has yet to be marked as published is about to be updated by its own service: there is no hurry to lock it.
    (service) => `(select '${service}' as service, id, members, digests, tenants, traceparents, (extract(epoch from recorded_at) * 1000)::float8 as at from ${service}.commits
  where sequenced is null and (published or recorded_at < now() - interval '300 milliseconds') and id <> all($2::uuid[]) order by id limit $1)`,
  );
  return parts.join(' union all ');
}
