// The composition of tools: the only file where its ports meet its parts.
import { Module, type DynamicModule, type FactoryProvider, type ModuleMetadata, type OnApplicationBootstrap } from '@nestjs/common';
import type { Pool } from '@weft/adapter-postgres';
import { DEFAULT_TENANT, TOPICS, type BudgetsPeer, type PermissionsPeer, type ToolsPeer } from '@weft/contracts';
import { HealthChecks, logFor, Shutdown, type RunSettings } from '@weft/nest-platform';
import { claimRedeemingWorker, type Bus, type PayloadStore, type TokenStream } from '@weft/pipeline';
import { labelMatcher, offerTools, policiesOfGrants, type Budget, type Grant, type PolicySource, type ToolDefinition, type Webhook } from '@weft/tools/core';
import { LocalLimiter, LocalSlots, LocalStream } from '@weft/adapter-local';
import { BudgetDirectory } from './budget/budget.directory.js';
import { BudgetLedger } from './budget/budget.ledger.js';
import { budgetsPeer } from './budget/budgets.peer.js';
import { ReservationStore } from './budget/reservation.store.js';
import { drawnFor } from './carry-out/budget-step.js';
import { callMakers } from './call/calls.js';
import { resources } from './call/resources.js';
import { Gate } from './carry-out/gate.js';
import { ToolsWorker } from './carry-out/worker.js';
import type { ToolsSettings } from './config.js';
import { BUDGETS_PEER, BudgetsController } from './consume/budgets.controller.js';
import { JobsConsumer } from './consume/jobs.consumer.js';
import { LifecycleConsumer, WEBHOOKS_GROUP } from './consume/lifecycle.consumer.js';
import { PERMISSIONS_PEER, PermissionsController } from './consume/permissions.controller.js';
import { TOOLS_PEER, ToolsController } from './consume/tools.controller.js';
import { TOOLS_WIRE_WORKER, TOOLS_WORKER, WorkerController } from './consume/worker.controller.js';
import type { EgressClient } from './egress/egress-client.js';
import { TokenSource } from './authentication/token-source.js';
import { egressOf } from './egress/egress-of.js';
import { EffectLedger } from './persist/effect.ledger.js';
import { StoreClock } from './persist/store-clock.js';
import { takeApproval } from './permission/approval.store.js';
import { CedarEngine } from './permission/cedar-engine.js';
import { dryRun } from './permission/dry-run.js';
import { Permissions } from './permission/permissions.js';
import { policySetOf } from './permission/policy-set.js';
import { switchCalls } from './permission/switch-calls.js';
import { SwitchBoard } from './permission/switch-board.js';
import { PinBook } from './pin/pin-book.js';
import { Background } from './process/background.js';
import { EffectQueries } from './query/effect-queries.js';
import { ToolQueries } from './query/tool-queries.js';
import { toolsPeer } from './query/tools-peer.js';
import { registryOf, withSources } from './registry/registry.js';
import { ModelTraffic, type TrafficPorts } from './infer/model-traffic.js';
import { offerSources } from './registry/offer-sources.js';
import { resolveResources } from './resource/resolve-resources.js';
import { ResourceStore } from './resource/resource.store.js';
import { Sandbox } from './sandbox/sandbox.js';
import { walls } from './sandbox/walls.js';
import { SchemaCache } from './registry/schemas.js';
import type { Secrets } from './secret/secrets.js';
import { handedOn, openSource, type Environment } from './source/open-source.js';
import { freshMsOf, rulesOf, type SourceDeclaration } from './source/source-declaration.js';
import { ToolSources } from './source/tool-sources.js';
import { WebhookStore } from './webhook/webhook.store.js';
import { Webhooks } from './webhook/webhooks.js';
import { doorOf, LEASE_MS, type WorkerSettings } from './workers/worker-settings.js';
import { Workers } from './workers/workers.js';

/** What tools runs on. Whoever hands it in closes it. */
export interface ToolsPorts {
  /** Of tools' engine role: writes the effect ledger. */
  readonly enginePool: Pool;
  /** Of tools' tenant role: reads what a caller may see. */
  readonly tenantPool: Pool;
  readonly bus: Bus;
  /** Whether the bus lives in this process: what it held is lost with it, and dispatched again. Default false. */
  readonly busIsVolatile?: boolean;
  /** Where large texts of jobs and results lie that come over the wire. Without it calls carry all. */
  readonly payloads?: PayloadStore;
  readonly tools: readonly ToolDefinition[];
  /** Where other tools come from while it runs. Default: nowhere. */
  readonly sources?: readonly SourceDeclaration[];
  /** Folder that relative paths of sources are taken from. Default: the working directory. */
  readonly folder?: string;
  /** Variables of this process, of which a child process gets a few (PATH, HOME, LANG, TZ). Default: none. */
  readonly environment?: Environment;
  readonly grants: readonly Grant[];
  /** Policies besides the grants. */
  readonly policies?: readonly PolicySource[];
  /** Who is told of lifecycle events. Default: nobody. */
  readonly webhooks?: readonly Webhook[];
  /** Those of the operator's file. Default: none. */
  readonly budgets?: readonly Budget[];
  readonly secrets: Secrets;
  /** Built program of the sandbox's processes. Default: the one beside this code. */
  readonly sandboxMain?: string;
  /** What all processes together ask of a provider. Default: what this one does. */
  readonly modelLimits?: Pick<TrafficPorts, 'limiterOf' | 'slots'>;
  /** Where answers of models are shown while they come. Default: to nobody. */
  readonly tokens?: TokenStream;
  readonly settings: Omit<
    ToolsSettings,
    'WEFT_TOOLS_FILE' | 'WEFT_GRANTS_FILE' | 'WEFT_POLICIES_FILE' | 'WEFT_WEBHOOKS_FILE' | 'WEFT_BUDGETS_FILE' | 'WEFT_OPERATORS' | keyof WorkerSettings | keyof RunSettings
  > &
    Partial<WorkerSettings & RunSettings & Pick<ToolsSettings, 'WEFT_OPERATORS'>>;
}

/** The ports out of other providers, as where the bus lives in the same application. */
export interface ToolsModuleOptions extends Pick<ModuleMetadata, 'imports'>, Pick<FactoryProvider<ToolsPorts>, 'inject' | 'useFactory'> {}

const PORTS = Symbol('weft.tools.ports');
const PARTS = Symbol('weft.tools.parts');
const CONSUMER_GROUP = 'tools';

interface Parts {
  readonly worker: ToolsWorker;
  readonly permissions: PermissionsPeer;
  readonly shown: ToolsPeer;
  readonly switches: SwitchBoard;
  readonly budgetsPeer: BudgetsPeer;
  readonly ledger: EffectLedger;
  readonly budgets: BudgetLedger;
  readonly egress: EgressClient;
  readonly sources: ToolSources;
  readonly pins: PinBook;
  readonly sandbox: Sandbox;
  readonly background: Background;
  readonly workers: Workers;
}

/** Makes the parts of tools without Nest around them, as for specs and benchmarks. @throws FileInvalid for tools that cannot be used. */
export function toolsParts(ports: ToolsPorts, signal: AbortSignal): Parts {
  const { settings } = ports;
  const log = logFor('tools');
  const clock = new StoreClock();
  const ledger = new EffectLedger(ports.enginePool, (fault) => log.warn('the ledger waits for its store', { error: fault }), clock);
  const egress = egressOf(settings);
  const isTrusted = labelMatcher(settings.WEFT_TRUSTED_LABELS);
  const engine = new CedarEngine(policySetOf([...policiesOfGrants(ports.grants, 'the grants file'), ...(ports.policies ?? [])]), isTrusted);
  const switches = new SwitchBoard(
    ports.enginePool,
    (fault) => log.warn('the kill switches cannot be read', { error: fault }),
    (now) => clock.set(now),
  );
  switches.start(signal);
  const permissions = new Permissions(engine, switches, isTrusted);
  const pins = new PinBook(ports.enginePool, (fault) => log.warn('the pins wait for their store', { error: fault }));
  const sources = new ToolSources({ pins, log, signal });
  const workers = new Workers({ pool: ports.enginePool, pins, secrets: ports.secrets, leaseMs: settings.WEFT_WORKER_LEASE_MS ?? LEASE_MS, log });
  for (const declaration of ports.sources ?? []) {
    const source = openSource(declaration, { egress, secrets: ports.secrets, workers, folder: ports.folder ?? '.', environment: ports.environment ?? {} });
    sources.add(source, { ...rulesOf(declaration), freshMs: freshMsOf(declaration) });
  }
  const sandbox = new Sandbox(settings.WEFT_SANDBOX_PROCESSES, ports.sandboxMain);
  const registry = withSources(registryOf(ports.tools, { egress, secrets: ports.secrets, sandbox }), sources);
  if (ports.tools.some(({ kind }) => kind === 'script')) {
    sandbox.warm();
    for (const missing of walls().missing) log.warn('a wall of the sandbox is missing', { reason: missing });
  }
  const background = new Background();
  const published = new ResourceStore(ports.enginePool);
  const accessTokens = new TokenSource(egress);
  const calls = callMakers({
    egress,
    secrets: ports.secrets,
    accessTokens,
    sandbox,
    background,
    resources: resources(egress, async (tenant, digest) => (await published.find(tenant, digest))?.content.toString('utf8')),
    inherited: handedOn(ports.environment ?? {}),
    mcpCommands: settings.WEFT_MCP_STDIO ?? [],
    python: settings.WEFT_RUN_PYTHON,
    shell: settings.WEFT_RUN_SHELL,
    callTimeoutMs: settings.WEFT_CALL_TIMEOUT_MS,
    agentTimeoutMs: settings.WEFT_AGENT_TIMEOUT_MS,
    subscriptionTimeoutMs: settings.WEFT_SUBSCRIPTION_TIMEOUT_MS,
    containerEngine: settings.WEFT_RUN_CONTAINER,
    scriptTimeoutMs: settings.WEFT_SCRIPT_TIMEOUT_MS,
    processTimeoutMs: settings.WEFT_PROCESS_TIMEOUT_MS,
    log,
  });
  const directory = new BudgetDirectory(ports.budgets ?? [], ports.enginePool);
  const budgets = new BudgetLedger({
    directory,
    store: new ReservationStore(ports.enginePool),
    now: () => ledger.now(),
    leaseMs: settings.WEFT_BUDGET_LEASE_MS,
    onFault: (fault) => log.warn('budgets wait for their store', { error: fault }),
  });
  const worker = new ToolsWorker({
    registry,
    permissions,
    takeApproval: (tenant, approval, key) => takeApproval(ports.enginePool, tenant, approval, key),
    ledger,
    budgets,
    egress,
    gate: new Gate(settings.WEFT_TOOLS_CONCURRENCY),
    secrets: ports.secrets,
    schemas: new SchemaCache(),
    draw: (job, drawing) => drawnFor({ budgets }, job, drawing),
    traffic: new ModelTraffic({ ...(ports.modelLimits ?? { limiterOf: (_name, allowance) => new LocalLimiter(allowance), slots: new LocalSlots() }), now: () => performance.now() }),
    offer: (job, wanted) => offerTools(wanted, offerSources(registry, permissions, job)),
    tokens: ports.tokens ?? new LocalStream(),
    modelTimeoutMs: settings.WEFT_MODEL_TIMEOUT_MS,
    modelStallMs: settings.WEFT_MODEL_STALL_MS,
    calls,
    signal,
    log,
    onContradiction: (key, message) => log.error('the ledger is contradicted', { key, reason: message }),
  });
  const shownBudgets = budgetsPeer({ directory, tenantPool: ports.tenantPool, now: () => ledger.now() });
  const shown = toolsPeer({
    tools: new ToolQueries(ports.tools, sources, pins),
    effects: new EffectQueries(ports.tenantPool),
    pins,
    resolveResources: resolveResources({ egress, tokens: accessTokens, store: published, signal }),
    operators: settings.WEFT_OPERATORS ?? [DEFAULT_TENANT],
  });
  return {
    worker,
    budgetsPeer: shownBudgets,
    shown,
    permissions: { ...dryRun(permissions, registry, () => ledger.now()), ...switchCalls(ports.enginePool, switches) },
    switches,
    ledger,
    budgets,
    egress,
    sources,
    pins,
    sandbox,
    background,
    workers,
  };
}

/** Consumes jobs for as long as the application takes work. */
class ToolsWork implements OnApplicationBootstrap {
  constructor(
    private readonly ports: ToolsPorts,
    private readonly parts: Parts,
    private readonly shutdown: Shutdown,
    health: HealthChecks,
  ) {
    health.register('tools store', async () => void (await ports.enginePool.query('select 1')));
  }

  async onApplicationBootstrap(): Promise<void> {
    const { worker, switches, ledger, budgets, egress, sources, sandbox, background, workers } = this.parts;
    await Promise.all([switches.refresh(), budgets.start()]);
    await sources.start();
    await workers.start(sources, doorOf(this.ports.settings));
    const { bus, busIsVolatile = false } = this.ports;
    const onFault = (error: unknown): void => logFor('tools').error('results were lost on their way', { error });
    const jobs = new JobsConsumer(worker, bus, { isVolatile: busIsVolatile, onFault });
    const subscription = await this.ports.bus.subscribe({ topic: TOPICS.jobs.name, group: CONSUMER_GROUP, handle: (batch) => jobs.handle(batch) });
    this.shutdown.on('intake', 'tools consumer', () => subscription.close());
    await this.#tellWebhooks();
    this.shutdown.on('workers', 'tools jobs', async () => {
      await worker.drain();
      await jobs.drain();
      await background.close();
      await Promise.all([ledger.stop(), budgets.stop(), sources.stop(), sandbox.close(), workers.stop()]);
      egress.close();
    });
  }

  /** Listens to what happens only where somebody is to be told of it. */
  async #tellWebhooks(): Promise<void> {
    const { webhooks: declared = [], enginePool, bus, secrets } = this.ports;
    if (declared.length === 0) return;
    const onFault = (error: unknown, what: string): void => logFor('tools').warn(`a fault while ${what}; it is tried again`, { error });
    const webhooks = new Webhooks({ webhooks: declared, store: new WebhookStore(enginePool), egress: this.parts.egress, secrets, bus, onFault });
    const consumer = new LifecycleConsumer(declared, (messages) => webhooks.tell(messages));
    const subscription = await bus.subscribe({ topic: TOPICS.lifecycle.name, group: WEBHOOKS_GROUP, handle: (batch) => consumer.handle(batch) });
    webhooks.start();
    this.shutdown.on('intake', 'webhooks consumer', () => subscription.close());
    this.shutdown.on('work', 'webhooks', () => webhooks.stop());
  }
}

@Module({})
export class ToolsModule {
  /** Tools on ports that exist already. It exports the worker of its process under `TOOLS_WORKER`. */
  static forRoot(ports: ToolsPorts): DynamicModule {
    return ToolsModule.forRootAsync({ useFactory: () => ports });
  }

  /** Tools on ports that come out of the application. */
  static forRootAsync({ imports, inject, useFactory }: ToolsModuleOptions): DynamicModule {
    return {
      module: ToolsModule,
      imports: imports ?? [],
      controllers: [WorkerController, PermissionsController, BudgetsController, ToolsController],
      providers: [
        { provide: PORTS, useFactory, inject: inject ?? [] },
        { provide: PARTS, inject: [PORTS, Shutdown], useFactory: (ports: ToolsPorts, shutdown: Shutdown) => toolsParts(ports, shutdown.signal) },
        { provide: TOOLS_PEER, inject: [PARTS], useFactory: (parts: Parts) => parts.shown },
        { provide: PERMISSIONS_PEER, inject: [PARTS], useFactory: (parts: Parts) => parts.permissions },
        { provide: BUDGETS_PEER, inject: [PARTS], useFactory: (parts: Parts) => parts.budgetsPeer },
        { provide: TOOLS_WORKER, inject: [PARTS], useFactory: (parts: Parts) => parts.worker },
        { provide: TOOLS_WIRE_WORKER, inject: [PORTS, PARTS], useFactory: ({ payloads }: ToolsPorts, { worker }: Parts) => (payloads ? claimRedeemingWorker(worker, payloads) : worker) },
        {
          provide: ToolsWork,
          inject: [PORTS, PARTS, Shutdown, HealthChecks],
          useFactory: (ports: ToolsPorts, parts: Parts, shutdown: Shutdown, health: HealthChecks) => new ToolsWork(ports, parts, shutdown, health),
        },
      ],
      exports: [TOOLS_WORKER, PERMISSIONS_PEER, BUDGETS_PEER, TOOLS_PEER],
    };
  }
}
