// The servers that the suites run against: those that the environment names, else started here and stopped at the end.
import { Refused } from '@weft/kernel';
import { mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { inHome } from '../paths.js';
import { freePair } from '../processes/free-port.js';
import { startKafka } from '../servers/kafka.js';
import { startRedis } from '../servers/redis.js';
import type { LocalServer, ServerOptions } from '../servers/server.js';
import type { NotRun, Step, StepOutcome } from './step.js';

export type ServerName = LocalServer['name'];

// Above the ports that servers have by default, so that a Weft that is up is left alone.
const PORT_FIRST = { kafka: 29_092, redis: 26_379 } as const;
const CONNECT_MS = 3_000;

export interface TestServers {
  /** One step per server: started, adopted or taken from the environment. */
  readonly steps: readonly Step[];
  /** What the suites are told: `WEFT_KAFKA` and `WEFT_REDIS`, as far as the servers run. Complete after the steps. */
  readonly environment: Readonly<Record<string, string>>;
  /** Stops what the steps started. */
  stop(): Promise<void>;
}

/** @param required names in `WEFT_REQUIRE`: doing without such a server is a failure rather than a remark. */
export function testServers(required: ReadonlySet<string>, onProgress: (line: string) => void): TestServers {
  const started: LocalServer[] = [];
  const environment: Record<string, string> = {};
  const step = (name: ServerName, start: (options: ServerOptions) => Promise<LocalServer>): Step => ({
    name: `server: ${name}`,
    run: async () => {
      const variable = `WEFT_${name.toUpperCase()}`;
      const given = process.env[variable];
      if (given) {
        if (!(await isListening(given))) return { status: 'failed', output: `Expected ${name} at ${given}, as ${variable} says, but nothing listens there.` };
        environment[variable] = given;
        return { status: 'passed', remark: `${given}, from ${variable}` };
      }
      const root = inHome('test', name);
      try {
        if (name === 'kafka') await shareJars(inHome('kafka', 'libs'), join(root, 'libs'));
        const server = await start({ root, port: await freePair(PORT_FIRST[name]), onProgress });
        started.push(server);
        if (name === 'kafka') await shareJars(join(root, 'libs'), inHome('kafka', 'libs'));
        environment[variable] = server.address;
        return { status: 'passed', remark: server.address };
      } catch (thrown) {
        if (!(thrown instanceof Refused)) throw thrown;
        return without(name, thrown.rejection.message, required.has(name));
      }
    },
  });
  return {
    steps: [step('kafka', startKafka), step('redis', startRedis)],
    environment,
    stop: async () => {
      await Promise.all(started.map((server) => server.stop()));
      // Topics of one run are no concern of the next.
      if (started.some(({ name }) => name === 'kafka')) await rm(inHome('test', 'kafka', 'data'), { recursive: true, force: true });
    },
  };
}

function without(name: ServerName, message: string, isRequired: boolean): StepOutcome {
  const notRun: NotRun = { suite: `everything that needs ${name}`, why: message, remedy: `set WEFT_${name.toUpperCase()}=host:port to a server that runs` };
  return isRequired ? { status: 'failed', notRun: [notRun], output: `WEFT_REQUIRE lists ${name}. ${message}` } : { status: 'skipped', notRun: [notRun] };
}

// What `weft up` has fetched serves the tests, and the other way round.
async function shareJars(theirs: string, ours: string): Promise<void> {
  const isThere = (folder: string): Promise<boolean> =>
    readFile(join(folder, 'pom.sha256')).then(
      () => true,
      () => false,
    );
  if ((await isThere(ours)) || !(await isThere(theirs))) return;
  await mkdir(dirname(ours), { recursive: true });
  await rm(ours, { recursive: true, force: true });
  await symlink(theirs, ours, 'dir');
}

/** Whether somebody listens at the first of these addresses. */
function isListening(addresses: string): Promise<boolean> {
  const [, host = '', port = ''] = /^\[?([^,\]]+?)\]?:(\d+)(?:,|$)/.exec(addresses) ?? [];
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: CONNECT_MS });
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
