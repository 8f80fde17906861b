// Requests in PostgreSQL. A batch of decisions is one statement: the rows that win decide what its commit row holds.
import { commitStatement, execute, inTenant, type Pool } from '@weft/adapter-postgres';
import { uuidv7, type Instant } from '@weft/kernel';
import { payloadDigest } from '@weft/proof';
import { randomBytes } from 'node:crypto';
import { bucketOfRequest, requestDigest, requestOfRow, structureOf, type DecidedRequest, type RequestRow, type StoredRequest } from './request-record.js';

/** The name of a request: what it is known by until it has an execution. */
export interface RequestName {
  readonly tenant: string;
  readonly source: string;
  readonly id: string;
}

/** First redelivery after this time, then after twice as long each time, up to the maximum. */
export interface RedeliveryPauses {
  readonly firstMs: number;
  readonly maxMs: number;
}

// $1 commit id, $2 instant, $3 redelivery; per request in order of its name: $4 tenants, $5 sources, $6 ids, $7 types, $8 execution ids,
// $9 buckets, $10 statuses, $11 structures, $12 payloads; $13 salts (16 bytes each, joined), $14 payload digests and $15 member
// digests (32 bytes each, joined).
const STORE_SQL = `
with tried as materialized (
  select * from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::smallint[], $10::text[], $11::text[], $12::text[])
    with ordinality as t(tenant, source, request_id, request_type, execution_id, bucket, status, structure, payload, ordinal)
), won as (
  insert into routing.requests (tenant, source, request_id, request_type, execution_id, bucket, status, commit_id, accepted_at, structure, payload, payload_salt, payload_digest, redeliver_at)
  select tenant, source, request_id, request_type, execution_id, bucket, status, $1::uuid, $2::timestamptz, structure, payload,
    substring($13::bytea from (ordinal::int - 1) * 16 + 1 for 16), substring($14::bytea from (ordinal::int - 1) * 32 + 1 for 32), $3::timestamptz
  from tried order by ordinal
  on conflict (tenant, source, request_id) do nothing
  returning execution_id
), committed as (
  insert into routing.commits (id, members, digests, tenants, published, recorded_at)
  select $1::uuid,
    '[' || string_agg('["request/' || execution_id || '",0]', ',' order by ordinal) || ']',
    string_agg(substring($15::bytea from (ordinal::int - 1) * 32 + 1 for 32), ''::bytea order by ordinal),
    array_agg(distinct tenant), true, $2::timestamptz
  from tried join won using (execution_id)
  having count(*) > 0
)
select execution_id from won`;

const COLUMNS = `r.tenant, r.source, r.request_id, r.request_type, r.execution_id, (extract(epoch from r.accepted_at) * 1000)::float8 as accepted_ms,
  r.structure, r.payload, r.payload_salt, r.payload_digest`;

const FIND_SQL = `
select ${COLUMNS} from routing.requests r
join unnest($1::text[], $2::text[], $3::text[]) as n(tenant, source, request_id) using (tenant, source, request_id)`;

const SETTLE_SQL = `
with settled as (update routing.requests set redeliver_at = null where execution_id = any($1::uuid[]) and redeliver_at is not null returning 1)
select count(*)::int as settled from settled`;

// Starts that were delivered over and over have another trouble than load: they keep nobody out.
const BACKLOG_SQL = `
select count(*)::int as backlog from (select 1 from routing.requests where redeliver_at is not null and status = 'accepted' and deliveries < 8 limit $1) x`;

const CLAIM_SQL = `
update routing.requests r set deliveries = r.deliveries + 1,
  redeliver_at = $1::timestamptz + least($3::float8, $2::float8 * power(2, least(r.deliveries, 20))) * interval '1 millisecond'
from (
  select tenant, source, request_id from routing.requests
  where redeliver_at <= $1::timestamptz and (payload is not null or status = 'refused')
  order by redeliver_at limit $4 for update skip locked
) due
where r.tenant = due.tenant and r.source = due.source and r.request_id = due.request_id
returning ${COLUMNS}`;

export class RequestStore {
  constructor(
    private readonly enginePool: Pool,
    private readonly tenantPool: Pool,
    private readonly pauses: RedeliveryPauses,
  ) {}

  /**
   * Stores requests of different names with their commit row, in one statement.
   * @returns the execution ids that won; the names of the others are taken.
   * @throws CommitUnknown when the outcome is not known: storing the same again is safe. Fault otherwise.
   */
  async store(requests: readonly DecidedRequest[], now: Instant): Promise<ReadonlySet<string>> {
    const commitId = uuidv7(now, randomBytes(10));
    const rows = await commitStatement<{ execution_id: string }>(this.enginePool, commitId, {
      name: 'routing-store-1',
      text: STORE_SQL,
      values: storeValues(requests, commitId, now, now + this.pauses.firstMs),
    });
    return new Set(rows.map((row) => row.execution_id));
  }

  /** The stored requests of these names, in no order. */
  async find(names: readonly RequestName[]): Promise<readonly StoredRequest[]> {
    const values = [names.map(({ tenant }) => tenant), names.map(({ source }) => source), names.map(({ id }) => id)];
    const rows = await execute<RequestRow>(this.enginePool, { name: 'routing-find-1', text: FIND_SQL, values });
    return rows.map(requestOfRow);
  }

  /** Takes note that these executions need no further delivery. @returns for how many of them that is new. */
  async settle(executionIds: readonly string[]): Promise<number> {
    if (executionIds.length === 0) return 0;
    const [row] = await execute<{ settled: number }>(this.enginePool, { name: 'routing-settle-2', text: SETTLE_SQL, values: [executionIds] });
    return row?.settled ?? 0;
  }

  /** Accepted requests whose execution has not begun, counted up to `limit`. */
  async countBacklog(limit: number): Promise<number> {
    const [row] = await execute<{ backlog: number }>(this.enginePool, { name: 'routing-backlog-1', text: BACKLOG_SQL, values: [limit] });
    return row?.backlog ?? 0;
  }

  /** Takes requests whose delivery is due; each is due again after a doubled pause. Any replica may ask at any time. */
  async claimDue(now: Instant, limit: number): Promise<readonly StoredRequest[]> {
    const { firstMs, maxMs } = this.pauses;
    const rows = await execute<RequestRow>(this.enginePool, { name: 'routing-claim-1', text: CLAIM_SQL, values: [new Date(now), firstMs, maxMs, limit] });
    return rows.map(requestOfRow);
  }

  /** The request that an execution belongs to, as its tenant sees it. */
  async ofExecution(tenant: string, executionId: string): Promise<StoredRequest | undefined> {
    const [row] = await inTenant(this.tenantPool, tenant, (query) => query<RequestRow>(`select ${COLUMNS} from routing.requests r where r.execution_id = $1 and r.tenant = $2`, [executionId, tenant]));
    return row === undefined ? undefined : requestOfRow(row);
  }
}

function storeValues(requests: readonly DecidedRequest[], commitId: string, now: Instant, redeliverAt: Instant): unknown[] {
  // Sorted, so that two batches never wait for each other's rows in opposite orders.
  const sorted = [...requests].sort((left, right) => (nameText(left) < nameText(right) ? -1 : 1));
  const salts = randomBytes(16 * sorted.length);
  const rows = sorted.map((request, index) => {
    const structure = structureOf(request);
    const digest = payloadDigest(salts.subarray(index * 16, index * 16 + 16), request.dataJson);
    return { structure, digest, member: requestDigest(request, structure, digest) };
  });
  return [
    commitId,
    new Date(now),
    new Date(redeliverAt),
    sorted.map(({ tenant }) => tenant),
    sorted.map(({ source }) => source),
    sorted.map(({ id }) => id),
    sorted.map(({ type }) => type),
    sorted.map(({ executionId }) => executionId),
    sorted.map(bucketOfRequest),
    sorted.map(({ verdict }) => verdict.status),
    rows.map(({ structure }) => structure),
    sorted.map(({ dataJson }) => dataJson),
    salts,
    Buffer.concat(rows.map(({ digest }) => digest)),
    Buffer.concat(rows.map(({ member }) => member)),
  ];
}

/** A request's name as one text: attributes hold no control characters, so a line feed separates them. */
export const nameText = ({ tenant, source, id }: RequestName): string => `${tenant}\n${source}\n${id}`;
