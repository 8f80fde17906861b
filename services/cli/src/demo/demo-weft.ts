// The Weft that the demo runs on: a home of its own, empty at the start, in either profile.
import { execute, openPool, startEmbedded } from '@weft/adapter-postgres';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayClient } from '../client/gateway-client.js';
import { startMesh, type Mesh } from '../processes/mesh.js';
import type { Profile } from '../processes/profile.js';
import { migrateStore, startStandalone, type RunningStandalone } from '../processes/standalone.js';

export interface DemoWeft {
  /** Asks the Weft that runs now. */
  client(): GatewayClient;
  /** kill -9 of the process that sends, and its start again. */
  interrupt(): Promise<void>;
  /** What `interrupt` kills, for people. */
  readonly victim: string;
  stop(): Promise<void>;
}

export interface DemoWeftOptions {
  readonly profile: Profile;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onProgress: (text: string) => void;
}

const DATABASE = 'weft';
const STORE = 'postgres';

/** Empties a home. The PostgreSQL server in it is kept, since making one takes longest: its database is dropped, with whoever uses it. */
export async function emptyHome(home: string): Promise<void> {
  mkdirSync(home, { recursive: true });
  for (const name of readdirSync(home)) if (name !== STORE) rmSync(join(home, name), { recursive: true, force: true });
  const { address } = await startEmbedded({ root: join(home, STORE), database: DATABASE });
  const pool = openPool({ ...address, database: 'postgres' }, { applicationName: 'weft demo', max: 1 });
  try {
    await execute(pool, { name: 'demo-empty', text: `drop database if exists ${DATABASE} with (force)`, values: [] });
  } finally {
    await pool.end();
  }
}

export const startDemoWeft = (options: DemoWeftOptions): Promise<DemoWeft> => (options.profile === 'mesh' ? demoMesh(options) : demoStandalone(options));

async function demoStandalone({ home, env: given, onProgress }: DemoWeftOptions): Promise<DemoWeft> {
  // A store that is configured is somebody's: the demo uses its own.
  const env = { ...given, WEFT_HOME: home, WEFT_PORT: '0', WEFT_STORE_URL: '' };
  const logFile = join(home, 'logs', 'standalone.log');
  onProgress('preparing an empty store');
  await migrateStore({ env, logFile: join(home, 'logs', 'migrate.log') });
  onProgress('starting Weft, all services in one process');
  let running: RunningStandalone = await startStandalone({ env, logFile });
  return {
    victim: 'the Weft process',
    client: () => new GatewayClient(running),
    interrupt: async () => {
      await running.kill9();
      running = await startStandalone({ env, logFile });
    },
    stop: () => running.stop(),
  };
}

async function demoMesh({ home, env, onProgress }: DemoWeftOptions): Promise<DemoWeft> {
  onProgress('starting Weft, one process a service');
  const mesh: Mesh = await startMesh({ home, env, onProgress });
  return { victim: 'the tools service', client: () => new GatewayClient(mesh), interrupt: () => mesh.killService('tools'), stop: () => mesh.stop() };
}
