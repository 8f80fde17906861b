// What the sweep's question costs the store: whatever is parked, it is asked again and again.
import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { BUCKETS } from '@weft/kernel';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orchestrationMigrations } from '../migrations/index.js';
import { SILENT_SQL } from './recovery.js';

const FIRST = '00000000-0000-0000-0000-000000000000';
const COLUMNS = 'execution_id, sequence, tenant, bucket, commit_id, recorded_at, structure, payload_salt, payload_digest';

let scratch: ScratchStore;
let pool: Pool;
beforeAll(async () => {
  scratch = await openScratchStore([orchestrationMigrations]);
  pool = openPool(scratch.address, { role: engineRole('orchestration'), applicationName: 'spec', max: 1, onePlan: true });
});
afterAll(async () => {
  await pool.end();
  await scratch.close();
});

/** A running execution whose rows were recorded so many seconds ago. */
async function running(...recordedAgo: readonly number[]): Promise<string> {
  const id = randomUUID();
  await pool.query(
    `insert into orchestration.executions (tenant, id, bucket, status, definition, digest, request_source, request_id, trace_id, started_at) values ('default', $1, 7, 'running', 'd', 'd', '/s', 'r', '', now())`,
    [id],
  );
  for (const [sequence, seconds] of recordedAgo.entries())
    await pool.query(`insert into orchestration.history (${COLUMNS}) values ($1, $2, 'default', 7, $1, now() - $3 * interval '1 second', '[]', '', '')`, [id, sequence, seconds]);
  return id;
}
const wait = (execution: string, kind: string, subject = 'infer') =>
  pool.query(`insert into orchestration.waits (tenant, execution_id, id, bucket, kind, subject) values ('default', $1, $2, 7, $2, $3)`, [execution, kind, subject]);
const silent = async (silentMs: number, withJobRows = false, after = FIRST): Promise<readonly string[]> =>
  (await pool.query<{ id: string }>({ name: 'silent', text: SILENT_SQL, values: [silentMs, after, withJobRows, 0, BUCKETS, ['infer']] })).rows.map(({ id }) => id);

describe('the question which executions are silent', () => {
  it('is answered by those whose last row is old and that wait for nothing in a row, in order of their ids', async () => {
    const [old, alive, parked, asked] = [await running(100, 20), await running(100, 1), await running(30), await running(30)];
    await wait(parked, 'signal');
    await wait(asked, 'signal');
    await wait(asked, 'job');
    expect(await silent(10_000)).toEqual([old]);
    expect(await silent(0)).toEqual([old, alive].sort());
    // A bus that was lost with the process held long jobs; what waits for something else has lost nothing.
    const all = [old, alive, asked].sort();
    expect(await silent(0, true)).toEqual(all);
    expect(await silent(0, true, all[0])).toEqual(all.slice(1));
  });

  it('is answered by those, too, that do a quick job beside what they are parked for: a crash loses it as any other', async () => {
    const [quick, long, timer] = [await running(60), await running(60), await running(60)];
    await Promise.all([wait(quick, 'timer'), wait(quick, 'job', 'http'), wait(long, 'timer'), wait(long, 'job'), wait(timer, 'timer')]);
    expect((await silent(50_000)).filter((id) => [quick, long, timer].includes(id))).toEqual([quick]);
  });

  it('walks through what runs by an index in that order: no page sorts all that are left', async () => {
    await pool.query(`prepare silent_plan(float8, uuid, boolean, int, int, text[]) as ${SILENT_SQL}`);
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain (costs off) execute silent_plan(0, '${FIRST}', true, 0, ${BUCKETS}, '{infer}')`);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/Index (Only )?Scan using executions_running on executions/);
    expect(plan).not.toMatch(/-> +(Incremental )?Sort|Seq Scan/);
  });
});
