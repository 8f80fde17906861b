import { openPool, openScratchStore, type Pool, type Query, type ScratchStore } from '@weft/adapter-postgres';
import { uuidv7 } from '@weft/kernel';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHistoryPartitions } from './history-partitions.js';
import { orchestrationMigrations } from './index.js';

let scratch: ScratchStore;
let admin: Pool;
const query: Query = async <R extends object>(text: string, values: readonly unknown[] = []) => (await admin.query<R>(text, [...values])).rows;

beforeAll(async () => {
  scratch = await openScratchStore([orchestrationMigrations]);
  admin = openPool(scratch.address, { applicationName: 'spec' });
});
afterAll(async () => {
  await admin.end();
  await scratch.close();
});

const monthAhead = (months: number): Date => {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 15));
};
const nameOf = (month: Date): string => `history_${month.toISOString().slice(0, 7).replace('-', '_')}`;
const partitions = async (): Promise<readonly string[]> =>
  (await query<{ name: string }>(`select inhrelid::regclass::text as name from pg_inherits where inhparent = 'orchestration.history'::regclass order by 1`)).map(({ name }) =>
    name.replace('orchestration.', ''),
  );

/** Writes a row of an execution that began then. @returns the partition it lies in. */
async function rowOf(month: Date): Promise<string> {
  const [row] = await query<{ partition: string }>(
    `insert into orchestration.history (execution_id, sequence, tenant, bucket, commit_id, recorded_at, structure, payload_salt, payload_digest)
     values ($1, 0, 'default', 0, gen_random_uuid(), now(), '[]', '', '') returning tableoid::regclass::text as partition`,
    [uuidv7(month.getTime(), randomBytes(10))],
  );
  return row!.partition.replace('orchestration.', '');
}

describe('the partitions of the history', () => {
  it('are made ahead, by the month in which an execution began', async () => {
    const ahead = [0, 1, 2, 3, 4, 5, 6].map(monthAhead);
    expect(await partitions()).toEqual([...ahead.map(nameOf), 'history_rest'].sort());
    for (const month of [0, 3, 6].map(monthAhead)) expect(await rowOf(month)).toBe(nameOf(month));
    expect(await rowOf(monthAhead(-1))).toBe('history_rest');
    expect(await rowOf(monthAhead(7))).toBe('history_rest');
  });

  it('stay as they are when they are made again', async () => {
    const before = await partitions();
    await createHistoryPartitions(query);
    expect(await partitions()).toEqual(before);
  });

  it('leave a month whose rows already lie in the rest, and go on with the next', async () => {
    for (const month of [4, 5].map(monthAhead)) await query(`drop table orchestration.${nameOf(month)}`);
    expect(await rowOf(monthAhead(4))).toBe('history_rest');
    await createHistoryPartitions(query);
    expect(await partitions()).not.toContain(nameOf(monthAhead(4)));
    expect(await rowOf(monthAhead(5))).toBe(nameOf(monthAhead(5)));
  });
});
