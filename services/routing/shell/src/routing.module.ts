// The composition of routing: the only file where its ports meet its handlers.
import { Module, type DynamicModule, type FactoryProvider, type ModuleMetadata, type OnApplicationBootstrap } from '@nestjs/common';
import type { Pool } from '@weft/adapter-postgres';
import { topicName, TOPICS, type OrchestrationPeer } from '@weft/contracts';
import { HealthChecks, logFor, Shutdown, tracerFor } from '@weft/nest-platform';
import { systemClock, type Bus, type Clock, type PayloadStore } from '@weft/pipeline';
import type { RoutingSettings } from './config.js';
import { LifecycleConsumer } from './consume/lifecycle.consumer.js';
import { RequestsConsumer } from './consume/requests.consumer.js';
import { ANSWER_PORTS, RoutingController, type AnswerPorts } from './consume/routing.controller.js';
import { acceptRequests } from './handle/accept-requests.js';
import { Admission } from './handle/admission.js';
import { Batcher } from './handle/batcher.js';
import { WorkflowResolver } from './handle/resolve-workflows.js';
import { RequestStore } from './persist/request.store.js';
import { RedeliveryPoller } from './publish/redelivery.poller.js';
import type { VersionedTable } from './table/load-route-table.js';

/** What routing runs on. Whoever hands it in closes it. */
export interface RoutingPorts {
  /** Of routing's engine role: accepts batches for all tenants. */
  readonly enginePool: Pool;
  /** Of routing's tenant role: answers callers. */
  readonly tenantPool: Pool;
  readonly bus: Bus;
  readonly orchestration: Pick<OrchestrationPeer, 'resolveDefinition'>;
  readonly table: VersionedTable;
  readonly settings: Omit<RoutingSettings, 'WEFT_ROUTES_FILE'>;
  /** Where large data of calls over the wire lies. Without it calls carry all. */
  readonly payloads?: PayloadStore;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** The ports out of other providers, as where orchestration lives in the same process. */
export interface RoutingModuleOptions extends Pick<ModuleMetadata, 'imports'>, Pick<FactoryProvider<RoutingPorts>, 'inject' | 'useFactory'> {}

/** Token of the `RoutingPeer` of this process. */
export const ROUTING_PEER = Symbol('weft.routing.peer');

const PORTS = Symbol('weft.routing.ports');
const CONSUMER_GROUP = 'routing';

/** Consumes requests and lifecycle events, and redelivers, for as long as the application takes work. */
class RoutingWork implements OnApplicationBootstrap {
  constructor(
    private readonly ports: RoutingPorts,
    private readonly answer: AnswerPorts,
    private readonly shutdown: Shutdown,
    health: HealthChecks,
  ) {
    health.register('routing store', async () => void (await ports.enginePool.query('select 1')));
  }

  async onApplicationBootstrap(): Promise<void> {
    const { bus, settings } = this.ports;
    const requests = new RequestsConsumer(this.answer);
    const lifecycle = new LifecycleConsumer(this.answer.store, this.answer.admission);
    const subscriptions = [await bus.subscribe({ topic: TOPICS.lifecycle.name, group: CONSUMER_GROUP, handle: (batch) => lifecycle.handle(batch) })];
    for (const tenant of settings.WEFT_TENANTS) {
      const topic = topicName('requests', tenant);
      subscriptions.push(await bus.subscribe({ topic, group: CONSUMER_GROUP, handle: (batch) => requests.handle(topic, tenant, batch) }));
    }
    const poller = new RedeliveryPoller(this.answer, { pollMs: settings.WEFT_REDELIVER_POLL_MS });
    poller.start();
    this.answer.admission.start();
    this.shutdown.on('intake', 'routing admission', () => this.answer.admission.stop());
    this.shutdown.on('intake', 'routing consumers', async () => void (await Promise.all(subscriptions.map((subscription) => subscription.close()))));
    this.shutdown.on('work', 'routing redelivery', () => poller.stop());
    this.shutdown.on('work', 'routing calls', () => this.answer.batches.drain());
  }
}

@Module({})
export class RoutingModule {
  /** Routing on ports that exist already. It exports the peer of its process under `ROUTING_PEER`. */
  static forRoot(ports: RoutingPorts): DynamicModule {
    return RoutingModule.forRootAsync({ useFactory: () => ports });
  }

  /** Routing on ports that come out of the application. */
  static forRootAsync({ imports, inject, useFactory }: RoutingModuleOptions): DynamicModule {
    return {
      module: RoutingModule,
      imports: imports ?? [],
      controllers: [RoutingController],
      providers: [
        { provide: PORTS, useFactory, inject: inject ?? [] },
        { provide: ANSWER_PORTS, inject: [PORTS], useFactory: answerPorts },
        { provide: ROUTING_PEER, inject: [ANSWER_PORTS], useFactory: (answer: AnswerPorts) => new RoutingController(answer) },
        {
          provide: RoutingWork,
          inject: [PORTS, ANSWER_PORTS, Shutdown, HealthChecks],
          useFactory: (ports: RoutingPorts, answer: AnswerPorts, shutdown: Shutdown, health: HealthChecks) => new RoutingWork(ports, answer, shutdown, health),
        },
      ],
      exports: [ROUTING_PEER],
    };
  }
}

function answerPorts(ports: RoutingPorts): AnswerPorts {
  const { enginePool, tenantPool, bus, orchestration, table, settings, clock = systemClock } = ports;
  const log = logFor('routing');
  const onFault = (fault: unknown, what: string): void => log.warn(`${what} failed; it is tried again`, { error: fault });
  const store = new RequestStore(enginePool, tenantPool, { firstMs: settings.WEFT_REDELIVER_FIRST_MS, maxMs: settings.WEFT_REDELIVER_MAX_MS });
  const accept = {
    table,
    admission: new Admission({ countBacklog: (limit) => store.countBacklog(limit), onFault }, { backlogMax: settings.WEFT_BACKLOG_MAX }),
    workflows: new WorkflowResolver(orchestration),
    store,
    bus,
    clock,
    tracer: () => tracerFor('routing'),
    onFault,
  };
  return { ...accept, requestBytesMax: settings.WEFT_REQUEST_BYTES_MAX, payloads: ports.payloads, batches: new Batcher((candidates) => acceptRequests(accept, candidates)) };
}
