// Validation as a process of the mesh.
import { checkMigrated, engineRole, openPool, parseStoreUrl, PostgresPayloadStore } from '@weft/adapter-postgres';
import { WorkerService } from '@weft/contracts';
import { grpcServerOptions, loadConfig, runService, Shutdown } from '@weft/nest-platform';
import { validationConfig } from './config.js';
import { ValidationModule } from './validation.module.js';
import { validationMigrations } from './migrations/index.js';

const SERVICE = 'validation';

await runService(SERVICE, async () => {
  const config = loadConfig(validationConfig, process.env);
  const address = parseStoreUrl(config.WEFT_STORE_URL);
  const enginePool = openPool(address, { role: engineRole(SERVICE), password: config.WEFT_STORE_PASSWORD ?? address.password, applicationName: `weft ${SERVICE}` });
  await checkMigrated(enginePool, validationMigrations);
  const payloads = await PostgresPayloadStore.open(address, { passwordOf: () => config.WEFT_STORE_PASSWORD ?? address.password, applicationName: `weft ${SERVICE}` });
  return {
    service: SERVICE,
    config,
    http: { port: config.WEFT_PORT, host: config.WEFT_HOST },
    module: ValidationModule.forRoot({ enginePool, payloads }),
    transports: () => [grpcServerOptions({ address: config.WEFT_GRPC_ADDRESS, services: [WorkerService] })],
    prepare: (app) => app.get(Shutdown).on('stores', 'store', async () => void (await Promise.all([enginePool.end(), payloads.close()]))),
  };
});
