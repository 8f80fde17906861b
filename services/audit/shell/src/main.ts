// Audit as a process of the mesh.
import { ensureTopics, KafkaBus } from '@weft/adapter-kafka';
import { parseStoreUrl } from '@weft/adapter-postgres';
import { AuditService, TOPICS } from '@weft/contracts';
import { consumerTimingOf, grpcServerOptions, loadConfig, logFor, runService, Shutdown } from '@weft/nest-platform';
import { AuditModule } from './audit.module.js';
import { auditProcess } from './config.js';

const SERVICE = 'audit';

await runService(SERVICE, async () => {
  const config = loadConfig(auditProcess, process.env);
  const store = parseStoreUrl(config.WEFT_STORE_URL);
  const kafka = { brokers: config.WEFT_KAFKA.split(','), clientId: SERVICE };
  await ensureTopics(kafka, [TOPICS.audit.name]);
  const bus = new KafkaBus({ ...kafka, ...consumerTimingOf(config), onFault: (fault, topic) => logFor(SERVICE).warn('a batch comes again', { error: fault, topic }) });
  return {
    service: SERVICE,
    config,
    http: { port: config.WEFT_PORT, host: config.WEFT_HOST },
    module: AuditModule.forRoot({ store, passwordOf: () => config.WEFT_STORE_PASSWORD ?? store.password, bus, config }),
    transports: () => [grpcServerOptions({ address: config.WEFT_GRPC_ADDRESS, services: [AuditService] })],
    prepare: (app) => app.get(Shutdown).on('stores', 'bus', () => bus.close()),
  };
});
