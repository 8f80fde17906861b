// The mesh on this machine: Kafka, PostgreSQL and Redis, and each service as a process of its own.
import { startEmbedded, storeUrl } from '@weft/adapter-postgres';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayClient } from '../client/gateway-client.js';
import { inHome, inRoot } from '../paths.js';
import { startKafka } from '../servers/kafka.js';
import { portOfLeftOver } from '../servers/process-server.js';
import { startRedis } from '../servers/redis.js';
import { administrate, createKey } from './administrate.js';
import { freePair, freePorts } from './free-port.js';
import { ServiceProcess } from './service-process.js';

export interface MeshOptions {
  readonly onProgress?: (text: string) => void;
  /** Settings for every service, such as WEFT_ROUTES_FILE. WEFT_KAFKA, WEFT_REDIS and WEFT_STORE_URL name servers that run already. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folder of data and logs. Default: Weft's home. */
  readonly home?: string;
  /** Port of the gateway. Default: a free one. */
  readonly port?: number;
  /** Processes of a service; default one. */
  readonly replicas?: Replicas;
  /** Settings for one process of a service alone, such as other ways to the servers. */
  readonly envOf?: (name: MeshService, replica: number) => Readonly<Record<string, string>>;
}

export const MESH_SERVICES = ['tools', 'memory', 'validation', 'orchestration', 'routing', 'audit', 'gateway'] as const;
export type MeshService = (typeof MESH_SERVICES)[number];
/** Services that may have several processes here: callers find all of them. The gateway is the one address, and one process writes the audit log. */
export const REPLICATED_SERVICES = ['tools', 'memory', 'validation', 'orchestration', 'routing'] as const satisfies readonly MeshService[];
export type Replicas = Readonly<Partial<Record<(typeof REPLICATED_SERVICES)[number], number>>>;

export interface Mesh {
  readonly url: string;
  readonly apiKey: string;
  readonly brokers: string;
  readonly redis: string;
  readonly storeUrl: string;
  /** The processes of each service. */
  readonly services: Services;
  /** kill -9 of the first process of a service, and its start again. */
  killService(name: MeshService): Promise<void>;
  /** Drains all services, then stops the servers that this call started. */
  stop(): Promise<void>;
}

type Services = Readonly<Record<MeshService, readonly ServiceProcess[]>>;

// Local ports below the range that the system hands out: a server that runs is found again by the next start.
const KAFKA_PORT = 17_092;
const REDIS_PORT = 17_379;

/** Starts what is missing and every service, in the order in which they need each other. */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const { onProgress = () => undefined, env = {}, home = inHome() } = options;
  const given = (name: string): string | undefined => env[name] ?? process.env[name];
  const stops: (() => Promise<void>)[] = [];
  try {
    const brokers = given('WEFT_KAFKA') ?? (await started(stops, startKafka({ root: inHome('kafka'), port: await portFor(inHome('kafka'), KAFKA_PORT), onProgress })));
    const redis = given('WEFT_REDIS') ?? (await started(stops, startRedis({ root: inHome('redis'), port: await portFor(inHome('redis'), REDIS_PORT), onProgress })));
    const store = given('WEFT_STORE_URL') ?? (await embeddedStore(stops, home, onProgress));
    onProgress('migrating the store');
    await administrate(['migrate'], { WEFT_HOME: home, WEFT_STORE_URL: store });
    const services = await plan({ ...env, WEFT_KAFKA: brokers, WEFT_REDIS: redis, WEFT_STORE_URL: store, WEFT_HOME: home }, home, options);
    stops.unshift(() => stopServices(services));
    onProgress('starting the services');
    for (const service of MESH_SERVICES.flatMap((name) => services[name])) service.start();
    await Promise.all(
      Object.values(services)
        .flat()
        .map((service) => service.ready()),
    );
    const apiKey = await createKey('mesh', { WEFT_HOME: home, WEFT_STORE_URL: store });
    const { url } = services.gateway[0]!.options;
    await deployAll(new GatewayClient({ url, apiKey }), env['WEFT_DEFINITIONS'] ?? process.env['WEFT_DEFINITIONS']);
    return {
      url,
      apiKey,
      brokers,
      redis,
      storeUrl: store,
      services,
      killService: async (name) => {
        const [service] = services[name];
        await service!.kill9();
        service!.start();
        await service!.ready();
      },
      stop: () => stopAll(stops),
    };
  } catch (fault) {
    await stopAll(stops);
    throw fault;
  }
}

/** Where an earlier start left it running, else a port that nobody has: another checkout may run a mesh too. */
const portFor = async (root: string, first: number): Promise<number> => (await portOfLeftOver(root)) ?? (await freePair(first));

async function started(stops: (() => Promise<void>)[], starting: Promise<{ readonly address: string; stop(): Promise<void> }>): Promise<string> {
  const server = await starting;
  stops.push(() => server.stop());
  return server.address;
}

async function embeddedStore(stops: (() => Promise<void>)[], home: string, onProgress: (text: string) => void): Promise<string> {
  const embedded = await startEmbedded({ root: join(home, 'postgres'), onNotice: onProgress });
  stops.push(() => embedded.stop());
  return storeUrl(embedded.address);
}

async function plan(env: Readonly<Record<string, string>>, home: string, { port, replicas = {}, envOf }: MeshOptions): Promise<Services> {
  const counts = MESH_SERVICES.map((name) => ({ name, count: (replicas as Readonly<Partial<Record<MeshService, number>>>)[name] ?? 1 }));
  const ports = [...(await freePorts(counts.reduce((sum, { count }) => sum + count * 2, 0)))];
  const planned = counts.map(({ name, count }) => ({ name, addresses: Array.from({ length: count }, () => ({ http: ports.pop()!, grpc: `127.0.0.1:${ports.pop()!}` })) }));
  const peers = Object.fromEntries(planned.map(({ name, addresses }) => [`WEFT_${name.toUpperCase()}`, addresses.map(({ grpc }) => grpc).join(',')]));
  const services = planned.map(({ name, addresses }) => {
    const processes = addresses.map((address, replica) => {
      const http = name === 'gateway' && port !== undefined ? port : address.http;
      return new ServiceProcess({
        name,
        main: inRoot('services', name, 'shell', 'dist', 'main.js'),
        env: { ...env, ...peers, WEFT_PORT: String(http), WEFT_HOST: '127.0.0.1', WEFT_GRPC_ADDRESS: address.grpc, ...workersAddress(name, replica), ...envOf?.(name, replica) },
        url: `http://127.0.0.1:${http}`,
        logFile: join(home, 'logs', `${addresses.length === 1 ? name : `${name}-${replica + 1}`}.log`),
      });
    });
    return [name, processes] as const;
  });
  return Object.fromEntries(services) as unknown as Services;
}

// Workers find the first process where the settings say; the others listen too, and say where in their logs.
const workersAddress = (name: MeshService, replica: number): Readonly<Record<string, string>> => (name === 'tools' && replica > 0 ? { WEFT_WORKERS_ADDRESS: '127.0.0.1:0' } : {});

async function deployAll(client: GatewayClient, folder: string | undefined): Promise<void> {
  if (folder === undefined || !existsSync(folder)) return;
  for (const name of readdirSync(folder)
    .filter((file) => /\.(ya?ml|json)$/.test(file))
    .sort()) {
    await client.call('/v1/definitions', { method: 'POST', headers: { 'content-type': 'application/yaml' }, body: readFileSync(join(folder, name), 'utf8') });
  }
}

// Those who take work in end first.
async function stopServices(services: Services): Promise<void> {
  for (const first of [services.gateway, services.routing, Object.values(services).flat()]) await Promise.all(first.map((service) => service.stop()));
}

async function stopAll(stops: readonly (() => Promise<void>)[]): Promise<void> {
  for (const stop of stops) await stop();
}
