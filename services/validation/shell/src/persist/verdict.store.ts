// Verdicts in PostgreSQL: a batch of them is one statement with its commit row.
import { commitStatement, type Pool } from '@weft/adapter-postgres';
import { bucketOf, uuidv7, type Instant } from '@weft/kernel';
import { commitParts, memberDigest, payloadDigest } from '@weft/proof';
import type { Verdict } from '@weft/validation/core';
import { randomBytes } from 'node:crypto';

/** A verdict and what it is about. The id is the job's idempotency key. */
export interface NewVerdict {
  readonly tenant: string;
  readonly id: string;
  readonly executionId: string;
  readonly pointer: string;
  readonly verdict: Verdict;
}

// $1 commit id, $2 instant; per verdict in order of tenant and id: $3 tenants, $4 ids, $5 execution ids, $6 buckets, $7 verdicts,
// $8 structures, $9 payloads; $10 salts (16 bytes each, joined), $11 payload digests, $12 member digests (32 bytes each, joined).
const STORE_SQL = `
with tried as materialized (
  select * from unnest($3::text[], $4::text[], $5::uuid[], $6::smallint[], $7::text[], $8::text[], $9::text[])
    with ordinality as t(tenant, id, execution_id, bucket, verdict, structure, payload, ordinal)
), won as (
  insert into validation.verdicts (tenant, id, execution_id, bucket, commit_id, verdict, structure, payload, payload_salt, payload_digest, recorded_at)
  select tenant, id, execution_id, bucket, $1::uuid, verdict, structure, payload,
    substring($10::bytea from (ordinal::int - 1) * 16 + 1 for 16), substring($11::bytea from (ordinal::int - 1) * 32 + 1 for 32), $2::timestamptz
  from tried order by ordinal
  on conflict do nothing
  returning tenant, id
)
insert into validation.commits (id, members, digests, tenants, published, recorded_at)
select $1::uuid, '[' || string_agg('[' || to_json('verdict/' || id)::text || ',0]', ',' order by ordinal) || ']',
  string_agg(substring($12::bytea from (ordinal::int - 1) * 32 + 1 for 32), ''::bytea order by ordinal), array_agg(distinct tenant), true, $2::timestamptz
from tried join won using (tenant, id)
having count(*) > 0`;

export class VerdictStore {
  /** @param pool of the engine role: a batch holds verdicts of several tenants. */
  constructor(private readonly pool: Pool) {}

  /** Keeps the verdicts; a job that was judged before keeps its first one. */
  async store(given: readonly NewVerdict[], at: Instant): Promise<void> {
    for (const part of commitParts(given)) await this.#storePart(part, at);
  }

  async #storePart(part: readonly NewVerdict[], at: Instant): Promise<void> {
    // Sorted, so that two batches never wait for each other's rows in opposite orders.
    const verdicts = [...part].sort((left, right) => (left.tenant + left.id < right.tenant + right.id ? -1 : 1));
    const commitId = uuidv7(at, randomBytes(10));
    const salts = randomBytes(verdicts.length * 16);
    const rows = verdicts.map(({ tenant, id, executionId, pointer, verdict: { evidence, ...rest } }, index) => {
      const structure = JSON.stringify({ executionId, pointer, ...rest });
      const payload = JSON.stringify(evidence);
      const digest = payloadDigest(salts.subarray(index * 16, index * 16 + 16), payload);
      return { structure, payload, digest, member: memberDigest({ subject: `verdict/${id}`, sequence: 0, tenant, at, structure, payloadDigest: digest }) };
    });
    const executions = verdicts.map((verdict) => verdict.executionId);
    await commitStatement(this.pool, commitId, {
      name: 'validation-store-1',
      text: STORE_SQL,
      values: [
        commitId,
        new Date(at),
        verdicts.map((verdict) => verdict.tenant),
        verdicts.map((verdict) => verdict.id),
        executions,
        executions.map(bucketOf),
        verdicts.map(({ verdict }) => verdict.verdict),
        rows.map((row) => row.structure),
        rows.map((row) => row.payload),
        salts,
        Buffer.concat(rows.map((row) => row.digest)),
        Buffer.concat(rows.map((row) => row.member)),
      ],
    });
  }
}
