import { Fault } from '@weft/pipeline';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Binaries } from './binaries.js';
import { own, type Layout } from './layout.js';

/** The major version of the binaries, and so of the data. */
export const MAJOR = '18';

const ABANDONED_MS = 10 * 60_000;

/** Whether there is a data folder to start from. @throws Fault when another major version of PostgreSQL made it. */
export function hasData({ data }: Layout): boolean {
  const versionFile = join(data, 'PG_VERSION');
  if (!existsSync(versionFile)) return false;
  const major = readFileSync(versionFile, 'utf8').trim();
  if (major !== MAJOR) throw new Fault(`Expected data of PostgreSQL ${MAJOR} in ${data} but it is of version ${major}. Start the release that made it, dump it, and move the folder away.`, false);
  return true;
}

/**
 * Makes the data folder aside and renames it when it is whole: a crash in the middle leaves nothing that looks finished, and of
 * two processes that do it at once one wins. Text sorts by code point; case and words follow Unicode (C.UTF-8), on every machine alike.
 */
export function createData(binaries: Binaries, layout: Layout, options: { readonly sync: boolean }): void {
  sweep(layout);
  const fresh = mkdtempSync(join(layout.root, 'initdb-'));
  own(fresh, layout.user);
  const made = join(fresh, 'data');
  const flags = [
    '--username=postgres',
    '--auth-local=trust',
    '--auth-host=reject',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    ...(options.sync ? [] : ['--no-sync']),
  ];
  try {
    const done = spawnSync(binaries.initdb, ['-D', made, ...flags], { ...layout.user, cwd: '/', encoding: 'utf8', env: serverEnvironment() });
    if (done.status !== 0) throw notCreated(layout, (done.stderr || done.error?.message || `exit code ${done.status}`).trim().split('\n').slice(-2).join(' | '));
    discardUnfinished(layout);
    renameSync(made, layout.data);
  } catch (fault) {
    if (!hasData(layout)) throw fault;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function notCreated({ root }: Layout, reason: string): Fault {
  const advice = reason.includes('user does not exist') ? ' PostgreSQL wants the user it runs as to have a line in /etc/passwd. Add one, or set WEFT_STORE_URL to a PostgreSQL that runs.' : '';
  return new Fault(`Expected initdb to create the store in ${root} but: ${reason}.${advice}`, false);
}

/** What the server and initdb see of our environment: nothing of it may steer them. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '', TZ: 'UTC', LC_ALL: 'C' };
}

/** A data folder without PG_VERSION holds nothing: initdb writes that file first. Set aside, not deleted, in case it is something else. */
function discardUnfinished({ data, root }: Layout): void {
  if (!existsSync(data) || existsSync(join(data, 'PG_VERSION'))) return;
  if (readdirSync(data).length === 0) rmSync(data, { recursive: true });
  else {
    mkdirSync(join(root, 'unfinished'), { recursive: true });
    renameSync(data, join(root, 'unfinished', `data-${Date.now()}`));
  }
}

/** Throws away what an initdb left that was killed. One that runs at this moment is younger than the limit. */
function sweep({ root }: Layout): void {
  for (const name of readdirSync(root)) {
    const path = join(root, name);
    if (name.startsWith('initdb-') && Date.now() - statSync(path).mtimeMs > ABANDONED_MS) rmSync(path, { recursive: true, force: true });
  }
}
