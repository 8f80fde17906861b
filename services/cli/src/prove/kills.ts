// Random kill -9 while executions run; afterwards an independent judge compares what was promised with what happened.
import { openPool, parseStoreUrl } from '@weft/adapter-postgres';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayClient } from '../client/gateway-client.js';
import { CommandFailed } from '../exit-codes.js';
import { inHome, inRoot } from '../paths.js';
import { startCountingServer, stripKeys } from './counting-server.js';
import { dumpOf, type SqlDump } from './sql-dump.js';
import { seeded } from './seeded.js';
import { meshSubject, standaloneSubject, type Subject } from './subject.js';

export interface KillsOptions {
  readonly executions: number;
  readonly kills: number;
  readonly profile: 'standalone' | 'mesh';
  readonly seed: number;
  /** A fault that the proof must notice. */
  readonly plant: 'none' | 'no-key';
  readonly onProgress: (text: string) => void;
}

export interface KillsReport {
  readonly executions: number;
  readonly kills: number;
  readonly lost: number;
  readonly appliedTwice: number;
  readonly effectsTwice: number;
  readonly unknown: number;
  readonly seconds: number;
  readonly seed: number;
  readonly profile: string;
  /** Everything else that the judge counts, and its sentences. */
  readonly [more: string]: unknown;
}

interface Requested {
  readonly id: string;
  readonly executionId?: string;
}

// The receiver takes this long after its effect: where most kills land.
const EFFECT_DELAY_MS = 30;
const IN_FLIGHT = 24;
const SETTLE_MS_MAX = 180_000;
const TERMINAL = ['completed', 'faulted', 'cancelled'];

export async function proveKills(options: KillsOptions): Promise<{ readonly report: KillsReport; readonly clean: boolean }> {
  const home = inHome('prove', options.profile);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const receiptsFile = join(home, 'receipts.jsonl');
  const stops: (() => Promise<void>)[] = [];
  try {
    const counting = await startCountingServer(receiptsFile, ['--idempotent', 'idempotent', '--delay-ms', String(EFFECT_DELAY_MS)]);
    stops.push(counting.stop);
    const wire = options.plant === 'no-key' ? await stripKeys(counting.url) : undefined;
    if (wire) stops.push(wire.stop);
    const env = environment(home, wire?.url ?? counting.url);
    const subject = await (options.profile === 'mesh' ? meshSubject : standaloneSubject)({ home, env, onProgress: options.onProgress });
    stops.push(subject.stop);
    const startedAt = performance.now();
    const requests = await runUnderKills(subject, options);
    options.onProgress('waiting for everything to end');
    const results = await settled(subject, requests);
    const sql = await atRest(subject);
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    const { verdict, clean } = await judge(home, receiptsFile, requests, results, sql);
    return { report: { ...verdict, kills: options.kills, seconds, seed: options.seed, profile: options.profile } as KillsReport, clean };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

function environment(home: string, receiver: string): Readonly<Record<string, string>> {
  const files = inRoot('tests', 'faults', 'kills');
  const tools = join(home, 'tools.yaml');
  writeFileSync(tools, readFileSync(join(files, 'tools.yaml'), 'utf8').replaceAll('COUNTING_SERVER', receiver));
  return { WEFT_TOOLS_FILE: tools, WEFT_GRANTS_FILE: join(files, 'grants.yaml'), WEFT_ROUTES_FILE: join(files, 'routes.yaml'), WEFT_EGRESS_ALLOW: receiver };
}

/** Publishes all requests while processes die. A request counts as promised once it was answered. */
async function runUnderKills(subject: Subject, { executions, kills, seed, onProgress }: KillsOptions): Promise<readonly Requested[]> {
  const client = new GatewayClient(subject.connection);
  await patiently(() =>
    client.call('/v1/definitions', { method: 'POST', headers: { 'content-type': 'application/yaml' }, body: readFileSync(inRoot('tests', 'faults', 'kills', 'workflow.yaml'), 'utf8') }),
  );
  const random = seeded(seed);
  const requests: Requested[] = [];
  let [next, killed] = [0, 0];
  const lane = async (): Promise<void> => {
    while (next < executions) {
      const n = next++;
      // Spread over the kills, so that each of them meets work at every stage.
      while (killed < Math.floor((n * kills) / executions)) await new Promise((resolve) => setTimeout(resolve, 20));
      const id = `prove-${seed}-${n}`;
      const { body } = await patiently(() =>
        client.call<{ executionId: string }>('/v1/requests', {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': id },
          body: JSON.stringify({ type: 'prove.kills.v1', source: '/prove', data: { n } }),
          timeoutMs: 10_000,
        }),
      );
      requests.push({ id, executionId: body.executionId });
    }
  };
  const killing = (async () => {
    for (let kill = 1; kill <= kills; kill++) {
      await new Promise((resolve) => setTimeout(resolve, random.between(100, 700)));
      const target = random.pick(subject.targets);
      await subject.kill(target);
      killed = kill;
      onProgress(`kill ${kill} of ${kills}: ${target}; ${requests.length} of ${executions} requests accepted`);
    }
  })();
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  await killing;
  return requests;
}

/** Calls again while Weft is away: with the same idempotency key, asking again is safe. */
async function patiently<T>(call: () => Promise<T>): Promise<T> {
  const until = Date.now() + 60_000;
  for (;;) {
    try {
      return await call();
    } catch (fault) {
      if (Date.now() > until) throw fault;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

interface ResultSeen {
  readonly requestId: string;
  readonly executionId: string;
  readonly status: string;
}

/** What the caller sees of every request once nothing moves any more. */
async function settled(subject: Subject, requests: readonly Requested[]): Promise<readonly ResultSeen[]> {
  const client = new GatewayClient(subject.connection);
  const until = Date.now() + SETTLE_MS_MAX;
  const open = new Map(requests.map((request) => [request.executionId!, request]));
  const results: ResultSeen[] = [];
  while (open.size > 0 && Date.now() < until) {
    for (const [executionId, { id }] of open) {
      const { body } = await patiently(() => client.call<{ status: string; waits?: readonly { kind: string; subject: string }[] }>(`/v1/executions/${executionId}`, { accept: [404] }));
      const isUnknown = body.waits?.some((wait) => wait.kind === 'review' && wait.subject === 'effect-outcome') === true;
      if (TERMINAL.includes(body.status)) results.push({ requestId: id, executionId, status: body.status });
      if (isUnknown || TERMINAL.includes(body.status)) open.delete(executionId);
    }
    if (open.size > 0) await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return results;
}

/** The dump once every commit is published, or after a while as it stands. */
async function atRest(subject: Subject): Promise<SqlDump> {
  const pool = openPool(parseStoreUrl(subject.storeUrl), { applicationName: 'weft prove', max: 1 });
  try {
    for (let tries = 0; ; tries++) {
      const dump = await dumpOf(pool);
      if (dump.unpublishedCommits === 0 || tries === 50) return dump;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  } finally {
    await pool.end();
  }
}

async function judge(
  home: string,
  receipts: string,
  requests: readonly Requested[],
  results: readonly ResultSeen[],
  sql: SqlDump,
): Promise<{ readonly verdict: Record<string, unknown>; readonly clean: boolean }> {
  const [input, resultsFile] = [join(home, 'judge.json'), join(home, 'results.jsonl')];
  writeFileSync(input, JSON.stringify({ requests, sql, tools: { idempotent: { idempotent: true }, once: { idempotent: false } }, effectsPerExecution: { idempotent: 1, once: 1 } }));
  writeFileSync(resultsFile, results.map((result) => `${JSON.stringify(result)}\n`).join(''));
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [inRoot('tests', 'faults', 'dist', 'kills-checker.main.js'), '--input', input, '--results', resultsFile, '--receipts', receipts],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error ? Number((error as { code?: unknown }).code) : 0;
        if (code > 1 || stdout.trim() === '') reject(new CommandFailed(`The judge could not judge: ${stderr.trim() || error?.message}`));
        else resolve({ verdict: JSON.parse(stdout) as Record<string, unknown>, clean: code === 0 });
      },
    );
  });
}
