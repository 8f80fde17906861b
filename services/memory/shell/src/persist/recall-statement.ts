// The one statement of a batch of recalls.

/** Name of the prepared statement; it changes with the text. */
export const RECALL_STATEMENT = 'memory-recall-1';

const COLUMNS = 'i.id, i.body, i.metadata, i.trust, i.structure, i.created_at';
// Equal tenants are part of the statement: the engine role sees them all.
const VISIBLE = 'i.tenant = q.tenant and i.scope = q.scope and i.trust = any(string_to_array(q.trusts, \',\')) and i.body is not null';

/**
 * Per recall: $1 tenants, $2 scopes, $3 queries, $4 limits, $5 trust levels that will do (joined by commas). Words are looked for one by
 * one, any of them will do, and the best matches come first, the newest of equal ones before; a query without words gives the newest.
 * @returns rows with `ordinal` (which recall, from 1), in order of each answer.
 */
export const RECALL_SQL = `
select q.ordinal::int as ordinal, i.id, i.body, i.metadata, i.trust, i.structure, i.score::float8 as score, (extract(epoch from i.created_at) * 1000)::float8 as at
from (
  select *, replace(plainto_tsquery('english', a.query)::text, '&', '|')::tsquery as wanted
  from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[]) with ordinality as a(tenant, scope, query, most, trusts, ordinal)
) q cross join lateral (
  (select ${COLUMNS}, 0::float4 as score from memory.items i where numnode(q.wanted) = 0 and ${VISIBLE} order by i.created_at desc, i.id desc limit q.most)
  union all
  (select ${COLUMNS}, ts_rank_cd(i.words, q.wanted) as score from memory.items i where numnode(q.wanted) > 0 and i.words @@ q.wanted and ${VISIBLE}
    order by ts_rank_cd(i.words, q.wanted) desc, i.created_at desc, i.id desc limit q.most)
) i
order by q.ordinal, i.score desc, i.created_at desc, i.id desc`;
