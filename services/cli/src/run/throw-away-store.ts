// A store for one run: a database made from a template that holds the schemas already, on a server of its own that nothing has to survive.
import { execute, openPool, startEmbedded, storeUrl, THROW_AWAY_SETTINGS, type Pool, type StoreAddress } from '@weft/adapter-postgres';
import { createHash, randomBytes } from 'node:crypto';
import { globSync, readFileSync, rmSync } from 'node:fs';
import { inHome, inRoot } from '../paths.js';
import { migrateStore } from '../processes/standalone.js';

export interface ThrowAwayStore {
  readonly url: string;
  /** Drops the database; the last one stops the server. */
  close(): Promise<void>;
}

/** Held by every run, shared: whoever gets it alone may stop the server or make the template. */
const RUNS_LOCK = 7_303_101;
const TEMPLATE_LOCK = 7_303_102;
const TRIES_MAX = 5;

/** About 0.1 s; the first of a build takes two seconds. */
export async function openThrowAwayStore(onProgress: (text: string) => void): Promise<ThrowAwayStore> {
  const { embedded, pool } = await join(onProgress);
  const database = `run_${randomBytes(8).toString('hex')}`;
  const close = async (): Promise<void> => {
    await statement(pool, `drop database if exists ${database} with (force)`);
    // A run that begins at this moment sees its connection end, and starts the server again.
    const [row] = await execute<{ alone: boolean }>(pool, { name: 'run-alone', text: 'select pg_advisory_unlock_shared($1) and pg_try_advisory_lock($1) as alone', values: [RUNS_LOCK] });
    if (row?.alone) await dropLeftovers(pool);
    await pool.end();
    if (row?.alone) await embedded.stop();
  };
  try {
    const template = await templateIn(pool, embedded.address, onProgress);
    await statement(pool, `create database ${database} template ${template} strategy file_copy`);
    return { url: storeUrl({ ...embedded.address, database }), close };
  } catch (fault) {
    await close().catch(() => undefined);
    throw fault;
  }
}

/** What runs left behind that were killed. */
async function dropLeftovers(pool: Pool): Promise<void> {
  const left = await execute<{ name: string }>(pool, { name: 'run-leftovers', text: String.raw`select datname as name from pg_database where datname like 'run\_%'`, values: [] });
  for (const { name } of left) await statement(pool, `drop database if exists ${name} with (force)`);
  for (const home of globSync('home-*', { cwd: inHome('run') })) rmSync(inHome('run', home), { recursive: true, force: true });
}

/** The server, with a place among its runs. */
async function join(onProgress: (text: string) => void) {
  for (let tries = 1; ; tries++) {
    const embedded = await startEmbedded({ root: inHome('run', 'postgres'), database: 'postgres', settings: THROW_AWAY_SETTINGS, onNotice: onProgress });
    // One connection: it holds the locks.
    const pool = openPool(embedded.address, { applicationName: 'weft run', max: 1 });
    try {
      await execute(pool, { name: 'run-join', text: 'select pg_advisory_lock_shared($1)', values: [RUNS_LOCK] });
      return { embedded, pool };
    } catch (fault) {
      // The last of the runs before us stopped it in between.
      await pool.end();
      if (tries >= TRIES_MAX) throw fault;
    }
  }
}

/** The template of this build, made when it is missing. */
async function templateIn(pool: Pool, address: StoreAddress, onProgress: (text: string) => void): Promise<string> {
  const template = `weft_${schemasDigest()}`;
  const known = async (): Promise<boolean> => {
    const found = await execute(pool, { name: 'run-template', text: 'select 1 from pg_database where datname = $1 and datistemplate', values: [template] });
    return found.length === 1;
  };
  if (await known()) return template;
  await execute(pool, { name: 'run-template-lock', text: 'select pg_advisory_lock($1)', values: [TEMPLATE_LOCK] });
  try {
    if (await known()) return template;
    onProgress('preparing the store of runs, once for this build');
    await statement(pool, `drop database if exists ${template} with (force)`);
    await statement(pool, `create database ${template}`);
    await migrateStore({ env: { WEFT_STORE_URL: storeUrl({ ...address, database: template }), WEFT_HOME: inHome('run') }, logFile: inHome('logs', 'migrate.log') });
    await statement(pool, `alter database ${template} is_template true`);
    await dropTemplatesBefore(pool, template);
    return template;
  } finally {
    await execute(pool, { name: 'run-template-unlock', text: 'select pg_advisory_unlock($1)', values: [TEMPLATE_LOCK] });
  }
}

/** Those of former builds. */
async function dropTemplatesBefore(pool: Pool, template: string): Promise<void> {
  const former = await execute<{ name: string }>(pool, {
    name: 'run-templates',
    text: String.raw`select datname as name from pg_database where datname like 'weft\_%' and datistemplate and datname <> $1`,
    values: [template],
  });
  for (const { name } of former) {
    await statement(pool, `alter database ${name} is_template false`);
    await statement(pool, `drop database if exists ${name} with (force)`);
  }
}

/** Names what the migrations say, so that another build makes a template of its own. */
function schemasDigest(): string {
  const digest = createHash('sha256');
  for (const pattern of ['services/*/shell/dist/migrations/*.js', 'libs/adapter-postgres/dist/**/*.js']) {
    for (const file of globSync(pattern, { cwd: inRoot() }).sort()) digest.update(file).update(readFileSync(inRoot(file)));
  }
  return digest.digest('hex').slice(0, 16);
}

let statements = 0;

/** Each under a name of its own: none comes twice. */
const statement = (pool: Pool, text: string) => execute(pool, { name: `run-${++statements}`, text, values: [] });
