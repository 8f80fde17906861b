// The gateway as a process of the mesh.
import { ensureTopics, KafkaBus } from '@weft/adapter-kafka';
import { LocalLimiter } from '@weft/adapter-local';
import { checkMigrated, engineRole, openPool, parseStoreUrl, PostgresPayloadStore } from '@weft/adapter-postgres';
import { closeRedis, connectRedis, RedisLimiter, RedisStream } from '@weft/adapter-redis';
import { AuditClient, BudgetsClient, OrchestrationClient, PermissionsClient, RoutingClient, ToolsClient, topicName } from '@weft/contracts';
import { BODY_OVERHEAD_BYTES, consumerTimingOf, grpcPeer, loadConfig, logFor, runService, Shutdown } from '@weft/nest-platform';
import { claimCheckedBus, claimCheckedRouting } from '@weft/pipeline';
import { gatewayConfig } from './config.js';
import { boundCrowd } from './http/crowd.js';
import { GatewayModule } from './gateway.module.js';
import { readExposedTools } from './mcp/exposed-tools.js';
import { gatewayMigrations } from './migrations/index.js';

const SERVICE = 'gateway';
// Reads, and what orchestration does once however often it is asked.
const ASKED_AGAIN = ['deploy', 'listDefinitions', 'resolveDefinition', 'getExecution', 'listExecutions', 'getTimeline', 'getMembers', 'listReviews', 'decide'];

await runService(SERVICE, async () => {
  const config = loadConfig(gatewayConfig, process.env);
  const log = logFor(SERVICE);
  const address = parseStoreUrl(config.WEFT_STORE_URL);
  const enginePool = openPool(address, { role: engineRole(SERVICE), password: config.WEFT_STORE_PASSWORD ?? address.password, applicationName: `weft ${SERVICE}` });
  await checkMigrated(enginePool, gatewayMigrations);
  const kafka = { brokers: config.WEFT_KAFKA.split(','), clientId: SERVICE };
  await ensureTopics(
    kafka,
    config.WEFT_TENANTS.map((tenant) => topicName('results', tenant)),
  );
  const payloads = await PostgresPayloadStore.open(address, { passwordOf: () => config.WEFT_STORE_PASSWORD ?? address.password, applicationName: `weft ${SERVICE}` });
  const kafkaBus = new KafkaBus({ ...kafka, ...consumerTimingOf(config), onFault: (fault, topic) => log.warn('a batch comes again', { error: fault, topic }) });
  const bus = claimCheckedBus(kafkaBus, payloads);
  const allowance = { points: config.WEFT_REQUESTS_PER_MINUTE, windowMs: 60_000 };
  const onFault = (error: unknown): void => log.warn('Redis did not answer; limits count for this process alone', { error });
  const redis = config.WEFT_REDIS === undefined ? undefined : await connectRedis({ address: config.WEFT_REDIS, onFault });
  const limiter = redis === undefined ? new LocalLimiter(allowance) : new RedisLimiter({ ...allowance, redis, name: 'keys', onFault });
  const tokens = redis && new RedisStream({ redis, onFault: (error) => log.warn('tokens were lost on their way', { error }) });
  const routing = grpcPeer(RoutingClient, config.WEFT_ROUTING, { service: SERVICE });
  const orchestration = grpcPeer(OrchestrationClient, config.WEFT_ORCHESTRATION, { service: SERVICE, askAnother: { afterMs: 500, calls: ASKED_AGAIN } });
  const audit = grpcPeer(AuditClient, config.WEFT_AUDIT, { service: SERVICE });
  const permissions = grpcPeer(PermissionsClient, config.WEFT_TOOLS, { service: SERVICE, askAnother: { afterMs: 500, calls: ['authorize', 'listSwitches', 'changeSwitch'] } });
  const budgets = grpcPeer(BudgetsClient, config.WEFT_TOOLS, { service: SERVICE });
  const registry = grpcPeer(ToolsClient, config.WEFT_TOOLS, { service: SERVICE });
  return {
    service: SERVICE,
    config,
    http: { port: config.WEFT_PORT, host: config.WEFT_HOST, bodyBytesMax: config.WEFT_REQUEST_BYTES_MAX + BODY_OVERHEAD_BYTES },
    before: [boundCrowd(config.WEFT_ACCEPTING_MAX)],
    module: GatewayModule.forRoot({
      enginePool,
      bus,
      payloads,
      ...(tokens && { tokens }),
      limiter,
      routing: claimCheckedRouting(routing.peer, payloads),
      orchestration: orchestration.peer,
      audit: audit.peer,
      tools: { permissions: permissions.peer, budgets: budgets.peer, registry: registry.peer },
      exposed: readExposedTools(config.WEFT_MCP_FILE),
      settings: config,
    }),
    prepare: (app) => {
      const shutdown = app.get(Shutdown);
      shutdown.on('stores', 'store', async () => void (await Promise.all([enginePool.end(), payloads.close()])));
      shutdown.on('stores', 'peers', () => [routing, orchestration, audit, permissions, budgets, registry].forEach((peer) => peer.close()));
      shutdown.on('stores', 'limits', async () => {
        await tokens?.close();
        if (redis) await closeRedis(redis);
      });
      shutdown.on('stores', 'bus', () => bus.close());
    },
  };
});
