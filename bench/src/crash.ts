// Crash: kill -9 of the one process while executions run, and how long the next one takes to bring all of them to their end.
import { openPool, startEmbedded, type Pool } from '@weft/adapter-postgres';
import { migrateStore, openStore } from '@weft/standalone';
import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { checkCrash, durabilityOf, one, type Durability } from './history-check.js';
import { WORKLOADS } from './target.js';

export interface CrashOptions {
  /** Executions that run when the process is killed. */
  readonly count: number;
  readonly onProgress: (text: string) => void;
  /** Rejects when the run is to stop. */
  readonly told: Promise<never>;
}

export interface CrashReport extends Durability {
  readonly workload: 'crash';
  readonly profile: 'standalone';
  readonly count: number;
  /** Of those that ran at the kill: how many completed. */
  readonly completed: number;
  /** Jobs that were carried out again, as their receiver counted. */
  readonly rerun: number;
  /** From the start of the next process to the last completion. */
  readonly seconds: number;
  /** From the start of the next process to when it said that it takes work. */
  readonly readySeconds: number;
  readonly violations: readonly string[];
}

/** As `crash/workflow.yaml` has them. */
const JOBS = 3;
const JOB_MS = 20;
const WARM_UP = 200;
// What a process that has run for a while has done besides: it keeps its compiled code for the next.
const AGE_MS = 4_000;
const DONE_MS_MAX = 60_000;
const ASK_MS = 20;
const REQUESTS_AT_ONCE = 32;

/** @param home folder of the throw-away store; emptied first. */
export async function runCrash(home: string, { count, onProgress, told }: CrashOptions): Promise<CrashReport> {
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  // Started here: it lives on when the process is killed, and is adopted by the next.
  const embedded = await startEmbedded({ root: join(home, 'postgres') });
  const receiver = await startReceiver();
  const pool = openPool(embedded.address, { applicationName: 'weft bench', max: 1 });
  const lives: Life[] = [];
  const orStop = <T>(part: Promise<T>): Promise<T> => Promise.race([part, told]);
  try {
    await migrateStore(await openStore({ home, url: undefined, servicePassword: undefined }));
    const settings = settingsOf(home, receiver.url);
    onProgress('starting the process that is to be killed');
    const [first, bornAt] = [await live(lives, settings), Date.now()];
    await deploy(first);
    await orStop(untilCompleted(pool, await request(first, WARM_UP, 'warm-up')));
    await orStop(sleep(Math.max(0, bornAt + AGE_MS - Date.now())));
    receiver.hold();
    const executionIds = await request(first, count, 'crash');
    await orStop(untilRunning(pool, executionIds));
    onProgress(`kill -9 with ${count} executions running`);
    await first.kill();
    receiver.release();
    const spawnedAt = Date.now();
    await live(lives, settings);
    const readySeconds = (Date.now() - spawnedAt) / 1_000;
    await orStop(untilCompleted(pool, executionIds));
    const { completed, lastMs, violations } = await checkCrash(pool, executionIds, JOBS);
    return {
      workload: 'crash',
      profile: 'standalone',
      count,
      completed,
      rerun: receiver.repeated(executionIds),
      seconds: (lastMs - spawnedAt) / 1_000,
      readySeconds,
      ...(await durabilityOf(pool)),
      violations,
    };
  } finally {
    for (const life of lives) await life.stop();
    await pool.end();
    await receiver.stop();
    await embedded.stop();
  }
}

interface Life {
  readonly url: string;
  readonly apiKey: string;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** One life of Weft as `./weft up` starts it; resolves when it takes work. */
async function live(lives: Life[], settings: Readonly<Record<string, string>>): Promise<Life> {
  const main = fileURLToPath(new URL('./main.js', import.meta.resolve('@weft/standalone')));
  const log = openSync(join(settings['WEFT_HOME']!, 'weft.log'), 'a', 0o600);
  const child = fork(main, [], { env: { ...process.env, ...settings }, stdio: ['ignore', log, log, 'ipc'], execArgv: ['--enable-source-maps'] });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const { url, apiKey } = await Promise.race([ready(child), gone.then(() => Promise.reject(new Error(`Weft ended while it started; its log is ${settings['WEFT_HOME']}/weft.log`)))]);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await gone;
  };
  const life = { url, apiKey, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') };
  lives.push(life);
  return life;
}

const ready = (child: ChildProcess): Promise<{ readonly url: string; readonly apiKey: string }> =>
  new Promise((resolve) => child.on('message', (message: { readonly type?: string; readonly url: string; readonly apiKey: string }) => message.type === 'ready' && resolve(message)));

function settingsOf(home: string, receiver: string): Readonly<Record<string, string>> {
  const files = join(WORKLOADS, 'crash');
  const tools = join(home, 'tools.yaml');
  writeFileSync(tools, readFileSync(join(files, 'tools.yaml'), 'utf8').replaceAll('RECEIVER', receiver));
  return {
    WEFT_HOME: home,
    WEFT_PORT: '0',
    WEFT_LOG_LEVEL: 'warn',
    WEFT_REQUESTS_PER_MINUTE: '10000000',
    WEFT_EGRESS_ALLOW: receiver,
    WEFT_TOOLS_FILE: tools,
    WEFT_GRANTS_FILE: join(files, 'grants.yaml'),
    WEFT_ROUTES_FILE: join(files, 'routes.yaml'),
  };
}

async function deploy(life: Life): Promise<void> {
  await call(life, '/v1/definitions', { 'content-type': 'application/yaml' }, readFileSync(join(WORKLOADS, 'crash', 'workflow.yaml'), 'utf8'));
}

async function request(life: Life, count: number, name: string): Promise<readonly string[]> {
  const ids: string[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const body = JSON.stringify({ type: 'bench.crash.v1', source: '/bench', data: { n: next } });
      const { executionId } = (await call(life, '/v1/requests', { 'content-type': 'application/json', 'idempotency-key': `${name}-${next++}` }, body)) as { executionId: string };
      ids.push(executionId);
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, lane));
  return ids;
}

async function call({ url, apiKey }: Life, path: string, headers: Readonly<Record<string, string>>, body: string): Promise<unknown> {
  const response = await fetch(`${url}${path}`, { method: 'POST', headers: { ...headers, authorization: `Bearer ${apiKey}` }, body });
  if (!response.ok) throw new Error(`Expected ${path} to be taken but got ${response.status}: ${await response.text()}`);
  return response.json();
}

const untilRunning = (pool: Pool, ids: readonly string[]): Promise<void> => until(pool, ids, `status = 'running'`, 'run');
const untilCompleted = (pool: Pool, ids: readonly string[]): Promise<void> => until(pool, ids, `status <> 'running'`, 'end');

async function until(pool: Pool, ids: readonly string[], condition: string, what: string): Promise<void> {
  for (const giveUpAt = Date.now() + DONE_MS_MAX; ; await sleep(ASK_MS)) {
    const found = await one<number>(pool, `select count(*)::int from orchestration.executions where id = any($1::uuid[]) and ${condition}`, [ids]);
    if (found === ids.length) return;
    if (Date.now() > giveUpAt) throw new Error(`Expected ${ids.length} executions to ${what} but after ${DONE_MS_MAX} ms it were ${found}.`);
  }
}

interface Receiver {
  readonly url: string;
  /** Answers nothing from now on: whoever asks has a job under way. */
  hold(): void;
  release(): void;
  /** Jobs of these executions that came more than once, each time but the first. */
  repeated(executionIds: readonly string[]): number;
  stop(): Promise<void>;
}

/** Who carries out the jobs: answers each after 20 ms and counts it. */
async function startReceiver(): Promise<Receiver> {
  const times = new Map<string, number>();
  let isHeld = false;
  const server: Server = createServer((request, response) => {
    const { 'weft-execution': execution, 'weft-task': task } = request.headers;
    const job = `${String(execution)} ${String(task)}`;
    times.set(job, (times.get(job) ?? 0) + 1);
    request.resume();
    if (!isHeld) setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}'), JOB_MS);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold: () => (isHeld = true),
    release: () => (isHeld = false),
    repeated: (executionIds) => {
      const wanted = new Set(executionIds);
      return [...times].reduce((sum, [job, count]) => sum + (wanted.has(job.split(' ', 1)[0]!) ? count - 1 : 0), 0);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
