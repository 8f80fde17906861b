// Kill switches as they are stored: one row a change, with its commit row.
import { commitStatement, execute, type Pool } from '@weft/adapter-postgres';
import { refuse, uuidv7, type Instant } from '@weft/kernel';
import { memberDigest, payloadDigest } from '@weft/proof';
import type { KillSwitch, SwitchKind } from '@weft/tools/core';
import { randomBytes } from 'node:crypto';

/** What is switched, by whom and why. */
export interface SwitchChange {
  readonly kind: SwitchKind;
  /** `*`: the things of all tenants. */
  readonly tenant: string;
  readonly name: string;
  readonly isOff: boolean;
  readonly reason: string;
  readonly by: string;
}

/** Without a kind where nothing is off. */
interface SwitchRow {
  readonly now_ms: number;
  readonly tenant: string;
  readonly kind: SwitchKind | null;
  readonly name: string;
  readonly reason: string;
  readonly changed_by: string;
  readonly at_ms: number;
}

const READ_SQL = `
  select now_ms, tenant, kind, name, reason, changed_by, (extract(epoch from changed_at) * 1000)::float8 as at_ms
  from (select (extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms) as clock
  left join (select distinct on (tenant, kind, name) * from tools.switch_changes order by tenant, kind, name, sequence desc) as last on is_off
  order by tenant, kind, name`;
const LAST_SQL = `select sequence, is_off from tools.switch_changes where tenant = $1 and kind = $2 and name = $3 order by sequence desc limit 1`;
const CHANGE_SQL = `
with changed as (
  insert into tools.switch_changes (tenant, kind, name, sequence, is_off, structure, reason, reason_salt, reason_digest, changed_by, changed_at, commit_id)
  values ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $1) on conflict do nothing returning sequence
), committed as (
  insert into tools.commits (id, members, digests, tenants, published, recorded_at)
  select $1, json_build_array(json_build_array($13::text, $5::int))::text, $14, array[$2], true, $12 from changed
)
select sequence from changed`;

const TRIES_MAX = 5;

/** Everything that is off. @param onTime told the time of the store. @throws Fault */
export async function readSwitches(pool: Pool, onTime: (now: Instant) => void = () => undefined): Promise<readonly KillSwitch[]> {
  const rows = await execute<SwitchRow>(pool, { name: 'tools-switches-1', text: READ_SQL, values: [] });
  if (rows[0]) onTime(rows[0].now_ms);
  return rows.flatMap(({ tenant, kind, name, reason, changed_by, at_ms }) => (kind === null ? [] : [{ tenant, kind, name, reason, by: changed_by, at: at_ms }]));
}

/** Records a change. What is so already stays as it is, with the reason that it has. @returns whether anything changed. @throws Fault */
export async function changeSwitch(pool: Pool, { tenant, kind, name, isOff, reason, by }: SwitchChange): Promise<boolean> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const [last] = await execute<{ sequence: number; is_off: boolean }>(pool, { name: 'tools-switch-last-1', text: LAST_SQL, values: [tenant, kind, name] });
    if ((last?.is_off ?? false) === isOff) return false;
    const at = Date.now();
    const id = uuidv7(at, randomBytes(10));
    const sequence = (last?.sequence ?? 0) + 1;
    const subject = `${tenant}/switch/${kind}/${name}`;
    const salt = randomBytes(16);
    const structure = JSON.stringify([{ type: isOff ? 'Killed' : 'Revived', kind, tenant, name, by }]);
    const digest = payloadDigest(salt, reason);
    const member = memberDigest({ subject, sequence, tenant, at, structure, payloadDigest: digest });
    const values = [id, tenant, kind, name, sequence, isOff, structure, reason, salt, digest, by, new Date(at), subject, member];
    if ((await commitStatement(pool, id, { name: 'tools-switch-1', text: CHANGE_SQL, values })).length > 0) return true;
  }
  return refuse('unavailable', 'Expected to switch but others switch the same all the time: ask again.', { retryable: true, retryAfterMs: 100 });
}
