// Routing as a process of the mesh.
import { ensureTopics, KafkaBus } from '@weft/adapter-kafka';
import { checkMigrated, engineRole, openPool, parseStoreUrl, PostgresPayloadStore, tenantRole } from '@weft/adapter-postgres';
import { OrchestrationClient, RoutingService, topicName } from '@weft/contracts';
import { consumerTimingOf, grpcPeer, grpcServerOptions, loadConfig, logFor, runService, Shutdown } from '@weft/nest-platform';
import { claimCheckedBus } from '@weft/pipeline';
import { routingConfig } from './config.js';
import { routingMigrations } from './migrations/index.js';
import { RoutingModule } from './routing.module.js';
import { loadRouteTable } from './table/load-route-table.js';

const SERVICE = 'routing';

await runService(SERVICE, async () => {
  const config = loadConfig(routingConfig, process.env);
  const log = logFor(SERVICE);
  const table = await loadRouteTable(config.WEFT_ROUTES_FILE);
  const address = parseStoreUrl(config.WEFT_STORE_URL);
  const pool = (role: string) => openPool(address, { role, password: config.WEFT_STORE_PASSWORD ?? address.password, applicationName: `weft ${SERVICE}` });
  const [enginePool, tenantPool] = [pool(engineRole(SERVICE)), pool(tenantRole(SERVICE))];
  await checkMigrated(enginePool, routingMigrations);
  const kafka = { brokers: config.WEFT_KAFKA.split(','), clientId: SERVICE };
  await ensureTopics(kafka, ['weft.commands', 'weft.lifecycle', ...config.WEFT_TENANTS.flatMap((tenant) => [topicName('requests', tenant), topicName('results', tenant)])]);
  const payloads = await PostgresPayloadStore.open(address, { passwordOf: () => config.WEFT_STORE_PASSWORD ?? address.password, applicationName: `weft ${SERVICE}` });
  const kafkaBus = new KafkaBus({ ...kafka, ...consumerTimingOf(config), onFault: (fault, topic) => log.warn('a batch comes again', { error: fault, topic }) });
  const bus = claimCheckedBus(kafkaBus, payloads);
  const orchestration = grpcPeer(OrchestrationClient, config.WEFT_ORCHESTRATION, { service: SERVICE, askAnother: { afterMs: 500, calls: ['resolveDefinition'] } });
  return {
    service: SERVICE,
    config,
    http: { port: config.WEFT_PORT, host: config.WEFT_HOST },
    module: RoutingModule.forRoot({ enginePool, tenantPool, bus, payloads, orchestration: orchestration.peer, table, settings: config }),
    transports: () => [grpcServerOptions({ address: config.WEFT_GRPC_ADDRESS, services: [RoutingService] })],
    prepare: (app) => {
      const shutdown = app.get(Shutdown);
      shutdown.on('stores', 'store', async () => void (await Promise.all([enginePool.end(), tenantPool.end(), payloads.close()])));
      shutdown.on('stores', 'orchestration', () => orchestration.close());
      shutdown.on('stores', 'bus', () => bus.close());
    },
  };
});
