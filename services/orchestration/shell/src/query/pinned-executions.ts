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
  /** Only this one, also when it has ended; '' = all that have not. */
  readonly execution: string;
}

export interface PinnedPage {
  readonly ids: readonly string[];
  readonly nextCursor: string;
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000';

const PINNED = `select id from orchestration.executions where digest <> $1 and starts_with(definition, $2) and ($3 = '' or definition = $2 || $3)`;
const ONE_SQL = `${PINNED} and id = $4::uuid`;
const PAGE_SQL = `${PINNED} and status in ('running', 'suspended') and id > $4::uuid order by id limit $5`;

export class PinnedExecutions {
  constructor(private readonly pool: Pool) {}

  /** Oldest first: what starts meanwhile comes last. @throws Refused `request-invalid` for a cursor that is none. */
  async page({ tenant, workflow, version, exceptDigest, execution }: PinnedQuery, size: number, cursor: string): Promise<PinnedPage> {
    const [after = FIRST_ID] = decodeCursor(cursor, isUuid);
    const pinned = [exceptDigest, `${workflow}:`, version];
    const rows = await inTenant(
      this.pool,
      tenant,
      (query) => (execution === '' ? query<{ id: string }>(PAGE_SQL, [...pinned, after, size + 1]) : query<{ id: string }>(ONE_SQL, [...pinned, execution])),
      { readOnly: true },
    );
    const ids = rows.slice(0, size).map(({ id }) => id);
    return { ids, nextCursor: rows.length > size ? encodeCursor([ids.at(-1)!]) : '' };
  }
}
