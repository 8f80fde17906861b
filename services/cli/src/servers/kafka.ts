// One Apache Kafka broker (KRaft) on this machine: from Maven Central's jars, else with docker.
import { kafkaAnswers } from '@weft/adapter-kafka';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findCommand, lastLines, runCommand } from './command.js';
import { installDebian } from './debian.js';
import { startContainer } from './docker.js';
import { findJava } from './java.js';
import { adoptProcess, startProcess } from './process-server.js';
import { serverUnavailable, type LocalServer, type ServerOptions } from './server.js';

const DEPLOY = fileURLToPath(new URL('../../../../deploy/kafka/', import.meta.url));
const JAVA_RELEASE_MIN = 17;
const START_MS = 60_000;
// One broker never meets another: a constant id is as good as a random one, and lets the data be formatted again in place.
const CLUSTER_ID = 'd2VmdC1sb2NhbC1rYWZrYQ';

export interface KafkaOptions extends ServerOptions {
  /** Folder of the jars. Default: `libs` below the root. */
  readonly jars?: string;
  /** More ports to listen on, each with the port that clients who come there are told to use: their own way to the broker. Not in docker. */
  readonly doors?: readonly BrokerDoor[];
}

export interface BrokerDoor {
  readonly port: number;
  readonly advertised: number;
}

/**
 * Starts a broker on 127.0.0.1, or adopts the one that an earlier start left running. Jars and data stay under `root`;
 * the port after `port` serves its controller.
 * @throws Refused `server-unavailable` when the machine has neither Java with Maven nor docker, and cannot install them.
 */
export async function startKafka({ root: given, port, onProgress, jars, doors = [] }: KafkaOptions): Promise<LocalServer> {
  const root = resolve(given);
  const isAnswering = (): Promise<boolean> => kafkaAnswers({ brokers: [`127.0.0.1:${port}`] });
  const adopted = await adoptProcess({ name: 'kafka', root, port, isAnswering });
  if (adopted) return adopted;
  const fromJars = await startFromJars({ root, port, jars: resolve(jars ?? join(root, 'libs')), doors, ...(onProgress ? { onProgress } : {}) }, isAnswering);
  if (typeof fromJars !== 'string') return fromJars;
  const inDocker = doors.length > 0 ? 'a container has no doors' : await startInDocker(port, isAnswering, onProgress);
  if (typeof inDocker !== 'string') return inDocker;
  return serverUnavailable('kafka', [fromJars, inDocker], `Install a Java ${JAVA_RELEASE_MIN} runtime and Maven, or start docker, or set WEFT_KAFKA=host:port to use a Kafka that runs.`);
}

async function startFromJars(
  { root, port, jars, doors, onProgress }: KafkaOptions & Required<Pick<KafkaOptions, 'jars' | 'doors'>>,
  isAnswering: () => Promise<boolean>,
): Promise<LocalServer | string> {
  await mkdir(root, { recursive: true });
  let java = await findJava(JAVA_RELEASE_MIN);
  if (!java) {
    const trouble = await installDebian(['default-jre-headless'], onProgress);
    java = await findJava(JAVA_RELEASE_MIN);
    if (!java) return `there is no Java of release ${JAVA_RELEASE_MIN} or newer${trouble ? ` (${trouble})` : ''}`;
  }
  const trouble = await bringJars(jars, onProgress);
  if (trouble !== undefined) return trouble;
  const settings = join(root, 'server.properties');
  await writeFile(settings, serverProperties(root, port, doors));
  const classPath = ['-cp', join(jars, '*'), `-Dlog4j2.configurationFile=${join(DEPLOY, 'log4j2.properties')}`];
  if (!(await isThere(join(root, 'data', 'meta.properties')))) {
    const formatted = await runCommand(java, ['-Xmx128m', '-XX:TieredStopAtLevel=1', ...classPath, 'kafka.tools.StorageTool', 'format', '--ignore-formatted', '-t', CLUSTER_ID, '-c', settings], {
      timeoutMs: 60_000,
    });
    if (formatted.code !== 0) return `Kafka's data directory could not be formatted: ${lastLines(formatted.output)}`;
  }
  onProgress?.(`starting Kafka on 127.0.0.1:${port}`);
  const memory = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  return startProcess({ name: 'kafka', root, port, file: java, args: [...memory, ...classPath, 'kafka.Kafka', settings], mark: settings, isAnswering, startMs: START_MS });
}

/** @returns undefined when the jars are there, otherwise why not. Jars of another pom are replaced. */
async function bringJars(libs: string, onProgress: ServerOptions['onProgress']): Promise<string | undefined> {
  const pom = join(DEPLOY, 'pom.xml');
  const digest = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex');
  if ((await readFile(join(libs, 'pom.sha256'), 'utf8').catch(() => '')) === digest) return undefined;
  let maven = await findCommand('mvn');
  if (!maven) {
    const trouble = await installDebian(['maven'], onProgress);
    maven = await findCommand('mvn');
    if (!maven) return `Maven is not installed${trouble ? ` (${trouble})` : ''}`;
  }
  onProgress?.("fetching Kafka's jars (about 45 MB) from Maven Central");
  const fresh = `${libs}.new`;
  await rm(fresh, { recursive: true, force: true });
  const fetched = await runCommand(maven, ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${fresh}`], { timeoutMs: 300_000 });
  if (fetched.code !== 0)
    return `Maven could not fetch Kafka's jars: ${lastLines(
      fetched.output
        .split('\n')
        .filter((line) => line.includes('ERROR'))
        .slice(0, 1)
        .join('\n') || fetched.output,
    )}`;
  await writeFile(join(fresh, 'pom.sha256'), digest);
  await rm(libs, { recursive: true, force: true });
  await rename(fresh, libs);
  return undefined;
}

function serverProperties(root: string, port: number, doors: readonly BrokerDoor[]): string {
  const controller = port + 1;
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: [`PLAINTEXT://127.0.0.1:${port}`, `CONTROLLER://127.0.0.1:${controller}`, ...doors.map((door, n) => `DOOR${n}://127.0.0.1:${door.port}`)].join(','),
    'advertised.listeners': [`PLAINTEXT://127.0.0.1:${port}`, ...doors.map((door, n) => `DOOR${n}://127.0.0.1:${door.advertised}`)].join(','),
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': ['CONTROLLER:PLAINTEXT', 'PLAINTEXT:PLAINTEXT', ...doors.map((_, n) => `DOOR${n}:PLAINTEXT`)].join(','),
    'log.dirs': join(root, 'data'),
    ...SINGLE_NODE,
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

// What a cluster of one needs, and what keeps a development machine quick.
const SINGLE_NODE = {
  'auto.create.topics.enable': false,
  // After a crash the controller takes the broker's earlier life for alive this long (9 s by default) and turns it away.
  'broker.session.timeout.ms': 3_000,
  'broker.heartbeat.interval.ms': 500,
  'group.initial.rebalance.delay.ms': 0,
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 8,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
} as const;

async function startInDocker(port: number, isAnswering: () => Promise<boolean>, onProgress: ServerOptions['onProgress']): Promise<LocalServer | string> {
  const version = /<artifactId>kafka_[\d.]+<\/artifactId>\s*<version>([^<]+)</.exec(await readFile(join(DEPLOY, 'pom.xml'), 'utf8'))?.[1] ?? 'latest';
  const environment = {
    KAFKA_NODE_ID: '1',
    KAFKA_PROCESS_ROLES: 'broker,controller',
    KAFKA_CONTROLLER_QUORUM_VOTERS: '1@127.0.0.1:29093',
    KAFKA_LISTENERS: `PLAINTEXT://0.0.0.0:${port},CONTROLLER://127.0.0.1:29093`,
    KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    ...Object.fromEntries(Object.entries(SINGLE_NODE).map(([name, value]) => [`KAFKA_${name.replaceAll('.', '_').toUpperCase()}`, String(value)])),
  };
  const container = await startContainer({ server: 'kafka', image: `apache/kafka:${version}`, port, environment }, onProgress);
  if (typeof container === 'string') return container;
  for (const deadline = Date.now() + START_MS; Date.now() < deadline;) if (await isAnswering()) return container;
  await container.stop();
  return 'Kafka did not answer in its container';
}

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );
