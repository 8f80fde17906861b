// Many stored executions, soon: copies of real ones, under ids and commits of their own, as old as they would be.
import type { Pool } from '@weft/adapter-postgres';
import { one } from './history-check.js';

const TEMPLATES = 1_000;

// Ids are of the last hours, so that new ones come after them as they do in life.
const MAP = `
create temp table copied_executions on commit drop as
  select t.id as old, uuidv7(interval '-6 hours') as new from bench_templates t order by t.id;
create temp table copied_commits on commit drop as
  select old, uuidv7(interval '-6 hours') as new from (select distinct commit_id as old from bench_history) c;`;

/**
 * Brings the store to at least `size` executions.
 * @param run runs real executions, of which the others are copies. @returns how many there are.
 */
export async function fillStore(pool: Pool, size: number, run: (templates: number) => Promise<{ readonly executionIds: readonly string[] }>, onProgress: (done: number) => void): Promise<number> {
  const { executionIds } = await run(TEMPLATES);
  let stored = await count(pool);
  if (stored < size) {
    const copy = await copyStatement(pool);
    await pool.query('create temp table bench_templates as select unnest($1::uuid[]) as id', [executionIds]);
    await pool.query('create temp table bench_history as select h.* from orchestration.history h join bench_templates t on t.id = h.execution_id');
    await pool.query('analyze bench_templates');
    await pool.query('analyze bench_history');
    for (let told = 0; stored < size; stored += TEMPLATES) {
      await pool.query(`begin; ${MAP} ${copy} commit;`);
      if (stored - told >= Math.max(TEMPLATES, size / 10)) onProgress((told = stored));
    }
    await pool.query('drop table bench_templates, bench_history');
    stored = await count(pool);
  }
  // As autovacuum leaves them in the long run, and not in the middle of a measurement.
  for (const table of ['executions', 'history', 'commits']) await pool.query(`vacuum (analyze) orchestration.${table}`);
  await pool.query('checkpoint');
  return stored;
}

const count = (pool: Pool): Promise<number> => one(pool, 'select count(*)::int from orchestration.executions');

/** One copy of every template: its execution, its history, the commits of that. Sequenced in the audit log like the originals. */
async function copyStatement(pool: Pool): Promise<string> {
  const copyOf = async (table: string, from: string, changed: Readonly<Record<string, string>>): Promise<string> => {
    const { rows } = await pool.query<{ name: string }>(
      `select column_name as name from information_schema.columns where table_schema = 'orchestration' and table_name = $1 and is_generated = 'NEVER' order by ordinal_position`,
      [table],
    );
    const names = rows.map(({ name }) => name);
    return `insert into orchestration.${table} (${names.join(', ')}) select ${names.map((name) => changed[name] ?? `s.${name}`).join(', ')} from ${from};`;
  };
  return [
    await copyOf('commits', 'orchestration.commits s join copied_commits c on c.old = s.id', { id: 'c.new', published: 'true', sequenced: 'coalesce(s.sequenced, 0)' }),
    await copyOf('executions', 'orchestration.executions s join copied_executions e on e.old = s.id order by e.new', { id: 'e.new' }),
    await copyOf('history', 'bench_history s join copied_executions e on e.old = s.execution_id join copied_commits c on c.old = s.commit_id order by e.new, s.sequence', {
      execution_id: 'e.new',
      commit_id: 'c.new',
    }),
  ].join(' ');
}
