// Executions that are pinned to other versions of a workflow than one: what an upgrade is about.
import { inTenant, type Pool } from '@weft/adapter-postgres';
import { decodeCursor, encodeCursor } from '@weft/nest-platform';
import { isUuid } from '@weft/kernel';

export interface PinnedQuery {
  readonly tenant: string;
  /** namespace/name */
  readonly workflow: string;
  /** Only of this version; '' = of every one. */
  readonly version: string;
  /** Not those that are pinned to this one. */
  readonly exceptDigest: string;
  /** Only this one, also when it faulted; '' = all that have not ended. */
  readonly execution: string;
}

export interface PinnedPage {
  readonly ids: readonly string[];
  readonly nextCursor: string;
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000';

const PINNED_SQL = `select id from orchestration.executions
  where id > $1::uuid and digest <> $2 and starts_with(definition, $3) and ($4 = '' or definition = $3 || $4)
  and case when $5 = '' then status in ('running', 'suspended') else id::text = $5 and status <> 'completed' end
  order by id limit $6`;

export class PinnedExecutions {
  constructor(private readonly pool: Pool) {}

  /** Oldest first: what starts meanwhile comes last. @throws Refused `request-invalid` for a cursor that is none. */
  async page({ tenant, workflow, version, exceptDigest, execution }: PinnedQuery, size: number, cursor: string): Promise<PinnedPage> {
    const [after = FIRST_ID] = decodeCursor(cursor, isUuid);
    const rows = await inTenant(this.pool, tenant, (query) => query<{ id: string }>(PINNED_SQL, [after, exceptDigest, `${workflow}:`, version, execution, size + 1]), { readOnly: true });
    const ids = rows.slice(0, size).map(({ id }) => id);
    return { ids, nextCursor: rows.length > size ? encodeCursor([ids.at(-1)!]) : '' };
  }
}
