// The composition root: the only place where orchestration's core meets PostgreSQL, the bus and its peers.
import { checkMigrated, engineRole, openPool, tenantRole, type Pool, type StoreAddress } from '@weft/adapter-postgres';
import { HealthChecks, logFor, Shutdown } from '@weft/nest-platform';
import { Inject, Module, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import { systemClock, type Bus, type Clock } from '@weft/pipeline';
import type { OrchestrationSettings } from './config.js';
import { CommandConsumer } from './consume/command.consumer.js';
import { OrchestrationController } from './consume/orchestration.controller.js';
import { OrchestrationTopics } from './consume/orchestration.topics.js';
import { TimerPoller } from './consume/timer-poller.js';
import { ExecutionEngine } from './handle/execution-engine.js';
import { ProgramCache } from './handle/programs.js';
import { orchestrationMigrations } from './migrations/index.js';
import { DefinitionStore } from './persist/definition-store.js';
import { executionStore } from './persist/execution-store.js';
import { PublishedCommits } from './persist/published-commits.js';
import { announce } from './publish/announcer.js';
import { JobDispatcher } from './publish/job-dispatcher.js';
import { ProgressWatch } from './publish/progress-watch.js';
import { Recovery } from './publish/recovery.js';
import type { Workers } from './publish/workers.js';
import { ExecutionQueries } from './query/execution-queries.js';
import { traceDecisions } from './publish/decision-spans.js';

/** What orchestration is given by whoever composes it. */
export interface OrchestrationPorts {
  readonly store: StoreAddress;
  readonly passwordOf?: (role: string) => string | undefined;
  readonly bus: Bus;
  /** Whether what is on the bus is lost with the process. */
  readonly busIsVolatile: boolean;
  readonly workers: Workers;
  readonly settings: OrchestrationSettings;
  readonly clock?: Clock;
}

/** Everything that runs, wired. */
interface Wired {
  readonly engine: ExecutionEngine;
  readonly definitions: DefinitionStore;
  readonly queries: ExecutionQueries;
  readonly consumer: CommandConsumer;
  readonly timers: TimerPoller;
  readonly recovery: Recovery;
  readonly pools: readonly Pool[];
}

const WIRED = Symbol('orchestration');
const SERVICE = 'orchestration';

@Module({})
export class OrchestrationModule implements OnApplicationBootstrap {
  constructor(
    @Inject(WIRED) private readonly wired: Wired,
    health: HealthChecks,
    shutdown: Shutdown,
  ) {
    const [enginePool] = wired.pools;
    health.register('orchestration store', async () => void (await enginePool!.query('select 1')));
    shutdown.on('intake', 'orchestration timers', () => wired.timers.stop());
    shutdown.on('work', 'orchestration lanes', async () => {
      await wired.engine.stop();
      // The last batches are announced by now: their commits are marked, and not told of again by the next process.
      await wired.recovery.stop();
    });
    shutdown.on('stores', 'orchestration store', async () => void (await Promise.all(wired.pools.map((pool) => pool.end()))));
  }

  static forRoot(ports: OrchestrationPorts): DynamicModule {
    return {
      module: OrchestrationModule,
      controllers: [OrchestrationController, OrchestrationTopics],
      providers: [
        { provide: WIRED, useFactory: () => wire(ports) },
        { provide: ExecutionEngine, useFactory: (wired: Wired) => wired.engine, inject: [WIRED] },
        { provide: DefinitionStore, useFactory: (wired: Wired) => wired.definitions, inject: [WIRED] },
        { provide: ExecutionQueries, useFactory: (wired: Wired) => wired.queries, inject: [WIRED] },
        { provide: CommandConsumer, useFactory: (wired: Wired) => wired.consumer, inject: [WIRED] },
      ],
      exports: [ExecutionEngine],
    };
  }

  /** Peers exist by now: what a former life left undone is taken up. */
  async onApplicationBootstrap(): Promise<void> {
    this.wired.timers.start();
    this.wired.recovery.start();
  }
}

async function wire(ports: OrchestrationPorts): Promise<Wired> {
  const { store, passwordOf, bus, workers, settings, clock = systemClock } = ports;
  const log = logFor(SERVICE);
  const onFault = (error: unknown, what: string): void => log.warn(`a fault while ${what}; nothing is lost, it is tried again`, { error });
  const open = (role: string, max: number, onePlan = false): Pool =>
    openPool(store, { role, password: passwordOf?.(role), max, onePlan, applicationName: `weft ${SERVICE}`, onFault: (fault) => onFault(fault, 'idling') });
  const enginePool = open(engineRole(SERVICE), 6, true);
  const tenantPool = open(tenantRole(SERVICE), 4);
  await checkMigrated(enginePool, orchestrationMigrations);

  const published = new PublishedCommits();
  const progress = new ProgressWatch();
  const definitions = new DefinitionStore(tenantPool, enginePool);
  const programs = new ProgramCache(definitions);
  const executions = executionStore(enginePool, published, programs.attributesOf);
  // The engine takes what workers report, and dispatches what it decides: a circle closed here.
  const circle: { engine?: ExecutionEngine; timers?: TimerPoller } = {};
  const dispatcher = new JobDispatcher({ bus, workers, report: (commands) => circle.engine!.report(commands), onFault });
  const engine = new ExecutionEngine({
    store: executions,
    programs,
    published,
    dispatcher,
    progress,
    clock,
    announce: (commit) => {
      traceDecisions(commit);
      return announce(
        bus,
        commit.decisions.map(({ after, sequence, events }) => ({ at: commit.at, facts: after, sequence, events })),
      );
    },
    onTimer: (execution, timer, due) => circle.timers!.onTimer(execution, timer, due),
    onFault,
  });
  const recovery = new Recovery(
    enginePool,
    executions,
    dispatcher,
    progress,
    published,
    bus,
    clock,
    { busIsVolatile: ports.busIsVolatile, sweepMs: settings.WEFT_SWEEP_MS, silentMs: settings.WEFT_SWEEP_SILENT_MS },
    onFault,
  );
  const timers = new TimerPoller(enginePool, engine, clock, recovery.redispatch, onFault);
  Object.assign(circle, { engine, timers });
  return { engine, definitions, queries: new ExecutionQueries(tenantPool), consumer: new CommandConsumer(engine, bus, clock), timers, recovery, pools: [enginePool, tenantPool] };
}
