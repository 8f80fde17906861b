// Tools as a process of the mesh.
import { ensureTopics, KafkaBus } from '@weft/adapter-kafka';
import { LocalSlots } from '@weft/adapter-local';
import { checkMigrated, engineRole, openPool, parseStoreUrl, PostgresPayloadStore, tenantRole, type Pool } from '@weft/adapter-postgres';
import { closeRedis, connectRedis, RedisLimiter, RedisSlots, RedisStream } from '@weft/adapter-redis';
import { BudgetsService, PermissionsService, ToolsService, WorkerService } from '@weft/contracts';
import { consumerTimingOf, grpcServerOptions, loadConfig, logFor, runService, Shutdown } from '@weft/nest-platform';
import { claimCheckedBus, type Allowance } from '@weft/pipeline';
import { readBudgetsFile } from './budget/budgets.file.js';
import { toolsConfig } from './config.js';
import { toolsMigrations } from './migrations/index.js';
import { readPoliciesFile } from './permission/policy-set.js';
import { NO_DECLARATIONS, readGrantsFile, readToolsFile } from './registry/files.js';
import { environmentSecrets } from './secret/secrets.js';
import { ToolsModule } from './tools.module.js';
import { readWebhooksFile } from './webhook/webhook.file.js';

const SERVICE = 'tools';

await runService(SERVICE, async () => {
  const config = loadConfig(toolsConfig, process.env);
  const log = logFor(SERVICE);
  const declarations = config.WEFT_TOOLS_FILE === undefined ? NO_DECLARATIONS : readToolsFile(config.WEFT_TOOLS_FILE);
  const grants = config.WEFT_GRANTS_FILE === undefined ? [] : readGrantsFile(config.WEFT_GRANTS_FILE);
  const policies = config.WEFT_POLICIES_FILE === undefined ? [] : readPoliciesFile(config.WEFT_POLICIES_FILE);
  const webhooks = config.WEFT_WEBHOOKS_FILE === undefined ? [] : readWebhooksFile(config.WEFT_WEBHOOKS_FILE);
  const budgets = config.WEFT_BUDGETS_FILE === undefined ? [] : readBudgetsFile(config.WEFT_BUDGETS_FILE);
  const address = parseStoreUrl(config.WEFT_STORE_URL);
  const poolOf = (role: string): Pool => openPool(address, { role, password: config.WEFT_STORE_PASSWORD ?? address.password, applicationName: `weft ${SERVICE}` });
  const [enginePool, tenantPool] = [poolOf(engineRole(SERVICE)), poolOf(tenantRole(SERVICE))];
  await checkMigrated(enginePool, toolsMigrations);
  const kafka = { brokers: config.WEFT_KAFKA.split(','), clientId: SERVICE };
  await ensureTopics(kafka, ['weft.jobs', 'weft.commands', 'weft.lifecycle']);
  const payloads = await PostgresPayloadStore.open(address, { passwordOf: () => config.WEFT_STORE_PASSWORD ?? address.password, applicationName: `weft ${SERVICE}` });
  const kafkaBus = new KafkaBus({ ...kafka, ...consumerTimingOf(config), onFault: (fault, topic) => log.warn('a batch comes again', { error: fault, topic }) });
  const bus = claimCheckedBus(kafkaBus, payloads);
  const onFault = (error: unknown): void => log.warn('Redis did not answer; limits of models count for this process alone, with its share', { error });
  const redis = config.WEFT_REDIS === undefined ? undefined : await connectRedis({ address: config.WEFT_REDIS, onFault });
  const tokens = redis && new RedisStream({ redis, onFault: (error) => log.warn('tokens were lost on their way', { error }) });
  const share = { ownShare: config.WEFT_MODEL_LIMIT_SHARE, onFault };
  const modelLimits = redis && {
    limiterOf: (name: string, allowance: Allowance) => new RedisLimiter({ ...allowance, redis, name, ...share }),
    // A call that outlives its time is cut off: nobody holds a place for longer.
    slots: new RedisSlots({ redis, leaseMs: config.WEFT_MODEL_TIMEOUT_MS + 10_000, own: new LocalSlots(), ...share }),
  };
  return {
    service: SERVICE,
    config,
    http: { port: config.WEFT_PORT, host: config.WEFT_HOST },
    module: ToolsModule.forRoot({
      enginePool,
      tenantPool,
      bus,
      payloads,
      ...declarations,
      environment: process.env,
      grants,
      policies,
      webhooks,
      budgets,
      secrets: environmentSecrets(process.env),
      ...(tokens && { tokens }),
      ...(modelLimits && { modelLimits }),
      settings: config,
    }),
    transports: () => [grpcServerOptions({ address: config.WEFT_GRPC_ADDRESS, services: [WorkerService, PermissionsService, BudgetsService, ToolsService] })],
    prepare: (app) => {
      const shutdown = app.get(Shutdown);
      shutdown.on('stores', 'store', async () => void (await Promise.all([enginePool.end(), tenantPool.end(), payloads.close()])));
      shutdown.on('stores', 'redis', async () => {
        await tokens?.close();
        if (redis) await closeRedis(redis);
      });
      shutdown.on('stores', 'bus', () => bus.close());
    },
  };
});
