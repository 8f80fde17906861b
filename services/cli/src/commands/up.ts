import { InvalidArgumentError, type Command } from 'commander';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readRunFile, removeRunFile, runFilePath, writeRunFile } from '../client/connection.js';
import { GatewayClient } from '../client/gateway-client.js';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { readableLogLine } from '../output/log-lines.js';
import { colors, printer, type Printer } from '../output/print.js';
import { HOME, inHome } from '../paths.js';
import { deployExamples } from '../processes/deploy-examples.js';
import { startLocalWorld, type LocalWorld } from '../processes/local-world.js';
import { REPLICATED_SERVICES, startMesh, type Replicas } from '../processes/mesh.js';
import { PROFILES, type Profile } from '../processes/profile.js';
import { migrateStore, startStandalone, type RunningWeft } from '../processes/standalone.js';
import { oneOf, wholeNumber, withExamples } from './command.js';

interface UpOptions {
  readonly profile: Profile;
  readonly port: number;
  readonly replicas?: Replicas;
  readonly json?: boolean;
}

/** A Weft that this command runs. `ended` resolves when it ends by itself. */
interface Up extends RunningWeft {
  readonly weftPid?: number;
  readonly ended?: Promise<{ readonly code: number | null; readonly says: string }>;
}

export function registerUp(program: Command): void {
  const command = program
    .command('up')
    .description('Run Weft in the foreground; Ctrl-C stops it cleanly')
    .option('--profile <profile>', 'standalone: one process; mesh: one process a service, with Kafka, PostgreSQL and Redis', oneOf(PROFILES), 'standalone')
    .option('--port <n>', 'port of the API on 127.0.0.1', wholeNumber(1, 65_535), 7_420)
    .option('--replicas <service=n>', `processes of a service of the mesh, several times or with commas (${REPLICATED_SERVICES.join(', ')})`, replicasOf)
    .option('--json', 'print the addresses as JSON once it runs')
    .action(up);
  withExamples(command, [
    ['./weft up', 'everything in one process, store under .weft'],
    ['./weft up --profile mesh', 'each service as its own process; starts the servers that the machine lacks'],
    ['./weft up --profile mesh --replicas orchestration=3', 'three processes of orchestration: when one dies the others take over'],
    ['WEFT_MODEL_ENDPOINT=https://host/v1 WEFT_MODEL=name WEFT_SECRET_MODEL=key ./weft up', 'with a model provider of yours'],
  ]);
}

async function up({ profile, port, replicas, json = false }: UpOptions): Promise<void> {
  if (profile === 'standalone' && Object.keys(replicas ?? {}).length > 0)
    throw new CommandFailed('Expected --replicas with --profile mesh: in the profile standalone all services are one process.', EXIT.usage);
  const earlier = readRunFile();
  if (earlier)
    throw new CommandFailed(
      `Expected that no Weft runs yet but one does: ${earlier.url} (profile ${earlier.profile}, process ${earlier.pid}, since ${earlier.startedAt}). Stop it with \`./weft down\`.`,
    );
  const out = printer(json);
  const told = stopSignal();
  out.progress(`starting Weft, profile ${profile}`);
  const world = await startLocalWorld({ home: HOME });
  try {
    const running = profile === 'mesh' ? await upMesh(world, port, replicas ?? {}, out) : await upStandalone(world, port, out);
    try {
      await deployExamples(new GatewayClient(running), out.progress);
      writeRunFile({
        pid: process.pid,
        url: running.url,
        apiKey: running.apiKey,
        profile,
        startedAt: new Date().toISOString(),
        ...(running.weftPid === undefined ? {} : { weftPid: running.weftPid }),
      });
      out.data({ url: running.url, profile, runFile: runFilePath(), models: world.modelsSaid }, () => addresses(running, world, profile));
      const end = await Promise.race([told.then(() => undefined), ...(running.ended ? [running.ended] : [])]);
      if (end) throw new CommandFailed(`Expected Weft to run until it is stopped but it ended (${end.code === null ? 'killed' : `exit code ${end.code}`}): ${end.says}`, EXIT.unavailable);
      out.progress('stopping; press Ctrl-C again to end it at once');
    } finally {
      removeRunFile();
      await running.stop();
    }
    out.progress('stopped');
  } finally {
    await world.stop();
  }
}

async function upStandalone(world: LocalWorld, port: number, out: Printer): Promise<Up> {
  const env = { ...world.env, WEFT_HOME: HOME, WEFT_PORT: String(port) };
  const applied = await migrateStore({ env, logFile: inHome('logs', 'migrate.log') });
  const count = Object.values(applied).flat().length;
  if (count > 0) out.progress(`brought the store up to date (${count} migrations)`);
  const running = await startStandalone({ env, logFile: inHome('logs', 'standalone.log'), onLine: (line) => void process.stderr.write(`${readableLogLine(line)}\n`) });
  return { ...running, weftPid: running.pid };
}

async function upMesh(world: LocalWorld, port: number, replicas: Replicas, out: Printer): Promise<Up> {
  const mesh = await startMesh({ onProgress: out.progress, env: world.env, home: HOME, port, replicas });
  mkdirSync(dirname(KEY_FILE()), { recursive: true, mode: 0o700 });
  writeFileSync(KEY_FILE(), `${mesh.apiKey}\n`, { mode: 0o600 });
  return { url: mesh.url, apiKey: mesh.apiKey, stop: () => mesh.stop() };
}

const REPLICAS_MAX = 16;

/** Reads `service=n` into what was read before. */
export function replicasOf(text: string, before: Replicas | undefined): Replicas {
  const counts: Partial<Record<(typeof REPLICATED_SERVICES)[number], number>> = { ...before };
  for (const part of text.split(',')) {
    const [, word, count] = /^([a-z]+)=(\d+)$/.exec(part.trim()) ?? [];
    const service = REPLICATED_SERVICES.find((name) => name === word);
    if (service === undefined || Number(count) < 1 || Number(count) > REPLICAS_MAX)
      throw new InvalidArgumentError(`Expected service=n with one of ${REPLICATED_SERVICES.join(', ')} and 1 to ${REPLICAS_MAX}, such as orchestration=3, but got ${JSON.stringify(part)}.`);
    counts[service] = Number(count);
  }
  return counts;
}

const KEY_FILE = (): string => inHome('keys', 'default.key');

function addresses({ url }: RunningWeft, { modelsSaid, isSimulated, mailFile }: LocalWorld, profile: Profile): string {
  const key = KEY_FILE();
  return [
    '',
    `${colors.green('Weft runs')} ${colors.dim(`(profile ${profile})`)}`,
    `  API       ${colors.bold(url)}`,
    `  API key   in ${key}`,
    `  models    ${isSimulated ? colors.magenta(modelsSaid) : modelsSaid}`,
    `  mails     are counted, not sent: ${mailFile}`,
    '',
    'Try in another terminal:',
    '  ./weft publish examples/complaint-triage/events/plain.json --wait',
    '  ./weft publish examples/complaint-triage/events/large-refund.json   and then   ./weft reviews',
    `  curl ${url}/v1/chat/completions -H "authorization: Bearer $(cat ${key})" -H 'content-type: application/json' -d '{"model":"any","messages":[{"role":"user","content":"Hello"}]}'`,
    '',
  ].join('\n');
}

/** Resolves at the first signal that asks to stop; a second one ends this command at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let isTold = false;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (isTold) process.exit(EXIT.interrupted);
        isTold = true;
        resolve();
      });
    }
  });
}
