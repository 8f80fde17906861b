// The embedded default store: a real PostgreSQL of this project's own, on a unix socket that only we can reach.
import { Fault } from '@weft/pipeline';
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import pg from 'pg';
import { stateOf } from '../store-fault.js';
import { clientConfig, type StoreAddress } from '../store-address.js';
import { findBinaries, type Binaries } from './binaries.js';
import { createData, hasData, serverEnvironment } from './data-folder.js';
import { createFolders, layoutOf, own, type Layout } from './layout.js';
import { postmasterOf, removeStalePidFile, runsOn } from './postmaster.js';
import { SERVER_SETTINGS } from './server-settings.js';

export interface EmbeddedOptions {
  /** Folder of the data, the socket and the server's log (`<repository>/.weft/postgres`). Created when missing. */
  readonly root: string;
  /** Database to use; created when missing. Default `weft`. */
  readonly database?: string;
  /** Server settings besides ours, or instead of them. An adopted server keeps those that it was started with. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told what takes long or is unusual, in sentences for a person. */
  readonly onNotice?: (text: string) => void;
}

export interface Embedded {
  readonly address: StoreAddress;
  readonly postmasterPid: number;
  /** Whether it ran already: left over from a process that was killed, or started by another one. */
  readonly adopted: boolean;
  /** Stops the server as SIGINT does: clients are disconnected, everything committed is kept. Nothing happens when it stopped already. */
  stop(): Promise<void>;
}

const PORT = 5432;
const STOP_MS_MAX = 60_000;
// A server that recovers from a crash is alive and says so: it may take minutes. One that is silent gets this long.
const SILENCE_MS_MAX = 30_000;
const NOTICE_EVERY_MS = 5_000;
const LAUNCHES_MAX = 40;
const LOG_BYTES_MAX = 10 * 1024 * 1024;

/**
 * Starts the server of a root, adopting one that runs already. It outlives us when we are killed. Any number of processes may do
 * this at once: they get the same server. Takes about a second the first time, less than 0.15 s later.
 * @throws Fault when there are no binaries for the platform, the data is of another major version, or the server does not start.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { database = 'weft', settings = {}, onNotice = () => undefined } = options;
  if (process.platform === 'win32') throw new Fault('Expected Linux or macOS for the embedded PostgreSQL, which listens on a unix socket. Set WEFT_STORE_URL to a PostgreSQL that runs.', false);
  const layout = layoutOf(options.root);
  createFolders(layout);
  if (layout.moved) onNotice(`the embedded PostgreSQL keeps its data in ${layout.root}: root's own folders are closed to its user`);
  const address: StoreAddress = { host: layout.socket, port: PORT, database, user: 'postgres' };
  const { pid, adopted } = await bringUp(layout, address, settings, onNotice);
  if (adopted) onNotice(`using the PostgreSQL server that was already running (process ${pid})`);
  await createDatabase(address);
  return embedded(layout, address, pid, adopted);
}

/** The server that runs on a root, if one does. It is not asked whether it answers. `database` defaults to `weft`. */
export function runningEmbedded(root: string, database = 'weft'): Embedded | undefined {
  const layout = layoutOf(root);
  const pid = postmasterOf(layout.data);
  return pid === undefined ? undefined : embedded(layout, { host: layout.socket, port: PORT, database, user: 'postgres' }, pid, true);
}

/** Stops the server of a root, when one runs. @returns whether one did. */
export async function stopEmbedded(root: string): Promise<boolean> {
  const running = runningEmbedded(root);
  await running?.stop();
  return running !== undefined;
}

function embedded(layout: Layout, address: StoreAddress, postmasterPid: number, adopted: boolean): Embedded {
  return { address, postmasterPid, adopted, stop: () => stopServer(layout, postmasterPid) };
}

async function bringUp(layout: Layout, address: StoreAddress, settings: Readonly<Record<string, string>>, onNotice: (text: string) => void): Promise<{ pid: number; adopted: boolean }> {
  let binaries: Binaries | undefined;
  let logFrom = 0;
  for (let launches = 0; ; launches++) {
    let child: ChildProcess | undefined;
    if (postmasterOf(layout.data) === undefined) {
      binaries ??= findBinaries(layout.user, layout.root);
      if (!hasData(layout)) {
        onNotice('creating the embedded PostgreSQL store');
        createData(binaries, layout, { sync: settings['fsync'] !== 'off' });
      }
      removeStalePidFile(layout.data);
      logFrom = rotateLog(layout);
      child = launch(binaries, layout, { ...SERVER_SETTINGS, ...settings });
    } else hasData(layout);
    const pid = await untilReady(layout, address, child, onNotice);
    if (pid !== undefined) return { pid, adopted: pid !== child?.pid };
    // Gone again: a rival started it first, it was just being stopped, or processes of a killed server still hold its memory.
    if (launches >= LAUNCHES_MAX || (child && !PASSING.test(logSince(layout, logFrom)))) throw notStarted(layout);
    await pause(Math.min(25 * 2 ** launches, 500));
  }
}

function launch(binaries: Binaries, layout: Layout, settings: Readonly<Record<string, string>>): ChildProcess {
  const log = openSync(layout.log, 'a', 0o600);
  own(layout.log, layout.user);
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // A session of its own: Ctrl-C on our terminal is for us, and we stop the server after the last commit.
  const child = spawn(binaries.postgres, ['-D', layout.data, '-k', layout.socket, '-p', String(PORT), ...flags], {
    ...layout.user,
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
    env: serverEnvironment(),
  });
  child.on('error', () => undefined);
  child.unref();
  closeSync(log);
  return child;
}

/** @returns how long the log is, in bytes, before the next server writes to it. */
function rotateLog({ log }: Layout): number {
  if (!existsSync(log)) return 0;
  const { size } = statSync(log);
  if (size <= LOG_BYTES_MAX) return size;
  renameSync(log, `${log}.1`);
  return 0;
}

/** @returns the pid of the server that answers, or undefined when there is none any more. */
async function untilReady(layout: Layout, address: StoreAddress, child: ChildProcess | undefined, onNotice: (text: string) => void): Promise<number | undefined> {
  let heard = Date.now();
  let noticed = Date.now();
  for (let waitMs = 5; ; waitMs = Math.min(waitMs * 1.5, 200)) {
    const alive = postmasterOf(layout.data) ?? (child && child.pid !== undefined && child.exitCode === null && child.signalCode === null ? child.pid : undefined);
    if (alive === undefined) return undefined;
    const answer = await ask(address);
    if (answer === 'ready') {
      const pid = postmasterOf(layout.data);
      if (pid !== undefined) return pid;
    }
    if (answer !== 'silent') heard = Date.now();
    if (Date.now() - heard > SILENCE_MS_MAX) throw notStarted(layout, `process ${alive} does not answer on ${layout.socket}`);
    if (Date.now() - noticed > NOTICE_EVERY_MS) {
      onNotice('waiting for PostgreSQL: it is starting, recovering or shutting down');
      noticed = Date.now();
    }
    await pause(waitMs);
  }
}

async function ask(address: StoreAddress): Promise<'ready' | 'busy' | 'silent'> {
  const client = new pg.Client({ ...clientConfig({ ...address, database: 'postgres' }), connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return 'ready';
  } catch (fault) {
    // An answer, though a refusal: starting up, shutting down, recovering, no free slot.
    return stateOf(fault) === undefined ? 'silent' : 'busy';
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function createDatabase(address: StoreAddress): Promise<void> {
  const client = new pg.Client(clientConfig({ ...address, database: 'postgres' }));
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [address.database]);
    if (rowCount) return;
    await client.query(`create database ${client.escapeIdentifier(address.database)}`);
  } catch (fault) {
    // Another process created it at the same moment.
    if (!['42P04', '23505'].includes(stateOf(fault) ?? '')) throw fault;
  } finally {
    await client.end();
  }
}

async function stopServer(layout: Layout, pid: number): Promise<void> {
  if (!runsOn(pid, layout.data)) return;
  process.kill(pid, 'SIGINT');
  for (const until = Date.now() + STOP_MS_MAX; runsOn(pid, layout.data); await pause(10)) {
    if (Date.now() > until) throw new Fault(`the PostgreSQL server (process ${pid}) does not stop; its log is ${layout.log}`, true);
  }
}

// Reasons of a failed start that time takes away.
const PASSING = /is still in use|lock file "[^"]*" (already exists|is empty)/;

function notStarted(layout: Layout, what = 'it ended at once'): Fault {
  return new Fault(`Expected the embedded PostgreSQL to start but ${what}. The end of ${layout.log}: ${endOfLog(layout)}`, false);
}

const logSince = ({ log }: Layout, from: number): string => (existsSync(log) ? readFileSync(log).subarray(from).toString() : '');

const endOfLog = (layout: Layout): string => logSince(layout, 0).trimEnd().split('\n').slice(-4).join(' | ') || 'empty';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
