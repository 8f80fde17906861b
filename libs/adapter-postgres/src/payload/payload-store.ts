// The PayloadStore on PostgreSQL: one statement to store, one query to fetch, whatever the batch.
import { digestOf, type Payload, type PayloadName } from '@weft/contracts';
import type { Instant } from '@weft/kernel';
import { payloadKey, type PayloadStore } from '@weft/pipeline';
import { checkMigrated } from '../check-migrated.js';
import { execute, openPool, type Pool } from '../pool.js';
import { engineRole, tenantRole } from '../roles.js';
import type { StoreAddress } from '../store-address.js';
import { inTenant } from '../tenant.js';
import { payloadMigrations } from './migrations.js';

export interface PayloadStoreOptions {
  readonly passwordOf?: (role: string) => string | undefined;
  readonly applicationName: string;
  /** Told of a connection that broke while nobody waited for it. */
  readonly onFault?: (fault: Error) => void;
}

// $1 tenants, $2 digests, $3 sizes, $4 all bytes, joined. Moved at most once an hour, so that sending again costs no row version each time.
const PUT_SQL = `
insert into payloads.payloads as p (tenant, digest, size, bytes)
select tenant, digest, size, substring($4::bytea from (start + 1)::int for size::int)
from (
  select tenant, digest, size, ordinal, sum(size) over (order by ordinal) - size as start
  from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality as t(tenant, digest, size, ordinal)
) placed
order by tenant, digest
on conflict (tenant, digest) do update set used_at = now() where p.used_at < now() - interval '1 hour'`;

const GET_SQL = `
select p.tenant, p.digest, p.bytes from payloads.payloads p
join unnest($1::text[], $2::text[]) as n(tenant, digest) using (tenant, digest)`;

const REMOVE_SQL = `
delete from payloads.payloads where (tenant, digest) in (
  select tenant, digest from payloads.payloads where used_at < $1::timestamptz and erasable order by used_at limit $2 for update skip locked
)`;

/** One statement takes this many bytes at most, well below what a parameter may have. */
const STATEMENT_BYTES_MAX = 64 * 1024 * 1024;
const REMOVE_BATCH = 500;

interface PayloadRow {
  readonly tenant: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

export class PostgresPayloadStore implements PayloadStore {
  constructor(
    private readonly enginePool: Pool,
    private readonly tenantPool: Pool,
  ) {}

  /** Opens connections of the payload store's own two roles; none is held while nothing large travels. @throws Refused `store-not-migrated`. */
  static async open(address: StoreAddress, { passwordOf, applicationName, onFault }: PayloadStoreOptions): Promise<PostgresPayloadStore> {
    const open = (role: string, max: number): Pool => openPool(address, { role, password: passwordOf?.(role), max, applicationName: `${applicationName} payloads`, ...(onFault ? { onFault } : {}) });
    const [enginePool, tenantPool] = [open(engineRole('payloads'), 3), open(tenantRole('payloads'), 2)];
    await checkMigrated(enginePool, payloadMigrations);
    return new PostgresPayloadStore(enginePool, tenantPool);
  }

  async put(payloads: readonly Payload[]): Promise<void> {
    const each = [...new Map(payloads.map((payload) => [payloadKey(payload), payload])).values()];
    for (let from = 0; from < each.length;) {
      let [end, bytes] = [from, 0];
      while (end < each.length && (end === from || bytes + each[end]!.bytes.length <= STATEMENT_BYTES_MAX)) bytes += each[end++]!.bytes.length;
      const part = each.slice(from, end);
      const values = [part.map(({ tenant }) => tenant), part.map(({ digest }) => digest), part.map(({ bytes: { length } }) => length), Buffer.concat(part.map((payload) => payload.bytes))];
      await execute(this.enginePool, { name: 'payloads-put-1', text: PUT_SQL, values });
      from = end;
    }
  }

  async get(names: readonly PayloadName[]): Promise<ReadonlyMap<string, Uint8Array>> {
    const each = [...new Map(names.map((name) => [payloadKey(name), name])).values()];
    const rows = await execute<PayloadRow>(this.enginePool, { name: 'payloads-get-1', text: GET_SQL, values: [each.map(({ tenant }) => tenant), each.map(({ digest }) => digest)] });
    return new Map(rows.filter(isWhole).map((row) => [payloadKey(row), row.bytes]));
  }

  /** A payload as its tenant may read it; undefined when the tenant has none of that digest. */
  async read(tenant: string, digest: string): Promise<Uint8Array | undefined> {
    const [row] = await inTenant(this.tenantPool, tenant, (query) => query<PayloadRow>('select tenant, digest, bytes from payloads.payloads where digest = $1', [digest]), { readOnly: true });
    return row && isWhole(row) ? row.bytes : undefined;
  }

  /** Removes what nothing has used since an instant. @returns how many. */
  async removeUnused(since: Instant): Promise<number> {
    for (let removed = 0; ;) {
      const { rowCount } = await this.enginePool.query(REMOVE_SQL, [new Date(since), REMOVE_BATCH]);
      removed += rowCount ?? 0;
      if ((rowCount ?? 0) < REMOVE_BATCH) return removed;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.enginePool.end(), this.tenantPool.end()]);
  }
}

const isWhole = ({ digest, bytes }: PayloadRow): boolean => digestOf(bytes) === digest;
