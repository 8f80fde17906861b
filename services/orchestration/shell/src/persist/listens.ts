import { execute, type Pool } from '@weft/adapter-postgres';

/** An open listen that an event may be for, or one that its execution has not reached. */
export interface FoundListen {
  readonly executionId: string;
  readonly id: string;
  readonly correlation: string;
}

const PAGE = 5_000;
const FIND_SQL = `
select execution_id as "executionId", id, correlation from (
  select execution_id, id, correlation from orchestration.waits where tenant = $1 and correlation = any($2::text[]) and (execution_id, id) > ($3::uuid, $4)
  union all
  select execution_id, 'early/' || correlation, correlation from orchestration.subscriptions
  where tenant = $1 and correlation = any($2::text[]) and (execution_id, 'early/' || correlation) > ($3::uuid, $4)
) found
order by execution_id, id limit ${PAGE}`;
const FIRST = { executionId: '00000000-0000-0000-0000-000000000000', id: '' };

/** Every open listen of a tenant, and every execution that has subscribed, under one of the keys: one query for a whole batch of events, and one more for each further page. */
export async function findListens(pool: Pool, tenant: string, keys: readonly string[]): Promise<readonly FoundListen[]> {
  const found: FoundListen[] = [];
  for (let after: Pick<FoundListen, 'executionId' | 'id'> = FIRST; ; after = found.at(-1)!) {
    const page = await execute<FoundListen>(pool, { name: 'orchestration-find-listens-2', text: FIND_SQL, values: [tenant, keys, after.executionId, after.id] });
    found.push(...page);
    if (page.length < PAGE) return found;
  }
}
