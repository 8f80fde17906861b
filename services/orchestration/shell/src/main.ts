// Orchestration as a process of the mesh.
import { ensureTopics, KafkaBus } from '@weft/adapter-kafka';
import { parseStoreUrl, PostgresPayloadStore } from '@weft/adapter-postgres';
import { OrchestrationService, ToolsClient, TOPICS, WorkerClient } from '@weft/contracts';
import { BusTransport, consumerTimingOf, grpcPeer, grpcServerOptions, loadConfig, logFor, runService, Shutdown } from '@weft/nest-platform';
import { hostname } from 'node:os';
import { claimCheckedBus, claimCheckedWorker } from '@weft/pipeline';
import { orchestrationConfig } from './config.js';
import { OrchestrationModule } from './orchestration.module.js';

const SERVICE = 'orchestration';

await runService(SERVICE, async () => {
  const config = loadConfig(orchestrationConfig, process.env);
  const log = logFor(SERVICE);
  const store = parseStoreUrl(config.WEFT_STORE_URL);
  const kafka = { brokers: config.WEFT_KAFKA.split(','), clientId: SERVICE };
  await ensureTopics(kafka, [TOPICS.commands.name, TOPICS.jobs.name, TOPICS.lifecycle.name, TOPICS.results.name]);
  const payloads = await PostgresPayloadStore.open(store, { passwordOf: () => config.WEFT_STORE_PASSWORD ?? store.password, applicationName: `weft ${SERVICE}` });
  const kafkaBus = new KafkaBus({ ...kafka, ...consumerTimingOf(config), onFault: (fault, topic) => log.warn('a batch comes again', { error: fault, topic }) });
  const bus = claimCheckedBus(kafkaBus, payloads);
  const intake = new BusTransport(bus);
  const worker = (address: string) => grpcPeer(WorkerClient, address, { service: SERVICE, streamDeadlineMs: 120_000 });
  const peers = {
    tools: worker(config.WEFT_TOOLS),
    memory: worker(config.WEFT_MEMORY),
    validation: worker(config.WEFT_VALIDATION),
    resources: grpcPeer(ToolsClient, config.WEFT_TOOLS, { service: SERVICE }),
  };
  return {
    service: SERVICE,
    config,
    http: { port: config.WEFT_PORT, host: config.WEFT_HOST },
    module: OrchestrationModule.forRoot({
      store,
      passwordOf: () => config.WEFT_STORE_PASSWORD ?? store.password,
      bus,
      busIsVolatile: false,
      payloads,
      workers: {
        tools: claimCheckedWorker(peers.tools.peer, payloads),
        memory: claimCheckedWorker(peers.memory.peer, payloads),
        validation: claimCheckedWorker(peers.validation.peer, payloads),
      },
      resources: peers.resources.peer,
      settings: config,
      // Two processes cannot listen at the same address of a host: whoever was there before has ended.
      replica: { name: `${hostname()}/${config.WEFT_GRPC_ADDRESS}`, ttlMs: config.WEFT_REPLICA_TTL_MS, publishWaitMs: () => kafkaBus.publishWaitMs, intake },
    }),
    transports: () => [grpcServerOptions({ address: config.WEFT_GRPC_ADDRESS, services: [OrchestrationService] }), { strategy: intake }],
    prepare: (app) => {
      const shutdown = app.get(Shutdown);
      for (const [name, peer] of Object.entries(peers)) shutdown.on('stores', name, () => peer.close());
      shutdown.on('stores', 'bus', () => bus.close());
      shutdown.on('stores', 'payloads', () => payloads.close());
    },
  };
});
