// A mesh with several replicas of orchestration, each of which reaches its store and its bus through doors of its own.
import { parseStoreUrl, startEmbedded, storeUrl } from '@weft/adapter-postgres';
import { join } from 'node:path';
import { inHome } from '../paths.js';
import { freePorts } from '../processes/free-port.js';
import { startMesh } from '../processes/mesh.js';
import type { ServiceProcess } from '../processes/service-process.js';
import { startKafka } from '../servers/kafka.js';
import { startRedis } from '../servers/redis.js';
import { startDoor, type Door } from './door.js';
import type { Subject, SubjectOptions } from './subject.js';

export type Way = 'store' | 'bus';

/** One replica and what can be done to it. */
export interface Victim {
  readonly process: ServiceProcess;
  /** Stands still: SIGSTOP. */
  pause(): void;
  wake(): void;
  cut(ways: readonly Way[]): void;
  heal(): void;
}

export interface ReplicatedSubject extends Subject {
  readonly brokers: string;
  readonly victims: readonly Victim[];
}

/** @param replicas of orchestration. @param replicaEnv settings of these alone. */
export async function replicatedSubject({ home, env, onProgress }: SubjectOptions, replicas: number, replicaEnv: Readonly<Record<string, string>> = {}): Promise<ReplicatedSubject> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const [brokerPort, redisPort, ...ports] = await brokerPorts(replicas);
    const storePorts = ports.splice(-replicas);
    // A listener for each replica: a broker tells its clients where else to go, and must tell these the way through their door.
    const doors = Array.from({ length: replicas }, (_, n) => ({ port: ports[n * 2]!, advertised: ports[n * 2 + 1]! }));
    const kafka = await startKafka({ root: join(home, 'kafka'), jars: inHome('kafka', 'libs'), port: brokerPort!, doors, onProgress });
    stops.push(() => kafka.stop());
    const redis = await startRedis({ root: join(home, 'redis'), port: redisPort!, onProgress });
    stops.push(() => redis.stop());
    const embedded = await startEmbedded({ root: join(home, 'postgres'), onNotice: onProgress });
    stops.push(() => embedded.stop());
    const store = storeUrl(embedded.address);
    const { host, port } = parseStoreUrl(store);
    const ways: Record<Way, Door>[] = [];
    for (const [n, door] of doors.entries()) {
      ways.push({ bus: await startDoor(door.advertised, { host: '127.0.0.1', port: door.port }), store: await startDoor(storePorts[n]!, { path: join(host, `.s.PGSQL.${port}`) }) });
    }
    stops.push(async () => void (await Promise.all(ways.flatMap(({ bus, store }) => [bus.close(), store.close()]))));
    const mesh = await startMesh({
      home,
      onProgress,
      env: { ...env, WEFT_LOG_LEVEL: 'warn', WEFT_KAFKA: kafka.address, WEFT_REDIS: redis.address, WEFT_STORE_URL: store },
      replicas: { orchestration: replicas },
      envOf: (name, replica) =>
        name === 'orchestration' ? { ...replicaEnv, WEFT_KAFKA: `127.0.0.1:${ways[replica]!.bus.port}`, WEFT_STORE_URL: through(embedded.address, ways[replica]!.store.port) } : {},
    });
    stops.push(() => mesh.stop());
    const victims = mesh.services.orchestration.map((process, n) => victimOf(process, ways[n]!));
    return {
      connection: { url: mesh.url, apiKey: mesh.apiKey },
      storeUrl: store,
      brokers: kafka.address,
      victims,
      targets: victims.map((_, n) => String(n)),
      processOf: (target) => victims[Number(target)]!.process,
      kill: async (target) => {
        const { process } = victims[Number(target)]!;
        await process.kill9();
        process.start();
        await process.ready();
      },
      stop,
    };
  } catch (fault) {
    await stop();
    throw fault;
  }
}

function victimOf(process: ServiceProcess, ways: Readonly<Record<Way, Door>>): Victim {
  const signal = (name: 'SIGSTOP' | 'SIGCONT'): void => {
    if (process.isRunning) global.process.kill(process.pid!, name);
  };
  return {
    process,
    pause: () => signal('SIGSTOP'),
    wake: () => signal('SIGCONT'),
    cut: (cut) => cut.forEach((way) => ways[way].shut()),
    heal: () => Object.values(ways).forEach((door) => door.open()),
  };
}

/** The store's address through a door: over TCP, as the same user of the same database. */
function through(address: ReturnType<typeof parseStoreUrl>, port: number): string {
  return storeUrl({ ...address, host: '127.0.0.1', port });
}

// The broker's controller listens at the port after the broker's own.
async function brokerPorts(replicas: number): Promise<readonly number[]> {
  for (;;) {
    const ports = await freePorts(2 + replicas * 3);
    if (!ports.includes(ports[0]! + 1)) return ports;
  }
}
