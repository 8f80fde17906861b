// A throw-away store: a database of its own on a server of its own. For integration specs and one-off runs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbedded, type Embedded } from './embedded/start-embedded.js';
import { migrate, type ServiceMigrations } from './migrate.js';
import type { StoreAddress } from './store-address.js';

export interface ScratchStore {
  readonly address: StoreAddress;
  /** Drops the database; the server stops with its last database. */
  close(): Promise<void>;
}

interface Server {
  readonly root: string;
  readonly started: Promise<Embedded>;
  users: number;
}

let server: Server | undefined;
let databases = 0;

/** Opens a store with the schemas of these services. One server serves all stores of the process. */
export async function openScratchStore(services: readonly ServiceMigrations[]): Promise<ScratchStore> {
  if (!server) {
    const root = mkdtempSync(join(tmpdir(), 'weft-scratch-'));
    server = { root, started: startEmbedded({ root, settings: { shared_buffers: '64MB', max_wal_size: '1GB' } }), users: 0 };
  }
  const used = server;
  used.users++;
  const embedded = await used.started;
  const database = `scratch_${process.pid}_${++databases}`;
  await administrate(embedded.address, `create database ${database}`);
  const address = { ...embedded.address, database };
  await migrate(address, services);
  return {
    address,
    async close() {
      await administrate(embedded.address, `drop database if exists ${database} with (force)`);
      used.users--;
      if (used.users > 0 || server !== used) return;
      server = undefined;
      await embedded.stop();
      rmSync(used.root, { recursive: true, force: true });
    },
  };
}

async function administrate(address: StoreAddress, statement: string): Promise<void> {
  const client = new pg.Client({ host: address.host, port: address.port, user: address.user, database: address.database });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
