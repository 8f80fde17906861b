// The statements behind reservations: each is one transaction by itself, so that a stopped client holds no lock. All lock counters in the same order.

const AMOUNTS = ['money', 'tokens', 'calls'] as const;

/** $1 tenants, $2 counters, $3 starts of counters that may be new. */
export const OPEN_SQL = `
insert into tools.budget_counters (tenant, counter, start_at)
select * from unnest($1::text[], $2::text[], $3::timestamptz[]) as c order by 1, 2, 3
on conflict do nothing`;

/**
 * Takes reservations when all of them fit, and none otherwise.
 * $1 tenants, $2 counters, $3 starts, $4 to $6 caps (null: none) of the counters; $7 tenants, $8 keys, $9 holds, $10 to $12 amounts, $13 leases in
 * milliseconds of the reservations; $14 and $15: which reservation (from 1) draws on which counter (from 1).
 * A key that was freed is taken again; one that is held or spent takes nothing.
 * @returns a row a counter, with its figures before, whether all fitted, and the reservations (from 1) that were taken.
 */
export const RESERVE_SQL = `
with asked as materialized (
  select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::float8[], $5::float8[], $6::float8[]) with ordinality as a(tenant, counter, start_at, cap_money, cap_tokens, cap_calls, place)
), holds as materialized (
  select * from unnest($7::text[], $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::float8[]) with ordinality as h(tenant, key, hold, money, tokens, calls, lease_ms, place)
), links as materialized (
  select * from unnest($14::int[], $15::int[]) as l(hold_place, counter_place)
), locked as materialized (
  select c.*, a.place, a.cap_money, a.cap_tokens, a.cap_calls from tools.budget_counters c join asked a using (tenant, counter, start_at) order by c.tenant, c.counter, c.start_at for update of c
), wanted as (
  select l.counter_place as place, sum(h.money) as money, sum(h.tokens) as tokens, sum(h.calls) as calls from links l join holds h on h.place = l.hold_place group by 1
), room as materialized (
  select count(*) = cardinality($1::text[]) and coalesce(bool_and(${AMOUNTS.map((one) => `(coalesce(w.${one}, 0) = 0 or k.cap_${one} is null or k.spent_${one} + k.reserved_${one} + w.${one} <= k.cap_${one})`).join(' and ')}), true) as fits
  from locked k left join wanted w using (place)
), held as (
  insert into tools.budget_reservations as r (tenant, key, hold, state, money, tokens, calls, counters, starts, lease_until)
  select h.tenant, h.key, h.hold, 'held', h.money, h.tokens, h.calls, d.counters, d.starts, clock_timestamp() + h.lease_ms * interval '1 millisecond'
  from holds h join (
    select l.hold_place, array_agg(a.counter order by a.place) as counters, array_agg(a.start_at order by a.place) as starts from links l join asked a on a.place = l.counter_place group by 1
  ) d on d.hold_place = h.place
  where (select fits from room)
  order by h.tenant, h.key, h.hold
  on conflict (tenant, key, hold) do update set state = 'held', money = excluded.money, tokens = excluded.tokens, calls = excluded.calls,
    counters = excluded.counters, starts = excluded.starts, lease_until = excluded.lease_until
    where r.state = 'freed'
  returning r.tenant, r.key, r.hold
), taken as materialized (
  select h.* from holds h join held using (tenant, key, hold)
), counted as (
  update tools.budget_counters c
  set ${AMOUNTS.map((one) => `reserved_${one} = c.reserved_${one} + s.${one}`).join(', ')}, changed_at = clock_timestamp()
  from (
    select a.tenant, a.counter, a.start_at, sum(t.money) as money, sum(t.tokens) as tokens, sum(t.calls) as calls
    from taken t join links l on l.hold_place = t.place join asked a on a.place = l.counter_place group by 1, 2, 3
  ) s
  where c.tenant = s.tenant and c.counter = s.counter and c.start_at = s.start_at
)
select k.place::int as place, ${AMOUNTS.map((one) => `k.spent_${one}::float8 as spent_${one}, k.reserved_${one}::float8 as reserved_${one}`).join(', ')},
  (select fits from room) as fits, (select coalesce(array_agg(place::int), '{}') from taken) as taken
from locked k order by k.place`;

/** State of reservations that were there before. $1 tenants, $2 keys, $3 holds, $4 leases in milliseconds. Those that are held live on. */
export const JOIN_SQL = `
with told as (
  select * from unnest($1::text[], $2::text[], $3::text[], $4::float8[]) as t(tenant, key, hold, lease_ms)
), renewed as (
  update tools.budget_reservations r set lease_until = greatest(r.lease_until, clock_timestamp() + t.lease_ms * interval '1 millisecond')
  from told t where r.tenant = t.tenant and r.key = t.key and r.hold = t.hold and r.state = 'held'
  returning r.tenant, r.key, r.hold
)
select t.key, t.hold, case when n.key is not null then 'held' else r.state end as state
from told t left join renewed n using (tenant, key, hold) left join tools.budget_reservations r using (tenant, key, hold)`;

// What follows once it is known which reservations end how: `ended` has the reservation's columns, `becomes` and what was spent.
const END = `
, links as materialized (
  select e.*, u.counter, u.start_at from ended e, unnest(e.counters, e.starts) as u(counter, start_at)
), locked as materialized (
  select c.tenant, c.counter, c.start_at from tools.budget_counters c
  where (c.tenant, c.counter, c.start_at) in (select tenant, counter, start_at from links) order by c.tenant, c.counter, c.start_at for update of c
), counted as (
  update tools.budget_counters c
  set ${AMOUNTS.map((one) => `reserved_${one} = c.reserved_${one} - s.held_${one}, spent_${one} = c.spent_${one} + s.used_${one}`).join(', ')}, changed_at = clock_timestamp()
  from (
    select l.tenant, l.counter, l.start_at, ${AMOUNTS.map((one) => `sum(l.${one}) as held_${one}, sum(l.used_${one}) as used_${one}`).join(', ')}
    from links l join locked using (tenant, counter, start_at) group by 1, 2, 3
  ) s
  where c.tenant = s.tenant and c.counter = s.counter and c.start_at = s.start_at
), over as (
  update tools.budget_reservations r set state = e.becomes, ${AMOUNTS.map((one) => `${one} = e.used_${one}`).join(', ')}, lease_until = clock_timestamp()
  from ended e where r.tenant = e.tenant and r.key = e.key and r.hold = e.hold
)`;

/** Ends reservations. $1 tenants, $2 keys, $3 holds, $4 `spent` or `freed`, $5 to $7 what was spent. One that is over stays as it is. */
export const SETTLE_SQL = `
with told as materialized (
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[]) as t(tenant, key, hold, becomes, used_money, used_tokens, used_calls)
), ended as materialized (
  select r.*, t.becomes, t.used_money, t.used_tokens, t.used_calls from tools.budget_reservations r join told t using (tenant, key, hold)
  where r.state = 'held' order by r.tenant, r.key, r.hold for update of r
)${END}
select count(*)::int as ended from ended`;

/**
 * Ends reservations whose lease is over, $1 at most. A write that the effect ledger knows nothing of was never sent, because its dispatch is recorded
 * first: it is freed. Everything else may have happened and counts as spent.
 */
export const SWEEP_SQL = `
with late as materialized (
  select r.*, r.hold = '' and not exists (select 1 from tools.effects e where e.tenant = r.tenant and e.key = r.key) as is_unsent
  from tools.budget_reservations r where r.state = 'held' and r.lease_until < clock_timestamp() order by r.tenant, r.key, r.hold limit $1 for update of r skip locked
), ended as materialized (
  select l.*, case when is_unsent then 'freed' else 'spent' end as becomes, ${AMOUNTS.map((one) => `case when is_unsent then 0 else l.${one} end as used_${one}`).join(', ')} from late l
)${END}
select count(*) filter (where becomes = 'freed')::int as freed, count(*) filter (where becomes = 'spent')::int as spent from ended`;

/** $1 tenants, $2 keys, $3 holds, $4 leases in milliseconds. @returns those that are still held. */
export const RENEW_SQL = `
update tools.budget_reservations r set lease_until = clock_timestamp() + t.lease_ms * interval '1 millisecond'
from unnest($1::text[], $2::text[], $3::text[], $4::float8[]) as t(tenant, key, hold, lease_ms)
where r.tenant = t.tenant and r.key = t.key and r.hold = t.hold and r.state = 'held'
returning r.tenant, r.key, r.hold`;

/**
 * Forgets what nobody can ask for any more: $1 days after reservations ended, $2 days after a counter was last drawn on; $3 rows at most of each.
 * What counts for ever is kept, but for executions.
 */
export const FORGET_SQL = `
with old as (
  delete from tools.budget_reservations where ctid = any(array(select ctid from tools.budget_reservations where state <> 'held' and lease_until < clock_timestamp() - $1 * interval '1 day' limit $3))
)
delete from tools.budget_counters where ctid = any(array(select ctid from tools.budget_counters where changed_at < clock_timestamp() - $2 * interval '1 day' and (start_at > 'epoch' or counter like 'execution/%') and reserved_calls = 0 and reserved_tokens = 0 and reserved_money = 0 limit $3))`;
