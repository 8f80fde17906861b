// The composition root: the only place where orchestration's core meets PostgreSQL, the bus and its peers.
import { checkMigrated, engineRole, openPool, tenantRole, type Pool, type StoreAddress } from '@weft/adapter-postgres';
import { HealthChecks, Intake, logFor, Shutdown } from '@weft/nest-platform';
import { uuidv7 } from '@weft/kernel';
import { Inject, Module, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import { systemClock, type Bus, type Clock } from '@weft/pipeline';
import { PUBLISHED_EXPRESSIONS } from '@weft/workflow';
import { randomBytes } from 'node:crypto';
import type { OrchestrationSettings } from './config.js';
import { CommandConsumer } from './consume/command.consumer.js';
import { OrchestrationController } from './consume/orchestration.controller.js';
import { OrchestrationTopics } from './consume/orchestration.topics.js';
import { SignalIntake } from './consume/signal-intake.js';
import { HandledCommands } from './consume/handled-commands.js';
import { SchedulePoller } from './consume/schedule-poller.js';
import { SkippingClock, TimeSkipper, type SkipperPorts } from './consume/time-skipper.js';
import { TimerPoller } from './consume/timer-poller.js';
import { Children } from './handle/children.js';
import { ExecutionEngine } from './handle/execution-engine.js';
import { Operations } from './handle/operations.js';
import type { Resolver } from './handle/lock-resources.js';
import { Scheduling } from './handle/scheduling.js';
import { ProgramCache } from './handle/programs.js';
import { Publishing } from './handle/publishing.js';
import { workflowPorts } from './handle/workflow-ports.js';
import { Upgrades } from './handle/upgrades.js';
import { PinnedExecutions } from './query/pinned-executions.js';
import { orchestrationMigrations } from './migrations/index.js';
import { DefinitionStore } from './persist/definition-store.js';
import { findListens } from './persist/listens.js';
import { executionStore } from './persist/execution-store.js';
import { ForkHistory } from './persist/fork-history.js';
import { PublishedCommits } from './persist/published-commits.js';
import { ScheduleEvents } from './persist/schedule-events.js';
import { ScheduleStore } from './persist/schedule-store.js';
import { SnapshotStore } from './persist/snapshot-store.js';
import { announce } from './publish/announcer.js';
import { signalOf, type Emission, type Listeners } from './publish/emitted-events.js';
import { JobDispatcher } from './publish/job-dispatcher.js';
import { ProgressWatch } from './publish/progress-watch.js';
import { Recovery } from './publish/recovery.js';
import type { Workers } from './publish/workers.js';
import { ONLY_REPLICA, ReplicaPresence, Replicas } from './replicas/replica-presence.js';
import { replicaRows } from './replicas/replica-rows.js';
import { Housekeeping, type UnusedPayloads } from './retire/housekeeping.js';
import { ExecutionQueries } from './query/execution-queries.js';
import { ReviewQueries } from './query/review-queries.js';
import { Reviewing } from './handle/reviewing.js';
import { traceDecisions } from './publish/decision-spans.js';

/** What orchestration is given by whoever composes it. */
export interface OrchestrationPorts {
  readonly store: StoreAddress;
  readonly passwordOf?: (role: string) => string | undefined;
  readonly bus: Bus;
  /** Whether what is on the bus is lost with the process. */
  readonly busIsVolatile: boolean;
  readonly workers: Workers;
  /** Who fetches what documents refer to. Default: nobody, and such documents are refused. */
  readonly resources?: Resolver;
  /** Whether definitions may do whatever reaches the machine (shells, containers, servers), though the settings do not allow it: somebody answers in its place. Default false. */
  readonly enablesEverything?: boolean;
  readonly settings: OrchestrationSettings;
  /** What messages refer to; undefined where they carry all. */
  readonly payloads?: UnusedPayloads;
  /** Default: the machine's. With a `SkippingClock` nobody waits for timers. */
  readonly clock?: Clock;
  /** How it is one replica among others. Default: it has the store for itself. */
  readonly replica?: ReplicaPorts;
}

export interface ReplicaPorts {
  /** Where this process is; no other process is there at the same time. */
  readonly name: string;
  readonly ttlMs: number;
  /** How long the oldest message has waited that the bus has not taken, in milliseconds. */
  readonly publishWaitMs: () => number;
  /** Gives the partitions of the bus back, and takes them up again. */
  readonly intake: { suspend(): Promise<void>; resume(): Promise<void> };
}

/** Everything that runs, wired. */
interface Wired {
  readonly engine: ExecutionEngine;
  readonly definitions: DefinitionStore;
  readonly queries: ExecutionQueries;
  readonly reviews: ReviewQueries;
  readonly operations: Operations;
  readonly upgrades: Upgrades;
  readonly publishing: Publishing;
  readonly consumer: CommandConsumer;
  readonly signals: SignalIntake;
  readonly timers: TimerPoller;
  readonly scheduling: Scheduling;
  readonly schedules: SchedulePoller;
  readonly skipper: TimeSkipper | undefined;
  readonly recovery: Recovery;
  readonly dispatcher: JobDispatcher;
  readonly presence: ReplicaPresence | undefined;
  readonly housekeeping: Housekeeping;
  readonly busIsVolatile: boolean;
  readonly pools: readonly Pool[];
}

const WIRED = Symbol('orchestration');
const SERVICE = 'orchestration';

@Module({})
export class OrchestrationModule implements OnApplicationBootstrap {
  constructor(
    @Inject(WIRED) private readonly wired: Wired,
    health: HealthChecks,
    private readonly intake: Intake,
    shutdown: Shutdown,
  ) {
    const [enginePool] = wired.pools;
    health.register('orchestration store', async () => void (await enginePool!.query('select 1')));
    shutdown.on('intake', 'orchestration timers', () => {
      wired.skipper?.stop();
      return wired.timers.stop();
    });
    shutdown.on('intake', 'orchestration schedules', () => wired.schedules.stop());
    shutdown.on('work', 'orchestration lanes', async () => {
      await atRest(wired);
      await wired.engine.stop();
      // The last batches are announced by now: their commits are marked, and not told of again by the next process.
      await wired.recovery.stop();
      await wired.housekeeping.stop();
      // Last, so that nobody takes over what is still being done.
      await wired.presence?.stop();
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
        { provide: ReviewQueries, useFactory: (wired: Wired) => wired.reviews, inject: [WIRED] },
        { provide: Reviewing, useFactory: (wired: Wired) => new Reviewing(wired.engine, wired.reviews), inject: [WIRED] },
        { provide: Publishing, useFactory: (wired: Wired) => wired.publishing, inject: [WIRED] },
        { provide: Replicas, useFactory: (wired: Wired) => wired.presence ?? ONLY_REPLICA, inject: [WIRED] },
        { provide: Operations, useFactory: (wired: Wired) => wired.operations, inject: [WIRED] },
        { provide: Scheduling, useFactory: (wired: Wired) => wired.scheduling, inject: [WIRED] },
        { provide: Upgrades, useFactory: (wired: Wired) => wired.upgrades, inject: [WIRED] },
        { provide: SignalIntake, useFactory: (wired: Wired) => wired.signals, inject: [WIRED] },
        { provide: CommandConsumer, useFactory: (wired: Wired) => wired.consumer, inject: [WIRED] },
      ],
      exports: [ExecutionEngine],
    };
  }

  /** Peers exist by now: what a former life left undone is taken up. */
  async onApplicationBootstrap(): Promise<void> {
    await this.wired.presence?.start();
    this.wired.timers.start();
    this.wired.schedules.start();
    this.wired.skipper?.start();
    this.wired.housekeeping.start();
    // A bus inside the process drops what nobody has subscribed to yet; any other keeps it, and joining it may take long.
    if (this.wired.busIsVolatile) this.intake.onOpen(() => this.wired.recovery.start());
    else this.wired.recovery.start();
  }
}

const REST_MS_MAX = 5_000;
const REST_LOOK_MS = 10;

/** Resolves when no job is under way and nothing waits for a decision: what then follows from a result is the next replica's. */
async function atRest({ dispatcher, engine }: Wired): Promise<void> {
  const until = performance.now() + REST_MS_MAX;
  while ((dispatcher.callsUnderWay > 0 || engine.waiting > 0) && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, REST_LOOK_MS));
}

async function wire(ports: OrchestrationPorts): Promise<Wired> {
  const { store, passwordOf, bus, workers, settings, clock = systemClock } = ports;
  const log = logFor(SERVICE);
  const onFault = (error: unknown, what: string): void => log.warn(`a fault while ${what}; nothing is lost, it is tried again`, { error });
  const open = (role: string, max: number, onePlan = false, statementMsMax?: number): Pool =>
    openPool(store, {
      ...(statementMsMax === undefined ? {} : { statementMsMax }),
      role,
      password: passwordOf?.(role),
      max,
      onePlan,
      applicationName: `weft ${SERVICE}`,
      onFault: (fault) => onFault(fault, 'idling'),
    });
  const enginePool = open(engineRole(SERVICE), 6, true);
  const tenantPool = open(tenantRole(SERVICE), 4);
  await checkMigrated(enginePool, orchestrationMigrations);

  const published = new PublishedCommits();
  const progress = new ProgressWatch();
  const definitions = new DefinitionStore(tenantPool, enginePool);
  const programs = new ProgramCache(definitions, { retriesWithoutLimit: settings.WEFT_RETRIES_MAX });
  const tellsTasks = settings.WEFT_LIFECYCLE === 'tasks';
  const executions = executionStore(enginePool, published, programs.attributesOf, tellsTasks);
  const listeners: Listeners = (tenant, keys) => findListens(enginePool, tenant, keys);
  // The engine takes what workers report, and dispatches what it decides: a circle closed here.
  const circle: Circle = {};
  const handled = ports.busIsVolatile ? new HandledCommands() : undefined;
  const telling = {
    ...(handled ? { handled } : {}),
    listeners,
    profile: settings.WEFT_LIFECYCLE_PROFILE,
    tasks: tellsTasks,
    onEmitted: (emissions: readonly Emission[]) => startEmitted(circle.scheduling!, emissions, onFault),
  };
  const dispatcher = new JobDispatcher({ bus, workers, report: (commands) => circle.engine!.report(commands), payloadBytesMax: settings.WEFT_PAYLOAD_BYTES_MAX, onFault });
  const engine = new ExecutionEngine({
    store: executions,
    snapshots: new SnapshotStore(enginePool),
    programs,
    published,
    dispatcher,
    progress,
    clock,
    payloadBytesMax: settings.WEFT_PAYLOAD_BYTES_MAX,
    announce: (commit) => {
      traceDecisions(commit);
      return announce(
        bus,
        commit.decisions.map(({ before, after, sequence, events }) => ({ at: commit.at, facts: after, sequence, events, before })),
        telling,
      );
    },
    onTimer: (execution, timer, due) => circle.timers!.onTimer(execution, timer, due),
    onFault,
  });
  // A connection of its own: being there must not wait for work.
  const presencePool = ports.replica === undefined ? undefined : open(engineRole(SERVICE), 1, true, ports.replica.ttlMs);
  const presence = ports.replica && presencePool && presenceOf(ports.replica, presencePool, circle, onFault);
  const recovery = new Recovery(
    enginePool,
    executions,
    dispatcher,
    progress,
    published,
    bus,
    clock,
    presence ?? ONLY_REPLICA,
    {
      busIsVolatile: ports.busIsVolatile,
      sweepMs: settings.WEFT_SWEEP_MS,
      silentMs: settings.WEFT_SWEEP_SILENT_MS,
      takeOverSilentMs: ((ports.replica?.ttlMs ?? settings.WEFT_SWEEP_SILENT_MS) * 2) / 3,
    },
    onFault,
    telling,
  );
  const timers = new TimerPoller(enginePool, engine, clock, recovery.redispatch, onFault);
  const scheduling = new Scheduling(engine, new ScheduleStore(tenantPool, enginePool), new ScheduleEvents(tenantPool, enginePool), clock, settings.WEFT_SCHEDULE_CATCH_UP, onFault);
  const publishing = new Publishing(definitions, scheduling, ports.resources, ports.enablesEverything ? PUBLISHED_EXPRESSIONS : workflowPorts(settings));
  Object.assign(circle, { engine, timers, recovery, progress, scheduling });
  const queries = new ExecutionQueries(tenantPool);
  const reviews = new ReviewQueries(tenantPool);
  const consumer = new CommandConsumer(engine, bus, clock, new ForkHistory(enginePool), new Children(definitions, executions, bus, onFault), settings.WEFT_PAYLOAD_BYTES_MAX, handled);
  return {
    engine,
    definitions,
    queries,
    reviews,
    operations: new Operations(engine, queries, clock),
    publishing,
    upgrades: new Upgrades({ engine, queries, pinned: new PinnedExecutions(tenantPool), definitions, programs, publishing }),
    consumer,
    signals: new SignalIntake(engine, listeners, (tenant, events) => scheduling.takeEvents(tenant, events)),
    timers,
    scheduling,
    schedules: new SchedulePoller(scheduling, onFault),
    skipper: skipperOf(clock, {
      pool: enginePool,
      fire: timers.fire,
      schedules: { settle: () => scheduling.store.setAfterEnds(), fireDue: (upTo) => scheduling.fireDue(upTo) },
      isBusy: () => engine.waiting > 0 || dispatcher.callsUnderWay > 0 || progress.size > 0 || published.beingTold > 0 || consumer.inHand > 0,
      onFault,
    }),
    recovery,
    dispatcher,
    presence,
    housekeeping: new Housekeeping(enginePool, clock, { payloadDays: settings.WEFT_PAYLOAD_DAYS, payloads: ports.payloads }, onFault),
    busIsVolatile: ports.busIsVolatile,
    pools: [enginePool, tenantPool, ...(presencePool ? [presencePool] : [])],
  };
}

/** Nobody waits for timers where the clock can be put forward. */
const skipperOf = (clock: Clock, ports: Omit<SkipperPorts, 'clock'>): TimeSkipper | undefined => (clock instanceof SkippingClock ? new TimeSkipper({ ...ports, clock }) : undefined);

/** What exists only after what it is given to. */
interface Circle {
  engine?: ExecutionEngine;
  timers?: TimerPoller;
  recovery?: Recovery;
  progress?: ProgressWatch;
  scheduling?: Scheduling;
}

/** What an emitted event is to start is durable when this resolves. Starting it is not waited for: the starts may emit too. */
async function startEmitted(scheduling: Scheduling, emissions: readonly Emission[], onFault: (fault: unknown, what: string) => void): Promise<void> {
  for (const [tenant, of] of Map.groupBy(emissions, ({ facts }) => facts.context.tenant)) {
    const starts = (await scheduling.keepEvents(tenant, of.map(signalOf))).flat();
    if (starts.length > 0) scheduling.startAll(starts).catch((fault: unknown) => onFault(fault, 'starting what an emitted event is for'));
  }
}

function presenceOf({ name, ttlMs, publishWaitMs, intake }: ReplicaPorts, pool: Pool, circle: Circle, onFault: (fault: unknown, what: string) => void): ReplicaPresence {
  const log = logFor(SERVICE);
  const life = uuidv7(Date.now(), randomBytes(10));
  return new ReplicaPresence(
    life,
    replicaRows(pool, { name, life }, ttlMs),
    {
      takeOver: () => {
        log.warn('another replica has gone; what it had begun is taken over', { replica: name });
        circle.recovery!.takeOver();
      },
      forgetAll: () => {
        log.warn('this replica was away for longer than the others wait; it drops what it remembers', { replica: name });
        circle.engine!.forgetAll();
        circle.progress!.forgetAll();
        circle.timers!.forgetAll();
      },
      suspend: async () => {
        log.warn('this replica cannot reach its store; it gives its partitions to the others', { replica: name });
        await intake.suspend();
      },
      resume: async () => {
        await intake.resume();
        log.info('this replica has its partitions again', { replica: name });
      },
      canTell: () => publishWaitMs() < ttlMs,
      onFault,
    },
    { ttlMs },
  );
}
