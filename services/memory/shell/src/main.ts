// Memory as a process of the mesh.
import { checkMigrated, engineRole, openPool, parseStoreUrl, PostgresPayloadStore } from '@weft/adapter-postgres';
import { WorkerService } from '@weft/contracts';
import { grpcServerOptions, loadConfig, runService, Shutdown } from '@weft/nest-platform';
import { memoryConfig } from './config.js';
import { MemoryModule } from './memory.module.js';
import { memoryMigrations } from './migrations/index.js';

const SERVICE = 'memory';

await runService(SERVICE, async () => {
  const config = loadConfig(memoryConfig, process.env);
  const address = parseStoreUrl(config.WEFT_STORE_URL);
  const enginePool = openPool(address, { role: engineRole(SERVICE), password: config.WEFT_STORE_PASSWORD ?? address.password, applicationName: `weft ${SERVICE}` });
  await checkMigrated(enginePool, memoryMigrations);
  const payloads = await PostgresPayloadStore.open(address, { passwordOf: () => config.WEFT_STORE_PASSWORD ?? address.password, applicationName: `weft ${SERVICE}` });
  return {
    service: SERVICE,
    config,
    http: { port: config.WEFT_PORT, host: config.WEFT_HOST },
    module: MemoryModule.forRoot({ enginePool, payloads, privateScopes: config.WEFT_PRIVATE_SCOPES }),
    transports: () => [grpcServerOptions({ address: config.WEFT_GRPC_ADDRESS, services: [WorkerService] })],
    prepare: (app) => app.get(Shutdown).on('stores', 'store', async () => void (await Promise.all([enginePool.end(), payloads.close()]))),
  };
});
