// The composition of the gateway: the only file where its ports meet its controllers.
import { Module, type DynamicModule, type FactoryProvider, type ModuleMetadata, type OnApplicationBootstrap, type Provider } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { topicName } from '@weft/contracts';
import { HealthChecks, Shutdown } from '@weft/nest-platform';
import { systemClock, type TokenStream } from '@weft/pipeline';
import { randomUUID } from 'node:crypto';
import { ResultWaiter } from './answer/result-waiter.js';
import { AuditController } from './controllers/audit.controller.js';
import { BudgetsController } from './controllers/budgets.controller.js';
import { ChatController } from './controllers/chat.controller.js';
import { ModelsController } from './controllers/models.controller.js';
import { AuthorizeController } from './controllers/authorize.controller.js';
import { DefinitionsController } from './controllers/definitions.controller.js';
import { ExecutionsController } from './controllers/executions.controller.js';
import { McpController } from './controllers/mcp.controller.js';
import { PayloadsController } from './controllers/payloads.controller.js';
import { RequestsController } from './controllers/requests.controller.js';
import { ReviewsController } from './controllers/reviews.controller.js';
import { RootController } from './controllers/root.controller.js';
import { SchedulesController } from './controllers/schedules.controller.js';
import { SwitchesController } from './controllers/switches.controller.js';
import { UpgradesController } from './controllers/upgrades.controller.js';
import { EffectsController } from './controllers/effects.controller.js';
import { SignalsController } from './controllers/signals.controller.js';
import { TokensController } from './controllers/tokens.controller.js';
import { ToolsController } from './controllers/tools.controller.js';
import { UnknownController } from './controllers/unknown.controller.js';
import { KeyGuard, LIMITER } from './http/key.guard.js';
import { TraceInterceptor } from './http/trace.interceptor.js';
import { findApiKey } from './keys/api-key.store.js';
import { Authenticator } from './keys/authenticator.js';
import { AUDIT, BUDGETS, EXPOSED, ORCHESTRATION, PAYLOADS, TOKENS, PERMISSIONS, ROUTING, SETTINGS, TOOLS, type GatewayPorts, type PayloadReader } from './ports.js';

/** The ports out of other providers, as where the peers live in the same process. */
export interface GatewayModuleOptions extends Pick<ModuleMetadata, 'imports'>, Pick<FactoryProvider<GatewayPorts>, 'inject' | 'useFactory'> {}

const PORTS = Symbol('weft.gateway.ports');

const NO_TOKENS: TokenStream = { publish: () => undefined, subscribe: async () => () => undefined, close: async () => undefined };

// Where nothing is claimed there is nothing to read.
const NO_PAYLOADS: PayloadReader = { read: async () => undefined };

// Signals before executions, whose operations take any last word of a path.
const CONTROLLERS = [
  RootController,
  RequestsController,
  SignalsController,
  TokensController,
  ExecutionsController,
  ReviewsController,
  PayloadsController,
  AuthorizeController,
  BudgetsController,
  SchedulesController,
  SwitchesController,
  UpgradesController,
  ToolsController,
  EffectsController,
  DefinitionsController,
  AuditController,
  ModelsController,
  ChatController,
  McpController,
  UnknownController,
];

/** Listens to results for those who wait for an answer. */
class GatewayWork implements OnApplicationBootstrap {
  constructor(
    private readonly ports: GatewayPorts,
    private readonly results: ResultWaiter,
    private readonly shutdown: Shutdown,
    health: HealthChecks,
  ) {
    health.register('gateway store', async () => void (await ports.enginePool.query('select 1')));
  }

  async onApplicationBootstrap(): Promise<void> {
    const { bus, settings } = this.ports;
    // A group of its own: any gateway may hold the connection that waits for a result, so each sees all of them.
    const group = `gateway-${randomUUID()}`;
    const subscribe = (tenant: string) => bus.subscribe({ topic: topicName('results', tenant), group, from: 'latest', handle: (batch) => this.results.handle(batch) });
    const subscriptions = await Promise.all(settings.WEFT_TENANTS.map(subscribe));
    this.shutdown.on('work', 'gateway results', async () => void (await Promise.all(subscriptions.map((subscription) => subscription.close()))));
  }
}

@Module({})
export class GatewayModule {
  /** The gateway on ports that exist already. */
  static forRoot(ports: GatewayPorts): DynamicModule {
    return GatewayModule.forRootAsync({ useFactory: () => ports });
  }

  /** The gateway on ports that come out of the application. Its guard covers every HTTP route of the application. */
  static forRootAsync({ imports, inject, useFactory }: GatewayModuleOptions): DynamicModule {
    const part = (provide: symbol, pick: (ports: GatewayPorts) => unknown): Provider => ({ provide, inject: [PORTS], useFactory: pick });
    return {
      module: GatewayModule,
      imports: imports ?? [],
      controllers: CONTROLLERS,
      providers: [
        { provide: PORTS, useFactory, inject: inject ?? [] },
        part(ROUTING, ({ routing }) => routing),
        part(ORCHESTRATION, ({ orchestration }) => orchestration),
        part(AUDIT, ({ audit }) => audit),
        part(PERMISSIONS, ({ tools }) => tools.permissions),
        part(TOKENS, ({ tokens = NO_TOKENS }) => tokens),
        part(BUDGETS, ({ tools }) => tools.budgets),
        part(TOOLS, ({ tools }) => tools.registry),
        part(PAYLOADS, ({ payloads = NO_PAYLOADS }) => payloads),
        part(EXPOSED, ({ exposed = [] }) => exposed),
        part(SETTINGS, ({ settings }) => settings),
        part(LIMITER, ({ limiter }) => limiter),
        { provide: Authenticator, inject: [PORTS], useFactory: ({ enginePool, clock = systemClock }: GatewayPorts) => new Authenticator((id) => findApiKey(enginePool, id), clock) },
        { provide: ResultWaiter, inject: [PORTS], useFactory: ({ orchestration, settings }: GatewayPorts) => new ResultWaiter(orchestration, settings.WEFT_WAITING_MAX) },
        {
          provide: GatewayWork,
          inject: [PORTS, ResultWaiter, Shutdown, HealthChecks],
          useFactory: (ports: GatewayPorts, results: ResultWaiter, shutdown: Shutdown, health: HealthChecks) => new GatewayWork(ports, results, shutdown, health),
        },
        { provide: APP_GUARD, useClass: KeyGuard },
        { provide: APP_INTERCEPTOR, useClass: TraceInterceptor },
      ],
    };
  }
}
