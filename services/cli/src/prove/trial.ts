// What the proofs share: a receiver that counts, Weft before it, requests that are asked until they are answered, and the judge.
import { openPool, parseStoreUrl, type Pool } from '@weft/adapter-postgres';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayClient } from '../client/gateway-client.js';
import { CommandFailed } from '../exit-codes.js';
import { inHome, inRoot } from '../paths.js';
import type { Profile } from '../processes/profile.js';
import { startCountingServer, stripKeys } from './counting-server.js';
import { withPlant, type Plant } from './plants.js';
import { dumpOf, isAtRest, type SqlDump } from './sql-dump.js';
import { meshSubject, standaloneSubject, type Subject, type SubjectOptions } from './subject.js';

export interface TrialOptions {
  /** Folder of the proof below Weft's home; emptied first. */
  readonly name: string;
  readonly profile: Profile;
  /** Begins the ids of requests. */
  readonly seed: number;
  readonly plant: Plant;
  /** Share of the receiver's answers that get lost, so that hooks are asked. Default 0.03. */
  readonly lostAnswers?: number;
  /** Starts what is struck. Default: the profile as it is. */
  readonly subjectOf?: (options: SubjectOptions) => Promise<Subject>;
  readonly onProgress: (text: string) => void;
}

/** A request that was answered: from then on it is promised. */
export interface Requested {
  readonly id: string;
  readonly executionId: string;
}

export interface ResultSeen {
  readonly requestId: string;
  readonly executionId: string;
  readonly status: string;
}

/** What the judge says: counts, and sentences. */
export interface Verdict {
  readonly counts: Readonly<Record<string, unknown>>;
  readonly clean: boolean;
}

export interface Trial {
  readonly subject: Subject;
  readonly requests: readonly Requested[];
  /** Id of request `n`. */
  idOf(n: number): string;
  /** Asks for execution `n` until it is accepted. */
  request(n: number): Promise<void>;
  /** Waits until nothing moves any more, then lets the judge judge. */
  judge(): Promise<Verdict>;
  stop(): Promise<void>;
}

// The receiver takes this long after its effect: where most kills land. A few of its answers get lost, so that hooks are asked.
const RECEIVER = ['--idempotent', 'idempotent', '--delay-ms', '30'];
const PATIENCE_MS = 120_000;
const SETTLE_MS_MAX = 180_000;
const REST_MS_MAX = 30_000;
const REVIEW_LOOK_MS = 250;
const TERMINAL = ['completed', 'faulted', 'cancelled'];
const FILES = inRoot('tests', 'faults', 'kills');
const WORKFLOWS = ['child.yaml', 'begun.yaml', 'clock.yaml', 'workflow.yaml'];
/** What each request is to bring about, for the judge. */
const WANTED = {
  tools: { idempotent: { idempotent: true }, once: { idempotent: false } },
  effectsPerExecution: { idempotent: 1, once: 3 },
  startsPerExecution: { 'prove/kills-child': { executions: 3, effects: { idempotent: 1 } }, 'prove/kills-begun': { executions: 1, effects: { idempotent: 1 } } },
};

export async function openTrial({ name, profile, seed, plant, lostAnswers = 0.03, subjectOf, onProgress }: TrialOptions): Promise<Trial> {
  const home = inHome('prove', name);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const receipts = join(home, 'receipts.jsonl');
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const counting = await startCountingServer(receipts, [...RECEIVER, '--lost-answer', String(lostAnswers)]);
    stops.push(counting.stop);
    const wire = plant === 'no-key' ? await stripKeys(counting.url) : undefined;
    if (wire) stops.push(wire.stop);
    const subject = await (subjectOf ?? (profile === 'mesh' ? meshSubject : standaloneSubject))({ home, env: environment(home, wire?.url ?? counting.url), onProgress });
    stops.push(subject.stop);
    const client = new GatewayClient(subject.connection);
    for (const file of WORKFLOWS) await deploy(client, file);
    stops.push(decideReviews(client));
    const requests: Requested[] = [];
    const idOf = (n: number): string => `prove-${seed}-${n}`;
    return {
      subject,
      requests,
      idOf,
      request: async (n) => void requests.push(await requested(client, idOf(n), n)),
      judge: async () => {
        onProgress('waiting for everything to end');
        // It would start something each second for ever.
        await deploy(client, 'clock-stopped.yaml');
        const results = await settled(client, requests);
        const sql = await atRest(subject);
        return judged(home, receipts, requests, withPlant(plant, { sql, results }));
      },
      stop,
    };
  } catch (fault) {
    await stop();
    throw fault;
  }
}

function environment(home: string, receiver: string): Readonly<Record<string, string>> {
  const tools = join(home, 'tools.yaml');
  writeFileSync(tools, readFileSync(join(FILES, 'tools.yaml'), 'utf8').replaceAll('COUNTING_SERVER', receiver));
  return {
    WEFT_TOOLS_FILE: tools,
    WEFT_GRANTS_FILE: join(FILES, 'grants.yaml'),
    WEFT_BUDGETS_FILE: join(FILES, 'budgets.yaml'),
    WEFT_ROUTES_FILE: join(FILES, 'routes.yaml'),
    WEFT_EGRESS_ALLOW: receiver,
  };
}

async function deploy(client: GatewayClient, file: string): Promise<void> {
  const body = readFileSync(join(FILES, file), 'utf8');
  await patiently(() => client.call('/v1/definitions', { method: 'POST', headers: { 'content-type': 'application/yaml' }, body }));
}

async function requested(client: GatewayClient, id: string, n: number): Promise<Requested> {
  const body = JSON.stringify({ type: 'prove.kills.v1', source: '/prove', data: { n } });
  const headers = { 'content-type': 'application/json', 'idempotency-key': id };
  const reply = await patiently(() => client.call<{ executionId: string }>('/v1/requests', { method: 'POST', headers, body, timeoutMs: 10_000 }));
  return { id, executionId: reply.body.executionId };
}

/** Calls again while Weft is away: with the same idempotency key, asking again is safe. */
export async function patiently<T>(call: () => Promise<T>): Promise<T> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await call();
    } catch (fault) {
      if (Date.now() > until) throw fault;
      await sleep(50);
    }
  }
}

/** Plays the person: approves whatever waits for one, for as long as the trial runs. What was not answered is decided again. */
function decideReviews(client: GatewayClient): () => Promise<void> {
  let isOver = false;
  const running = (async () => {
    while (!isOver) {
      const open = await client.call<{ reviews: readonly { reviewId: string; kind: string }[] }>('/v1/reviews?limit=200', { timeoutMs: 5_000 }).catch(() => undefined);
      for (const { reviewId, kind } of open?.body.reviews ?? []) {
        // What became of an effect, this person does not know.
        if (kind !== 'approval' || isOver) continue;
        const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ outcome: 'approved' }), timeoutMs: 5_000 };
        await client.call(`/v1/reviews/${encodeURIComponent(reviewId)}/decide`, options).catch(() => undefined);
      }
      await sleep(REVIEW_LOOK_MS);
    }
  })();
  return async () => {
    isOver = true;
    await running;
  };
}

/** What the caller sees of every request once nothing moves any more. */
async function settled(client: GatewayClient, requests: readonly Requested[]): Promise<readonly ResultSeen[]> {
  const until = Date.now() + SETTLE_MS_MAX;
  const open = new Map(requests.map((request) => [request.executionId, request]));
  const results: ResultSeen[] = [];
  while (open.size > 0 && Date.now() < until) {
    for (const [executionId, { id }] of open) {
      const { body } = await patiently(() => client.call<{ status: string; waits?: readonly { kind: string; subject: string }[] }>(`/v1/executions/${executionId}`, { accept: [404] }));
      const isUnknown = body.waits?.some((wait) => wait.kind === 'review' && wait.subject === 'effect-outcome') === true;
      if (TERMINAL.includes(body.status)) results.push({ requestId: id, executionId, status: body.status });
      if (isUnknown || TERMINAL.includes(body.status)) open.delete(executionId);
    }
    if (open.size > 0) await sleep(200);
  }
  return results;
}

/** The dump once nothing is left to do, or after a while as it stands. */
async function atRest(subject: Subject): Promise<SqlDump> {
  const pool: Pool = openPool(parseStoreUrl(subject.storeUrl), { applicationName: 'weft prove', max: 1 });
  const until = Date.now() + REST_MS_MAX;
  try {
    for (;;) {
      const dump = await dumpOf(pool);
      if (isAtRest(dump) || Date.now() > until) return dump;
      await sleep(500);
    }
  } finally {
    await pool.end();
  }
}

async function judged(home: string, receipts: string, requests: readonly Requested[], { sql, results }: { readonly sql: SqlDump; readonly results: readonly ResultSeen[] }): Promise<Verdict> {
  const [input, resultsFile] = [join(home, 'judge.json'), join(home, 'results.jsonl')];
  writeFileSync(input, JSON.stringify({ requests, sql, ...WANTED }));
  writeFileSync(resultsFile, results.map((result) => `${JSON.stringify(result)}\n`).join(''));
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [inRoot('tests', 'faults', 'dist', 'kills-checker.main.js'), '--input', input, '--results', resultsFile, '--receipts', receipts],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error ? Number((error as { code?: unknown }).code) : 0;
        if (code > 1 || stdout.trim() === '') reject(new CommandFailed(`The judge could not judge: ${stderr.trim() || error?.message}`));
        else resolve({ counts: JSON.parse(stdout) as Record<string, unknown>, clean: code === 0 });
      },
    );
  });
}
