// All of Weft as one process. With `migrate`, `create-key TENANT NAME [USER ROLE...]` or `archive FOLDER BEFORE [dry-run]` it only does that and ends.
import { flushCompileCache } from 'node:module';
import { engineRole } from '@weft/adapter-postgres';
import { createApiKey } from '@weft/gateway/shell';
import { ConfigInvalid, configureLog, loadConfig, logFor, runService } from '@weft/nest-platform';
import { Refused } from '@weft/kernel';
import { compose } from './compose.js';
import { archive } from './archive/archive.js';
import { standaloneConfig, type StandaloneConfig } from './config.js';
import { migrateStore, openStore, servicePool, type OpenedStore } from './store.js';

const FLUSH_AFTER_MS = 100;
/** Exit code of what was asked for and cannot be, as its arguments say nothing that could. */
const REFUSED = 2;

const [mode, ...args] = process.argv.slice(2);
if (mode === 'migrate') await administrate(async (store) => ({ applied: await migrateStore(store) }));
else if (mode === 'archive') await administrate((store, config) => archive(store, config, args));
else if (mode === 'create-key') await administrate((store) => createKey(store, args));
else {
  await runService('standalone', async () => {
    const config = loadConfig(standaloneConfig, process.env);
    const { options, onReady } = await compose(config, (call) => process.send?.({ type: 'simulated', ...call }));
    return {
      ...options,
      config,
      onReady: async (running) => {
        const { url, apiKey, skipTime } = await onReady(running);
        process.on('message', (message) => (isSkipTime(message) ? skipTime() : undefined));
        process.send?.({ type: 'ready', url, apiKey });
        // It would be written at the end otherwise, which a process that is killed does not have.
        setTimeout(flushCompileCache, FLUSH_AFTER_MS).unref();
      },
    };
  });
}

/** Said by whoever started this once all that is to come before the timers has been sent. */
const isSkipTime = (message: unknown): boolean => (message as { readonly type?: string } | null)?.type === 'skip-time';

/** Prints one JSON line about what was done. */
async function administrate(run: (store: OpenedStore, config: StandaloneConfig) => Promise<object>): Promise<void> {
  // stdout is for the answer alone.
  configureLog({ write: (line) => process.stderr.write(line) });
  try {
    const config = loadConfig(standaloneConfig, process.env);
    const store = await openStore({ home: config.WEFT_HOME, url: config.WEFT_STORE_URL, servicePassword: config.WEFT_STORE_PASSWORD });
    const done = await run(store, config);
    // A server that ran before may be in use; the next start adopts it anyway.
    if (!store.adopted) await store.close();
    process.stdout.write(`${JSON.stringify(done)}\n`);
  } catch (error) {
    if (error instanceof ConfigInvalid || error instanceof Refused) process.stderr.write(`${error.message}\n`);
    else logFor('standalone').fatal(`${mode} failed`, { error });
    process.exitCode = error instanceof Refused ? REFUSED : 1;
  }
}

async function createKey(store: OpenedStore, [tenant = '', name = '', user = '', ...roles]: readonly string[]): Promise<object> {
  const pool = servicePool(store, engineRole('gateway'), 1);
  try {
    const { id, text } = await createApiKey(pool, tenant, name, { user, roles });
    return { id, tenant, user, roles, key: text };
  } finally {
    await pool.end();
  }
}
