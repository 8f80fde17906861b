// The store of the one process: the embedded PostgreSQL unless another is named.
import { migrate, openPool, parseStoreUrl, payloadMigrations, singleWriterLock, startEmbedded, type Pool, type ServiceMigrations, type StoreAddress } from '@weft/adapter-postgres';
import { auditMigrations } from '@weft/audit/shell';
import { gatewayMigrations } from '@weft/gateway/shell';
import { refuse } from '@weft/kernel';
import { memoryMigrations } from '@weft/memory/shell';
import { logFor } from '@weft/nest-platform';
import { orchestrationMigrations } from '@weft/orchestration/shell';
import { routingMigrations } from '@weft/routing/shell';
import { toolsMigrations } from '@weft/tools/shell';
import { validationMigrations } from '@weft/validation/shell';
import { join } from 'node:path';

/** Every service's schema. Audit comes last: it is granted rights on the commit tables of the others. */
export const ALL_MIGRATIONS: readonly ServiceMigrations[] = [
  gatewayMigrations,
  routingMigrations,
  orchestrationMigrations,
  toolsMigrations,
  memoryMigrations,
  validationMigrations,
  payloadMigrations,
  auditMigrations,
];

export interface StoreSettings {
  readonly home: string;
  readonly url: string | undefined;
  readonly servicePassword: string | undefined;
}

export interface OpenedStore {
  readonly address: StoreAddress;
  readonly passwordOf: (role: string) => string | undefined;
  /** Whether the embedded server ran already: somebody may be using it. */
  readonly adopted: boolean;
  /** Stops the server when it is the embedded one. */
  close(): Promise<void>;
}

/** Starts the embedded server, or names the one that is configured. */
export async function openStore({ home, url, servicePassword }: StoreSettings): Promise<OpenedStore> {
  if (url !== undefined) {
    const address = parseStoreUrl(url);
    return { address, passwordOf: () => servicePassword ?? address.password, adopted: true, close: async () => undefined };
  }
  const log = logFor('standalone');
  const embedded = await startEmbedded({ root: join(home, 'postgres'), onNotice: (text) => log.info(text) });
  return { address: embedded.address, passwordOf: () => undefined, adopted: embedded.adopted, close: () => embedded.stop() };
}

/** Brings the store up to date. What `weft db migrate` runs. */
export async function migrateStore(store: OpenedStore, onProgress?: (text: string) => void): Promise<Readonly<Record<string, readonly string[]>>> {
  const { applied } = await migrate(store.address, ALL_MIGRATIONS, { passwordOf: store.passwordOf, ...(onProgress ? { onProgress } : {}) });
  return applied;
}

/** Makes sure that no other process runs on the store, waiting for one that is ending. @returns how to let go of it. */
export async function ownStore(store: OpenedStore, waitMs: number, onLost: () => void): Promise<() => Promise<void>> {
  const log = logFor('standalone');
  const lock = await singleWriterLock(store.address, 'standalone', {
    waitMs,
    applicationName: `weft standalone ${process.pid}`,
    onWait: (holder) => log.warn('another process uses this store; waiting for it to end', { holder: holder?.application }),
  });
  if (!lock) refuse('store-in-use', `Expected to be the only process on the store but another one holds it after ${waitMs} ms. Stop it with \`./weft down\`, or give this one a WEFT_HOME of its own.`);
  void lock.lost.then(onLost);
  return () => lock.release();
}

/** A pool of one role, closed with the process. */
export function servicePool(store: OpenedStore, role: string, max: number): Pool {
  return openPool(store.address, { role, password: store.passwordOf(role), max, applicationName: `weft ${role}` });
}
