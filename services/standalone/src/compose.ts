// All of Weft in one process: every service's module on one store, one bus and one HTTP listener.
import { LocalBus, LocalLimiter, LocalStream } from '@weft/adapter-local';
import { checkMigrated, engineRole, tenantRole, type StoreAddress } from '@weft/adapter-postgres';
import { AuditModule, AUDIT_PEER } from '@weft/audit/shell';
import type { AuditPeer, BudgetsPeer, OrchestrationPeer, PermissionsPeer, RoutingPeer, ToolsPeer, WorkerPeer } from '@weft/contracts';
import { boundCrowd, GatewayModule, readExposedTools } from '@weft/gateway/shell';
import { MEMORY_WORKER, MemoryModule } from '@weft/memory/shell';
import { Module, type DynamicModule } from '@nestjs/common';
import { BODY_OVERHEAD_BYTES, BusTransport, logFor, Shutdown, type AppOptions, type RunningApp } from '@weft/nest-platform';
import { OrchestrationController, OrchestrationModule, SkippingClock, type Workers } from '@weft/orchestration/shell';
import { systemClock, type Bus } from '@weft/pipeline';
import { loadRouteTable, ROUTING_PEER, RoutingModule } from '@weft/routing/shell';
import {
  BUDGETS_PEER,
  environmentSecrets,
  NO_DECLARATIONS,
  PERMISSIONS_PEER,
  readBudgetsFile,
  readGrantsFile,
  readPoliciesFile,
  readToolsFile,
  readWebhooksFile,
  TOOLS_PEER,
  TOOLS_WORKER,
  ToolsModule,
} from '@weft/tools/shell';
import { VALIDATION_WORKER, ValidationModule } from '@weft/validation/shell';
import { defaultKey, deployFolder } from './bootstrap.js';
import type { StandaloneConfig } from './config.js';
import { lazyPeer } from './lazy-peer.js';
import { simulatedCalls, type SimulatedCall } from './simulated/simulated-calls.js';
import { ALL_MIGRATIONS, openStore, ownStore, servicePool } from './store.js';

/** What runs, for whoever composed it. */
export interface Standalone {
  readonly url: string;
  /** Key of the default tenant. */
  readonly apiKey: string;
  readonly bus: Bus;
  readonly store: StoreAddress;
  readonly orchestration: OrchestrationPeer;
  /** Time is skipped from now on, where that is set. */
  readonly skipTime: () => void;
}

/** What to run, and what to do once it runs. */
export interface Composition {
  readonly options: AppOptions;
  readonly onReady: (running: RunningApp) => Promise<Standalone>;
}

@Module({})
class StandaloneModule {}

/** Opens the store and composes the application; nothing takes work yet. @param onSimulated told of calls that are answered from a file. */
export async function compose(config: StandaloneConfig, onSimulated: (call: SimulatedCall) => void = () => undefined): Promise<Composition> {
  const log = logFor('standalone');
  const store = await openStore({ home: config.WEFT_HOME, url: config.WEFT_STORE_URL, servicePassword: config.WEFT_STORE_PASSWORD });
  const letGo = await ownStore(store, config.WEFT_STORE_WAIT_MS, () => {
    log.fatal('the store was lost: another process may use it now, so this one ends');
    process.exit(1);
  });
  const pools = {
    gateway: servicePool(store, engineRole('gateway'), 2),
    routing: servicePool(store, engineRole('routing'), 3),
    routingTenant: servicePool(store, tenantRole('routing'), 2),
    tools: servicePool(store, engineRole('tools'), 4),
    toolsTenant: servicePool(store, tenantRole('tools'), 2),
    memory: servicePool(store, engineRole('memory'), 2),
    validation: servicePool(store, engineRole('validation'), 2),
  };
  const poolOf: Readonly<Record<string, (typeof pools)[keyof typeof pools]>> = pools;
  await Promise.all(ALL_MIGRATIONS.flatMap((migrations) => (poolOf[migrations.service] ? [checkMigrated(poolOf[migrations.service]!, migrations)] : [])));

  const bus = new LocalBus({ onFault: (error, topic) => log.warn('a batch comes again', { error, topic }) });
  const tokens = new LocalStream();
  let running: RunningApp | undefined;
  const peer = <P extends object>(token: symbol | (abstract new (...args: never[]) => P)): P => lazyPeer<P>(() => running!.app.get<P>(token as symbol, { strict: false }));
  const orchestration = peer<OrchestrationPeer>(OrchestrationController as unknown as symbol);
  const { gateway: gatewayPool, routing: routingPool, routingTenant, tools: toolsPool, toolsTenant, memory: memoryPool, validation: validationPool } = pools;

  const workers: Workers = { tools: peer<WorkerPeer>(TOOLS_WORKER), memory: peer<WorkerPeer>(MEMORY_WORKER), validation: peer<WorkerPeer>(VALIDATION_WORKER) };
  const simulated = config.WEFT_ANSWERS_FILE === undefined ? undefined : simulatedCalls(config.WEFT_ANSWERS_FILE, { onCall: onSimulated, runsPython: config.WEFT_RUN_PYTHON !== undefined });
  const clock = config.WEFT_SKIP_TIME ? new SkippingClock() : systemClock;

  const modules: DynamicModule[] = [
    OrchestrationModule.forRoot({
      store: store.address,
      passwordOf: store.passwordOf,
      bus: simulated?.bus(bus) ?? bus,
      busIsVolatile: true,
      workers: simulated?.workers(workers) ?? workers,
      resources: simulated?.resources ?? peer<ToolsPeer>(TOOLS_PEER),
      // What is answered needs nothing on this machine.
      enablesEverything: simulated !== undefined,
      settings: config,
      clock,
    }),
    ToolsModule.forRoot({
      enginePool: toolsPool,
      tenantPool: toolsTenant,
      bus,
      busIsVolatile: true,
      ...(config.WEFT_TOOLS_FILE === undefined ? NO_DECLARATIONS : readToolsFile(config.WEFT_TOOLS_FILE)),
      environment: process.env,
      grants: config.WEFT_GRANTS_FILE === undefined ? [] : readGrantsFile(config.WEFT_GRANTS_FILE),
      policies: config.WEFT_POLICIES_FILE === undefined ? [] : readPoliciesFile(config.WEFT_POLICIES_FILE),
      webhooks: config.WEFT_WEBHOOKS_FILE === undefined ? [] : readWebhooksFile(config.WEFT_WEBHOOKS_FILE),
      budgets: config.WEFT_BUDGETS_FILE === undefined ? [] : readBudgetsFile(config.WEFT_BUDGETS_FILE),
      secrets: environmentSecrets(process.env),
      tokens,
      settings: config,
    }),
    MemoryModule.forRoot({ enginePool: memoryPool, privateScopes: config.WEFT_PRIVATE_SCOPES }),
    ValidationModule.forRoot({ enginePool: validationPool }),
    AuditModule.forRoot({ store: store.address, passwordOf: store.passwordOf, bus, config }),
    RoutingModule.forRoot({ enginePool: routingPool, tenantPool: routingTenant, bus, orchestration, table: await loadRouteTable(config.WEFT_ROUTES_FILE), settings: config }),
    GatewayModule.forRoot({
      enginePool: gatewayPool,
      bus,
      tokens,
      limiter: new LocalLimiter({ points: config.WEFT_REQUESTS_PER_MINUTE, windowMs: 60_000 }),
      routing: peer<RoutingPeer>(ROUTING_PEER),
      orchestration,
      audit: peer<AuditPeer>(AUDIT_PEER),
      tools: { permissions: peer<PermissionsPeer>(PERMISSIONS_PEER), budgets: peer<BudgetsPeer>(BUDGETS_PEER), registry: peer<ToolsPeer>(TOOLS_PEER) },
      exposed: readExposedTools(config.WEFT_MCP_FILE),
      settings: config,
    }),
  ];

  return {
    options: {
      service: 'standalone',
      http: { port: config.WEFT_PORT, host: config.WEFT_HOST, bodyBytesMax: config.WEFT_REQUEST_BYTES_MAX + BODY_OVERHEAD_BYTES },
      before: [boundCrowd(config.WEFT_ACCEPTING_MAX)],
      module: { module: StandaloneModule, imports: modules },
      transports: () => [{ strategy: new BusTransport(bus) }],
      prepare: (app) => {
        running = { app } as RunningApp;
        const shutdown = app.get(Shutdown);
        shutdown.on('servers', 'store', () => store.close());
        shutdown.on('servers', 'store lock', letGo);
        shutdown.on('stores', 'pools', async () => void (await Promise.all(Object.values(pools).map((pool) => pool.end()))));
        shutdown.on('stores', 'bus', () => bus.close());
      },
    },
    onReady: async ({ url }) => {
      if (config.WEFT_DEFINITIONS !== undefined) await deployFolder(orchestration, config.WEFT_DEFINITIONS);
      return { url, apiKey: await defaultKey(gatewayPool, config.WEFT_HOME), bus, store: store.address, orchestration, skipTime: () => (clock instanceof SkippingClock ? clock.begin() : undefined) };
    },
  };
}
