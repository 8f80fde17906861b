// Memory items in PostgreSQL: one statement for all writes of a batch, one for all recalls of it.
import { commitStatement, execute, type Pool } from '@weft/adapter-postgres';
import { bucketOf, uuidv7, type Instant, type Json, type JsonObject } from '@weft/kernel';
import type { Trust } from '@weft/memory/core';
import { commitParts, memberDigest, payloadDigest } from '@weft/proof';
import { randomBytes } from 'node:crypto';

/** Where an item comes from. */
export interface Provenance {
  readonly executionId: string;
  readonly pointer: string;
  readonly workflow: string;
  readonly actor: string;
  /** Labels of the untrusted sources it came from. */
  readonly taint: readonly string[];
}

/** An item to be kept. The id is the job's idempotency key: remembering again is remembering once. */
export interface NewItem {
  readonly tenant: string;
  readonly id: string;
  readonly scope: string;
  readonly text: string;
  readonly metadata: JsonObject;
  readonly trust: Trust;
  readonly provenance: Provenance;
}

/** What is looked for. */
export interface ItemQuery {
  readonly tenant: string;
  readonly scope: string;
  readonly query: string;
  readonly limit: number;
  readonly trusts: readonly Trust[];
}

/** An item that was found. `score` is 0 where nothing was searched for. */
export interface FoundItem {
  readonly id: string;
  readonly text: string;
  readonly metadata: Json;
  readonly trust: Trust;
  readonly provenance: Provenance;
  readonly score: number;
  readonly at: Instant;
}

// $1 commit id, $2 instant; per item in order of tenant and id: $3 tenants, $4 ids, $5 scopes, $6 execution ids, $7 buckets, $8 trusts,
// $9 structures, $10 payloads, $11 bodies; $12 salts (16 bytes each, joined), $13 payload digests, $14 member digests (32 bytes each).
const REMEMBER_SQL = `
with tried as materialized (
  select * from unnest($3::text[], $4::text[], $5::text[], $6::uuid[], $7::smallint[], $8::text[], $9::text[], $10::text[], $11::text[])
    with ordinality as t(tenant, id, scope, execution_id, bucket, trust, structure, payload, body, ordinal)
), won as (
  insert into memory.items (tenant, id, scope, execution_id, bucket, commit_id, trust, structure, payload, body, payload_salt, payload_digest, created_at)
  select tenant, id, scope, execution_id, bucket, $1::uuid, trust, structure, payload, body,
    substring($12::bytea from (ordinal::int - 1) * 16 + 1 for 16), substring($13::bytea from (ordinal::int - 1) * 32 + 1 for 32), $2::timestamptz
  from tried order by ordinal
  on conflict do nothing
  returning tenant, id
), committed as (
  insert into memory.commits (id, members, digests, tenants, published, recorded_at)
  select $1::uuid, '[' || string_agg('[' || to_json('item/' || id)::text || ',0]', ',' order by ordinal) || ']',
    string_agg(substring($14::bytea from (ordinal::int - 1) * 32 + 1 for 32), ''::bytea order by ordinal), array_agg(distinct tenant), true, $2::timestamptz
  from tried join won using (tenant, id)
  having count(*) > 0
)
select id from won`;

const FOUND = 'm.id, m.payload, m.structure, m.trust, m.created_at';
// The tenant is compared in SQL: no answer ever holds a row of another one.
const VISIBLE = "m.tenant = q.tenant and m.scope = q.scope and m.trust = any(string_to_array(q.trusts, ',')) and m.payload is not null";
// Two branches, so that each has its index: by time without words to look for, by words with them.
const RECALL_SQL = `
select q.ordinal::int - 1 as query, i.id, i.payload, i.structure, i.trust, i.score::float8 as score, (extract(epoch from i.created_at) * 1000)::float8 as at
from (
  select *, replace(plainto_tsquery('english', a.query)::text, '&', '|')::tsquery as wanted
  from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[]) with ordinality as a(tenant, scope, query, most, trusts, ordinal)
) q cross join lateral (
  (select ${FOUND}, 0::float4 as score from memory.items m where numnode(q.wanted) = 0 and ${VISIBLE} order by m.created_at desc, m.id limit q.most)
  union all
  (select ${FOUND}, ts_rank_cd(m.words, q.wanted) as score from memory.items m where numnode(q.wanted) > 0 and m.words @@ q.wanted and ${VISIBLE}
    order by ts_rank_cd(m.words, q.wanted) desc, m.created_at desc, m.id limit q.most)
) i
order by q.ordinal, i.score desc, i.created_at desc, i.id`;

// More words find no better items, and PostgreSQL refuses queries beyond its own bounds.
const QUERY_CHARACTERS_MAX = 2_000;

export class ItemStore {
  /** @param pool of the engine role: a batch holds items of several tenants. */
  constructor(private readonly pool: Pool) {}

  /** Keeps the items; those that are kept already stay as they are. */
  async remember(given: readonly NewItem[], at: Instant): Promise<void> {
    for (const part of commitParts(given)) await this.#rememberPart(part, at);
  }

  async #rememberPart(part: readonly NewItem[], at: Instant): Promise<void> {
    // Sorted, so that two batches never wait for each other's rows in opposite orders.
    const items = [...part].sort((left, right) => (left.tenant + left.id < right.tenant + right.id ? -1 : 1));
    const commitId = uuidv7(at, randomBytes(10));
    const salts = randomBytes(items.length * 16);
    const rows = items.map((item, index) => {
      const structure = JSON.stringify({ scope: item.scope, trust: item.trust, provenance: item.provenance });
      const payload = JSON.stringify({ text: item.text, metadata: item.metadata });
      const digest = payloadDigest(salts.subarray(index * 16, index * 16 + 16), payload);
      return { structure, payload, digest, member: memberDigest({ subject: `item/${item.id}`, sequence: 0, tenant: item.tenant, at, structure, payloadDigest: digest }) };
    });
    const column = <K extends keyof NewItem>(name: K): NewItem[K][] => items.map((item) => item[name]);
    const executions = items.map((item) => item.provenance.executionId);
    await commitStatement(this.pool, commitId, {
      name: 'memory-remember-1',
      text: REMEMBER_SQL,
      values: [
        commitId,
        new Date(at),
        column('tenant'),
        column('id'),
        column('scope'),
        executions,
        executions.map(bucketOf),
        column('trust'),
        rows.map((row) => row.structure),
        rows.map((row) => row.payload),
        column('text'),
        salts,
        Buffer.concat(rows.map((row) => row.digest)),
        Buffer.concat(rows.map((row) => row.member)),
      ],
    });
  }

  /** What is found for each query, best first. */
  async recall(queries: readonly ItemQuery[]): Promise<readonly (readonly FoundItem[])[]> {
    const column = <K extends keyof ItemQuery>(name: K): ItemQuery[K][] => queries.map((query) => query[name]);
    const rows = await execute<{ query: number; id: string; payload: string; structure: string; trust: Trust; score: number; at: number }>(this.pool, {
      name: 'memory-recall-2',
      text: RECALL_SQL,
      values: [column('tenant'), column('scope'), queries.map((query) => query.query.slice(0, QUERY_CHARACTERS_MAX)), column('limit'), queries.map((query) => query.trusts.join(','))],
    });
    const found: FoundItem[][] = queries.map(() => []);
    for (const row of rows) {
      const { text, metadata } = JSON.parse(row.payload) as { text: string; metadata: Json };
      const { provenance } = JSON.parse(row.structure) as { provenance: Provenance };
      found[row.query]!.push({ id: row.id, text, metadata, trust: row.trust, provenance, score: row.score, at: Math.round(row.at) });
    }
    return found;
  }
}
