// The embedded default store: a real PostgreSQL of this project's own, on a unix socket that only we can reach.
import { Fault } from '@weft/pipeline';
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, closeSync, existsSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { StoreAddress } from '../store-address.js';
import { findBinaries, serverUser, type Binaries, type ServerUser } from './binaries.js';
import { createFolders, layoutOf, type Layout } from './layout.js';

export interface EmbeddedOptions {
  /** Folder of the data, the socket and the server's log. */
  readonly root: string;
  /** Database to use; created when missing. Default `weft`. */
  readonly database?: string;
  /** Server settings besides ours. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly onNotice?: (text: string) => void;
}

export interface Embedded {
  readonly address: StoreAddress;
  readonly pid: number;
  /** Whether it ran already: left over from a process that was killed. */
  readonly adopted: boolean;
  /** Stops the server as SIGINT does: clients are disconnected, everything committed is kept. */
  stop(): Promise<void>;
}

const PORT = 5432;
const MAJOR = '18';
const START_MS_MAX = 60_000;

// What is committed must survive a power cut: fsync and synchronous_commit are never switched off here.
const SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'on',
  synchronous_commit: 'on',
  listen_addresses: '',
  shared_buffers: '256MB',
  max_connections: '200',
  max_wal_size: '4GB',
  min_wal_size: '512MB',
  wal_compression: 'on',
  checkpoint_timeout: '15min',
  jit: 'off',
  autovacuum_vacuum_insert_scale_factor: '0.5',
  log_min_messages: 'warning',
  log_timezone: 'UTC',
  timezone: 'UTC',
};

/** Starts the server of a root, adopting one that runs already. First start about a second, later ones well below. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { root, database = 'weft', onNotice = () => undefined } = options;
  const layout = layoutOf(root);
  const user = serverUser();
  createFolders(layout, user);
  const binaries = findBinaries(user, layout.root);
  const running = runningPid(layout);
  if (running === undefined) {
    await initialise(binaries, layout, user, onNotice);
    launch(binaries, layout, user, options.settings ?? {});
  } else onNotice(`adopting the PostgreSQL server that is already running (pid ${running})`);
  const address: StoreAddress = { host: layout.socket, port: PORT, database, user: 'postgres' };
  await untilReady(layout, address);
  await createDatabase(address);
  const pid = runningPid(layout);
  if (pid === undefined) throw notStarted(layout);
  return { address, pid, adopted: running !== undefined, stop: () => stopServer(layout, pid) };
}

/** Stops the server of a root, when one runs. @returns whether one did. */
export async function stopEmbedded(root: string): Promise<boolean> {
  const layout = layoutOf(root);
  const pid = runningPid(layout);
  if (pid === undefined) return false;
  await stopServer(layout, pid);
  return true;
}

/** Process id of the server that runs on the data folder, from the file PostgreSQL keeps. */
function runningPid(layout: Layout): number | undefined {
  const file = join(layout.data, 'postmaster.pid');
  if (!existsSync(file)) return undefined;
  const [first = '', folder = ''] = readFileSync(file, 'utf8').split('\n');
  const pid = Number(first);
  if (!Number.isInteger(pid) || pid <= 0 || folder !== layout.data || !isPostgres(pid)) return undefined;
  return pid;
}

/** Pids are reused: after a reboot the file may name a process of somebody else. */
function isPostgres(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const command = existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
  return command.includes('postgres');
}

/** Makes the data folder in one step: a crash in the middle leaves only a folder that the next start throws away. */
async function initialise(binaries: Binaries, layout: Layout, user: ServerUser, onNotice: (text: string) => void): Promise<void> {
  const versionFile = join(layout.data, 'PG_VERSION');
  if (existsSync(versionFile)) {
    const major = readFileSync(versionFile, 'utf8').trim();
    if (major === MAJOR) return;
    throw new Fault(`Expected data of PostgreSQL ${MAJOR} in ${layout.data} but it is of version ${major}. Start the release that made it, dump it, and move the folder away.`, false);
  }
  onNotice('creating the embedded PostgreSQL store');
  const fresh = `${layout.data}.new`;
  rmSync(fresh, { recursive: true, force: true });
  rmSync(layout.data, { recursive: true, force: true });
  const done = spawnSync(binaries.initdb, ['-D', fresh, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-instructions'], { ...user, cwd: layout.root, encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '', TZ: 'UTC' } });
  if (done.status !== 0) throw new Fault(`initdb could not create the store: ${(done.stderr || done.error?.message || '').trim().split('\n').pop()}`, false);
  renameSync(fresh, layout.data);
}

/** The server outlives us when we are killed: the next start adopts it. */
function launch(binaries: Binaries, layout: Layout, user: ServerUser, settings: Readonly<Record<string, string>>): void {
  rmSync(join(layout.data, 'postmaster.pid'), { force: true });
  const log = openSync(layout.log, 'a', 0o600);
  if (user.uid !== undefined && user.gid !== undefined) chownSync(layout.log, user.uid, user.gid);
  const flags = Object.entries({ ...SETTINGS, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(binaries.postgres, ['-D', layout.data, '-k', layout.socket, '-p', String(PORT), ...flags], { ...user, cwd: layout.root, detached: true, stdio: ['ignore', log, log], env: { PATH: process.env['PATH'] ?? '', TZ: 'UTC' } });
  child.on('error', () => undefined);
  child.unref();
  closeSync(log);
}

async function untilReady(layout: Layout, address: StoreAddress): Promise<void> {
  const until = Date.now() + START_MS_MAX;
  for (let waitMs = 10; ; waitMs = Math.min(waitMs * 1.5, 200)) {
    const client = new pg.Client({ host: address.host, port: address.port, user: address.user, database: 'postgres', connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (fault) {
      await client.end().catch(() => undefined);
      if (Date.now() > until) throw notStarted(layout, fault);
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

async function createDatabase(address: StoreAddress): Promise<void> {
  const client = new pg.Client({ host: address.host, port: address.port, user: address.user, database: 'postgres' });
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [address.database]);
    if (!rowCount) await client.query(`create database ${client.escapeIdentifier(address.database)}`).catch((fault: { code?: string }) => { if (fault.code !== '42P04' && fault.code !== '23505') throw fault; });
  } finally {
    await client.end();
  }
}

async function stopServer(layout: Layout, pid: number): Promise<void> {
  if (runningPid(layout) !== pid) return;
  process.kill(pid, 'SIGINT');
  const until = Date.now() + START_MS_MAX;
  while (runningPid(layout) === pid) {
    if (Date.now() > until) throw new Fault(`the PostgreSQL server (pid ${pid}) does not stop; its log is ${layout.log}`, true);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

function notStarted(layout: Layout, cause?: unknown): Fault {
  const log = existsSync(layout.log) ? readFileSync(layout.log, 'utf8').trimEnd().split('\n').slice(-3).join(' | ') : '';
  return new Fault(`the embedded PostgreSQL did not start. The end of ${layout.log}: ${log}`, false, { cause });
}
