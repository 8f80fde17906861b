// One Redis on this machine, for caches and limits: nothing in it outlives it.
import { connect } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findCommand } from './command.js';
import { installDebian } from './debian.js';
import { startContainer } from './docker.js';
import { adoptProcess, startProcess } from './process-server.js';
import { serverUnavailable, type LocalServer, type ServerOptions } from './server.js';

const START_MS = 10_000;

/**
 * Starts Redis on 127.0.0.1, or adopts the one that an earlier start left running.
 * @throws Refused `server-unavailable` when the machine has neither redis-server nor docker, and cannot install it.
 */
export async function startRedis({ root: given, port, onProgress }: ServerOptions): Promise<LocalServer> {
  const root = resolve(given);
  const isAnswering = (): Promise<boolean> => redisAnswers(port);
  const adopted = await adoptProcess({ name: 'redis', root, port, isAnswering });
  if (adopted) return adopted;
  const local = await startLocally(root, port, isAnswering, onProgress);
  if (typeof local !== 'string') return local;
  const inDocker = await startInDocker(port, isAnswering, onProgress);
  if (typeof inDocker !== 'string') return inDocker;
  return serverUnavailable('redis', [local, inDocker], 'Install redis-server, or start docker, or set WEFT_REDIS=host:port to use a Redis that runs.');
}

async function startLocally(root: string, port: number, isAnswering: () => Promise<boolean>, onProgress: ServerOptions['onProgress']): Promise<LocalServer | string> {
  let file = await findRedis();
  if (!file) {
    const trouble = await installDebian(['redis-tools'], onProgress);
    file = await findRedis();
    if (!file) return `redis-server is not installed${trouble ? ` (${trouble})` : ''}`;
  }
  onProgress?.(`starting Redis on 127.0.0.1:${port}`);
  const mark = `127.0.0.1:${port}`;
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--dir', root, '--save', '', '--appendonly', 'no', '--set-proc-title', 'yes', '--proc-title-template', `redis-server ${mark}`];
  // Redis replaces its command line by the title, hence a mark that the title holds.
  return startProcess({ name: 'redis', root, port, file, argv0: 'redis-server', args, mark, isAnswering, startMs: START_MS });
}

// Debian's redis-tools holds the whole server and no system service: redis-server is a second name of redis-check-rdb,
// which looks at the name it was started by.
async function findRedis(): Promise<string | undefined> {
  return (await findCommand('redis-server')) ?? (await findCommand('redis-check-rdb'));
}

async function startInDocker(port: number, isAnswering: () => Promise<boolean>, onProgress: ServerOptions['onProgress']): Promise<LocalServer | string> {
  const command = ['redis-server', '--port', String(port), '--save', '', '--appendonly', 'no'];
  const container = await startContainer({ server: 'redis', image: 'redis:7', port, command }, onProgress);
  if (typeof container === 'string') return container;
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; await sleep(100)) if (await isAnswering()) return container;
  await container.stop();
  return 'Redis did not answer in its container';
}

function redisAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 }, () => socket.write('PING\r\n'));
    const end = (isAnswering: boolean): void => {
      socket.destroy();
      resolve(isAnswering);
    };
    socket.once('data', (reply: Buffer) => end(/^(\+PONG|-NOAUTH)/.test(reply.toString())));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
