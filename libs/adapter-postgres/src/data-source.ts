import { Fault } from '@weft/pipeline';
import type { DataSource, DataSourceOptions, Logger } from 'typeorm';
import type { PoolOptions } from './pool.js';
import { clientConfig, type StoreAddress } from './store-address.js';
import { faultOf } from './store-fault.js';

/**
 * A connected TypeORM data source without entities: for reads that are no hot path and for `@nestjs/typeorm`. Options as for `openPool`.
 * It sets no tenant: as a tenant role it sees no rows outside `inTenant`.
 * @throws Fault when the store is not reached.
 */
export async function openDataSource(address: StoreAddress, options: PoolOptions): Promise<DataSource> {
  return connect({ ...sourceOptions(address, options), entities: [] });
}

/** What every data source here has in common. */
export function sourceOptions(address: StoreAddress, options: PoolOptions) {
  const { host, port, database, user, password, ssl } = clientConfig(address, options);
  return {
    type: 'postgres',
    host: host!,
    port: port!,
    database: database!,
    username: user!,
    ...(typeof password === 'string' ? { password } : {}),
    applicationName: options.applicationName,
    installExtensions: false,
    logger: SILENT,
    poolErrorHandler: (fault: unknown) => options.onFault?.(fault instanceof Error ? fault : new Fault(String(fault), true)),
    extra: {
      ...(ssl === undefined ? {} : { ssl }),
      max: options.max ?? 4,
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
      ...(options.statementMsMax === 0 ? {} : { statement_timeout: options.statementMsMax ?? 30_000 }),
    },
  } as const satisfies DataSourceOptions;
}

// TypeORM prints failed migrations to stdout by default, where commands print data; the fault says the same.
const SILENT: Logger = {
  logQuery() {},
  logQueryError() {},
  logQuerySlow() {},
  logSchemaBuild() {},
  logMigration() {},
  log() {},
};

/** Initialises a data source. @throws Fault. */
export async function connect(options: DataSourceOptions): Promise<DataSource> {
  try {
    // Only migrations need it: a service that starts does not pay for loading it.
    const { DataSource: Source } = await import('typeorm');
    return await new Source(options).initialize();
  } catch (fault) {
    throw faultOf(fault);
  }
}
