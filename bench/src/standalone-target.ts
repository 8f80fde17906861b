// Weft as one process on a throw-away store, composed as for everybody, audit on. The bench runs in it.
import { openPool, type StoreAddress } from '@weft/adapter-postgres';
import { contextOf, DEFAULT_TENANT } from '@weft/contracts';
import { configureLog, createApp, loadConfig } from '@weft/nest-platform';
import { compose, migrateStore, openStore, standaloneConfig } from '@weft/standalone';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { busDoor } from './door.js';
import { WORKLOADS, WORKLOAD_SETTINGS, type ProcessTarget } from './target.js';

export interface InProcess extends ProcessTarget {
  readonly store: StoreAddress;
  /** Ends Weft alone; `close` ends the bench's connection too. */
  shutDown(): Promise<void>;
}

/** @param home folder of the throw-away store; emptied first. */
export async function openStandalone(home: string): Promise<InProcess> {
  configureLog({ level: 'warn' });
  rmSync(home, { recursive: true, force: true });
  // The load is meant to be more than one key may ask.
  const config = loadConfig(standaloneConfig, { WEFT_REQUESTS_PER_MINUTE: '10000000', ...process.env, WEFT_HOME: home, WEFT_PORT: '0', ...WORKLOAD_SETTINGS });
  await migrateStore(await openStore({ home, url: config.WEFT_STORE_URL, servicePassword: config.WEFT_STORE_PASSWORD }));
  const { options, onReady } = await compose(config);
  const running = await createApp(options);
  const { url, apiKey, bus, store, orchestration } = await onReady(running);
  const pool = openPool(store, { applicationName: 'weft bench', max: 1 });
  return {
    profile: 'standalone',
    door: busDoor(bus),
    pool,
    url,
    apiKey,
    pids: [process.pid],
    store,
    deploy: async (name) => {
      const { ref } = await orchestration.deploy({ text: readFileSync(join(WORKLOADS, `${name}.yaml`), 'utf8') }, contextOf({ tenant: DEFAULT_TENANT, actor: 'service:bench' }));
      return ref!;
    },
    shutDown: async () => void (await running.close()),
    close: async () => {
      await pool.end();
      await running.close();
    },
  };
}
