// A server as a process that may outlive this one: it is found again by its pid file, and adopted or stopped.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines, runCommand } from './command.js';
import type { LocalServer } from './server.js';

export interface ProcessServer {
  readonly name: LocalServer['name'];
  readonly root: string;
  readonly port: number;
  readonly file: string;
  readonly args: readonly string[];
  /** What the process calls itself; default the file. */
  readonly argv0?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** A text that only this server's command line contains: tells it from a stranger that got its pid. */
  readonly mark: string;
  readonly isAnswering: () => Promise<boolean>;
  /** How long it may take until it answers. */
  readonly startMs: number;
}

interface PidFile {
  readonly pid: number;
  readonly port: number;
  readonly mark: string;
}

const STOP_MS = 15_000;
const POLL_MS = 100;

/** The server of an earlier start, when it still runs on this port and answers; one that does not is stopped. */
export async function adoptProcess({ name, root, port, isAnswering }: Pick<ProcessServer, 'name' | 'root' | 'port' | 'isAnswering'>): Promise<LocalServer | undefined> {
  const known = await readPidFile(root);
  if (!known || !(await isRunning(known))) return undefined;
  // It may be in the middle of its start.
  for (let tries = 0; known.port === port && tries < 20 && (await isRunning(known)); tries++) {
    if (await isAnswering()) return localServer(name, root, known);
    await sleep(POLL_MS);
  }
  await stopProcess(root, known);
  return undefined;
}

/** Port of the server that an earlier start left running in a folder. */
export async function portOfLeftOver(root: string): Promise<number | undefined> {
  const known = await readPidFile(root);
  return known && (await isRunning(known)) ? known.port : undefined;
}

/** Starts the process in a session of its own and waits until it answers. @returns the server, or why it did not come up. */
export async function startProcess(server: ProcessServer): Promise<LocalServer | string> {
  const { name, root, port, file, args, argv0, environment, mark, isAnswering, startMs } = server;
  if (await isAnswering()) return `port ${port} is taken by another ${name}`;
  await mkdir(root, { recursive: true });
  const logFile = join(root, `${name}.log`);
  const log = openSync(logFile, 'w');
  // Its own session: Ctrl-C reaches this process alone, which then stops its servers after its clients.
  const child = spawn(file, args, { cwd: root, stdio: ['ignore', log, log], detached: true, env: { ...process.env, ...environment }, ...(argv0 === undefined ? {} : { argv0 }) });
  closeSync(log);
  const ending = new Promise<string>((resolve) => {
    child.once('error', (fault) => resolve(fault.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`));
  });
  child.unref();
  const { pid } = child;
  if (pid === undefined) return `${file} could not be started: ${await ending}`;
  const known: PidFile = { pid, port, mark };
  await writeFile(join(root, 'server.json'), JSON.stringify(known));
  let end: string | undefined;
  void ending.then((how) => (end = how));
  for (const deadline = Date.now() + startMs; Date.now() < deadline && end === undefined; await sleep(POLL_MS)) {
    if (await isAnswering()) return localServer(name, root, known);
  }
  await stopProcess(root, known);
  return `${name} did not answer on port ${port}: ${end ?? `nothing within ${startMs / 1000} s`}. ${lastLines(await readFile(logFile, 'utf8').catch(() => ''))}`;
}

/** Stops the server that an earlier start left in a folder. @returns whether one ran. */
export async function stopLeftOver(root: string): Promise<boolean> {
  const known = await readPidFile(root);
  if (!known || !(await isRunning(known))) return false;
  await stopProcess(root, known);
  return true;
}

function localServer(name: LocalServer['name'], root: string, known: PidFile): LocalServer {
  return { name, address: `127.0.0.1:${known.port}`, pid: known.pid, stop: () => stopProcess(root, known) };
}

async function stopProcess(root: string, known: PidFile): Promise<void> {
  for (const [signal, forMs] of [
    ['SIGTERM', STOP_MS],
    ['SIGKILL', STOP_MS],
  ] as const) {
    if (!(await isRunning(known))) break;
    try {
      process.kill(known.pid, signal);
    } catch {
      break;
    }
    for (const deadline = Date.now() + forMs; Date.now() < deadline && !(await hasEnded(known.pid));) await sleep(POLL_MS / 2);
  }
  await rm(join(root, 'server.json'), { force: true });
}

async function readPidFile(root: string): Promise<PidFile | undefined> {
  try {
    const known = JSON.parse(await readFile(join(root, 'server.json'), 'utf8')) as Partial<PidFile>;
    return typeof known.pid === 'number' && typeof known.port === 'number' && typeof known.mark === 'string' ? (known as PidFile) : undefined;
  } catch {
    return undefined;
  }
}

// A pid alone proves nothing: it may be a stranger's by now, or a process that ended and was never collected.
async function isRunning({ pid, mark }: PidFile): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(async () => (await runCommand('ps', ['-o', 'command=', '-p', String(pid)])).output);
  return commandLine.includes(mark);
}

// While a process ends its command line goes first and its ports last: what counts is that only its exit status is left.
async function hasEnded(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return true;
  }
  const state = /^\d+ \(.*\) (\S)/s.exec(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))?.[1];
  if (state !== 'Z' && state !== 'X') return false;
  // Its first thread may be done before the others, which hold its ports until they are.
  return (await readdir(`/proc/${pid}/task`).catch(() => [])).length <= 1;
}
