// A throw-away store: a database of its own on a server of this process. For integration specs and one-off runs.
import { Fault } from '@weft/pipeline';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbedded, type Embedded } from './embedded/start-embedded.js';
import { migrate, type ServiceMigrations } from './migrate.js';
import { clientConfig, type StoreAddress } from './store-address.js';

export interface ScratchStore {
  readonly address: StoreAddress;
  /** Drops the database. The server goes with the process. */
  close(): Promise<void>;
}

/** Settings of a server of which nothing has to survive a power cut. */
export const THROW_AWAY_SETTINGS = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'on', shared_buffers: '64MB', max_wal_size: '1GB', min_wal_size: '80MB' };

let server: Promise<Embedded> | undefined;
let databases = 0;

/**
 * Opens a store with the schemas of these services: about a second for the first in a process, 0.2 s for the next. However the process
 * ends, kill -9 included, the server stops and its files are removed.
 */
export async function openScratchStore(services: readonly ServiceMigrations[]): Promise<ScratchStore> {
  server ??= startServer();
  const { address: administration } = await server;
  const database = `scratch_${++databases}`;
  // Twice as fast as by the log, as nothing is synced here.
  await administrate(administration, `create database ${database} strategy file_copy`);
  const address = { ...administration, database };
  const close = (): Promise<void> => administrate(administration, `drop database if exists ${database} with (force)`);
  try {
    await migrate(address, services);
  } catch (fault) {
    await close().catch(() => undefined);
    throw fault;
  }
  return { address, close };
}

async function startServer(): Promise<Embedded> {
  const root = mkdtempSync(join(tmpdir(), 'weft-scratch-'));
  try {
    const embedded = await startEmbedded({ root, database: 'postgres', settings: THROW_AWAY_SETTINGS });
    if (embedded.adopted) throw new Fault(`Expected no server in ${root} but one was there.`, false);
    removeWithUs(embedded.postmasterPid, root);
    return embedded;
  } catch (fault) {
    server = undefined;
    rmSync(root, { recursive: true, force: true });
    throw fault;
  }
}

/** A shell that reads from a pipe which closes when this process ends, in whatever way; then it stops the server and removes its files. */
function removeWithUs(postmasterPid: number, root: string): void {
  const script = 'cat >/dev/null; kill -QUIT "$1"; n=0; while kill -0 "$1" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.05; n=$((n+1)); done; rm -rf "$2"';
  const guard = spawn('/bin/sh', ['-c', script, 'weft-scratch', String(postmasterPid), root], { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  guard.on('error', () => undefined);
  guard.unref();
  (guard.stdin as unknown as { unref(): void }).unref();
}

async function administrate(address: StoreAddress, statement: string): Promise<void> {
  const client = new pg.Client(clientConfig(address));
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
