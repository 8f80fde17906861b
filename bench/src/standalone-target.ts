// The bench inside the one process: a throw-away store, the product as it is composed for everybody, audit on.
import { openPool } from '@weft/adapter-postgres';
import { contextOf, DEFAULT_TENANT } from '@weft/contracts';
import { configureLog, createApp, loadConfig } from '@weft/nest-platform';
import { compose, migrateStore, openStore, standaloneConfig } from '@weft/standalone';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ChainTarget } from './chain.js';

export interface OpenTarget extends ChainTarget {
  close(): Promise<void>;
}

/** @param files folder of the workload's files. @param home folder of the throw-away store; emptied first. */
export async function openStandalone(files: string, home: string): Promise<OpenTarget> {
  configureLog({ level: 'warn' });
  rmSync(home, { recursive: true, force: true });
  const config = loadConfig(standaloneConfig, {
    ...process.env,
    WEFT_HOME: home,
    WEFT_PORT: '0',
    WEFT_TOOLS_FILE: join(files, 'tools.yaml'),
    WEFT_GRANTS_FILE: join(files, 'grants.yaml'),
    WEFT_ROUTES_FILE: join(files, 'routes.yaml'),
  });
  await migrateStore(await openStore({ home, url: config.WEFT_STORE_URL, servicePassword: config.WEFT_STORE_PASSWORD }));
  const { options, onReady } = await compose(config);
  const running = await createApp(options);
  const { bus, store, orchestration } = await onReady(running);
  const pool = openPool(store, { applicationName: 'weft bench', max: 1 });
  const { ref } = await orchestration.deploy({ text: readFileSync(join(files, 'workflow.yaml'), 'utf8') }, contextOf({ tenant: DEFAULT_TENANT, actor: 'service:bench' }));
  return {
    profile: 'standalone',
    bus,
    definition: ref!,
    pool,
    close: async () => {
      await pool.end();
      await running.close();
    },
  };
}
