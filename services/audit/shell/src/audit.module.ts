// The composition root: the only place where the log's rules meet PostgreSQL and the bus.
import { Inject, Module, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import { checkMigrated, openPool, SEQUENCER_ROLE, tenantRole, type Pool, type StoreAddress } from '@weft/adapter-postgres';
import { HealthChecks, logFor, Shutdown } from '@weft/nest-platform';
import { systemClock, type Bus, type Clock } from '@weft/pipeline';
import type { AuditConfig } from './config.js';
import { AuditController } from './consume/audit.controller.js';
import { Sequencer } from './handle/sequencer.js';
import { logSigner } from './keys/log-signer.js';
import { auditMigrations } from './migrations/index.js';
import { servicesWithCommits } from './persist/commit-tables.js';
import { CheckpointAnnouncer } from './publish/checkpoint-announcer.js';
import { ExecutionProofs } from './query/execution-proofs.js';
import { LogResources } from './query/log-resources.js';

/** What audit is given by whoever composes it. */
export interface AuditPorts {
  readonly store: StoreAddress;
  readonly passwordOf?: (role: string) => string | undefined;
  readonly bus: Bus;
  readonly config: AuditConfig;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** Token of the `AuditPeer` of this process. */
export const AUDIT_PEER = Symbol('weft.audit.peer');

interface Wired {
  readonly sequencer: Sequencer;
  readonly announcer: CheckpointAnnouncer;
  readonly resources: LogResources;
  readonly proofs: ExecutionProofs;
  readonly pools: readonly Pool[];
}

const WIRED = Symbol('weft.audit.wired');
const SERVICE = 'audit';

@Module({})
export class AuditModule implements OnApplicationBootstrap {
  constructor(
    @Inject(WIRED) private readonly wired: Wired,
    @Inject(HealthChecks) health: HealthChecks,
    @Inject(Shutdown) shutdown: Shutdown,
  ) {
    const { sequencer, announcer, resources, pools } = wired;
    health.register('audit store', async () => void (await resources.checkpoint()));
    shutdown.on('stores', 'audit store', async () => void (await Promise.all(pools.map((pool) => pool.end()))));
    shutdown.on('work', 'audit sequencer', async () => {
      await sequencer.stop();
      await announcer.stop();
    });
  }

  /** Audit on ports that exist already. It exports the peer of its process under `AUDIT_PEER`. */
  static forRoot(ports: AuditPorts): DynamicModule {
    return {
      module: AuditModule,
      controllers: [AuditController],
      providers: [
        { provide: WIRED, useFactory: () => wire(ports) },
        { provide: LogResources, useFactory: (wired: Wired) => wired.resources, inject: [WIRED] },
        { provide: ExecutionProofs, useFactory: (wired: Wired) => wired.proofs, inject: [WIRED] },
        { provide: AUDIT_PEER, useFactory: (wired: Wired) => new AuditController(wired.resources, wired.proofs), inject: [WIRED] },
      ],
      exports: [AUDIT_PEER],
    };
  }

  onApplicationBootstrap(): void {
    this.wired.sequencer.start();
  }
}

async function wire({ store, passwordOf, bus, config, clock = systemClock }: AuditPorts): Promise<Wired> {
  const log = logFor(SERVICE);
  const signer = logSigner(config);
  const open = (role: string): Pool =>
    openPool(store, { role, password: passwordOf?.(role), max: 2, applicationName: `weft ${SERVICE}`, onFault: (error) => log.warn('a connection to the store broke; another is opened', { error }) });
  // One connection of it is the sequencer's for as long as it writes.
  const sequencerPool = open(SEQUENCER_ROLE);
  const tenantPool = open(tenantRole(SERVICE));
  await checkMigrated(tenantPool, auditMigrations);
  const services = await servicesWithCommits(sequencerPool, config.WEFT_AUDIT_SERVICES);
  const skipped = config.WEFT_AUDIT_SERVICES.filter((service) => !services.includes(service));
  if (skipped.length > 0) log.warn('services without a commit table are not in the log', { services: skipped });
  const announcer = new CheckpointAnnouncer(bus, clock, config.WEFT_AUDIT_ORIGIN, (error) => log.warn('a checkpoint was not announced; the newest is announced again', { error }));
  const sequencer = new Sequencer(sequencerPool, { signer, services, intervalMs: config.WEFT_AUDIT_INTERVAL_MS, onHead: announcer.announce, log });
  return {
    sequencer,
    announcer,
    resources: new LogResources(sequencerPool, signer.verifierKey),
    proofs: new ExecutionProofs(sequencerPool, tenantPool, services, signer.verifierKey),
    pools: [sequencerPool, tenantPool],
  };
}
