// Every way out of a running Weft is asked for URLs that must not be reached; a sink counts, and an independent judge compares.
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayClient } from '../client/gateway-client.js';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { inHome, inRoot } from '../paths.js';
import { WITH_PARENT } from '../processes/with-parent.js';
import { HOSTILE_NAMES, hostileUrls } from './egress-corpus.js';
import { loosened, type EgressPlant } from './egress-plants.js';
import { standaloneSubject } from './subject.js';

export { EGRESS_PLANTS, type EgressPlant } from './egress-plants.js';

export interface EgressOptions {
  /** Requests to where they may go. */
  readonly benign: number;
  readonly seed: number;
  /** A rule that does not hold, which the proof must notice. */
  readonly plant: EgressPlant;
  readonly onProgress: (text: string) => void;
  /** Rejects when the proof is to stop. */
  readonly told: Promise<never>;
}

interface Outside {
  readonly url: string;
  readonly sinkPort: number;
  readonly dns: string;
}

/** What is asked of Weft. The judge knows the same shape, with what was told. */
interface Request {
  readonly id: string;
  readonly url: string;
  readonly way: 'call' | 'redirect' | 'infer';
  readonly isBenign: boolean;
  readonly mayFail?: boolean;
  readonly mayArrive?: boolean;
  readonly status?: number;
  readonly hops?: number;
  /** Of the model that is asked. */
  readonly model?: number;
}

const FILES = inRoot('tests', 'faults', 'egress');
const REDIRECTS = [301, 302, 303, 307, 308];
const HOPS_MAX = 4;
const IN_FLIGHT = 16;
// A name that is listed, and may be on this machine by what it is called.
const LISTED_NAME = 'all-7f000001.localhost';

export async function proveEgress({ benign, seed, plant, onProgress, told }: EgressOptions): Promise<{ readonly report: Readonly<Record<string, unknown>>; readonly clean: boolean }> {
  const home = inHome('prove', 'egress');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const arrivals = join(home, 'arrivals.jsonl');
  writeFileSync(arrivals, '');
  const stops: (() => Promise<void>)[] = [];
  try {
    const { outside, stop } = await startOutside(arrivals);
    stops.push(stop);
    const requests = requestsOf(outside, benign);
    const subject = await standaloneSubject({ home, env: environment(home, outside, requests, plant), onProgress });
    stops.push(subject.stop);
    const client = new GatewayClient(subject.connection);
    await client.call('/v1/definitions', { method: 'POST', headers: { 'content-type': 'application/yaml' }, body: readFileSync(join(FILES, 'workflow.yaml'), 'utf8') });
    const startedAt = performance.now();
    const attempts = await Promise.race([askAll(client, requests, seed, onProgress), told]);
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    writeFileSync(join(home, 'attempts.jsonl'), attempts.map((attempt) => `${JSON.stringify(attempt)}\n`).join(''));
    const { counts, clean } = await judged(join(home, 'attempts.jsonl'), arrivals);
    return { report: { ...counts, plant, seconds }, clean };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function startOutside(file: string): Promise<{ readonly outside: Outside; readonly stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [...WITH_PARENT, inRoot('tests', 'faults', 'dist', 'egress-outside.main.js'), '--file', file], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  const outside = await new Promise<Outside>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', (line: string) => resolve(JSON.parse(line.split('\n')[0]!) as Outside));
    child.once('exit', (code) => reject(new CommandFailed(`Expected the outside of the proof to start but it ended with ${code}.`, EXIT.unavailable)));
  });
  return {
    outside,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

/** Each hostile URL directly, at the end of redirects, and as the endpoint of a model; and benign ones in the same ways. */
function requestsOf({ url: allowed, sinkPort }: Outside, benign: number): readonly Request[] {
  const requests: Request[] = [];
  let model = 0;
  hostileUrls(sinkPort, allowed).forEach((hostile, index) => {
    const redirect = { status: REDIRECTS[index % REDIRECTS.length]!, hops: 1 + (index % HOPS_MAX) };
    requests.push({ ...hostile, id: `call-${index}`, way: 'call', isBenign: false });
    requests.push({ ...hostile, ...redirect, id: `redirect-${index}`, way: 'redirect', isBenign: false });
    if (/^https?:\/\/[^\s/][^\s]*$/.test(hostile.url) && URL.canParse(hostile.url)) requests.push({ ...hostile, id: `infer-${index}`, way: 'infer', isBenign: false, model: model++ });
  });
  // Names that are listed, over plain http: what they resolve to is all that keeps them out.
  HOSTILE_NAMES.forEach(({ name, mayFail = false }, index) => requests.push({ id: `listed-${index}`, url: `http://${name}:${sinkPort}/`, way: 'call', isBenign: false, mayFail }));
  const { port } = new URL(allowed);
  for (let n = 0; n < benign; n++) {
    const origin = n % 3 === 2 ? `http://${LISTED_NAME}:${port}` : allowed;
    const way = n % 2 === 0 ? 'call' : 'redirect';
    requests.push({ id: `benign-${n}`, url: `${origin}/ok/benign-${n}`, way, isBenign: true, status: REDIRECTS[n % REDIRECTS.length]!, hops: 1 + (n % HOPS_MAX) });
  }
  return requests;
}

function environment(home: string, { url, sinkPort, dns }: Outside, requests: readonly Request[], plant: EgressPlant): Readonly<Record<string, string>> {
  const [tools, routes] = [join(home, 'tools.yaml'), join(home, 'routes.yaml')];
  writeFileSync(tools, readFileSync(join(FILES, 'tools.yaml'), 'utf8').replaceAll('OUTSIDE', url));
  writeFileSync(routes, JSON.stringify(routeTable(requests)));
  const listed = HOSTILE_NAMES.map(({ name }) => `http://${name}:${sinkPort}`);
  const sink = `http://127.0.0.1:${sinkPort}`;
  return {
    WEFT_TOOLS_FILE: tools,
    WEFT_GRANTS_FILE: join(FILES, 'grants.yaml'),
    WEFT_ROUTES_FILE: routes,
    WEFT_EGRESS_ALLOW: [url, `http://${LISTED_NAME}:${new URL(url).port}`, ...listed].join(','),
    WEFT_EGRESS_DNS: dns,
    WEFT_CALL_TIMEOUT_MS: '3000',
    WEFT_MODEL_TIMEOUT_MS: '3000',
    // Proxies that the environment names are not used: each would be a way into the sink.
    HTTP_PROXY: sink,
    HTTPS_PROXY: sink,
    NODE_USE_ENV_PROXY: '1',
    ...loosened(plant, home),
  };
}

/** One route a model, and one for all else. */
function routeTable(requests: readonly Request[]): object {
  const workflow = { namespace: 'prove', name: 'egress' };
  const infers = requests.filter(({ way }) => way === 'infer');
  return {
    version: 1,
    models: infers.map(({ model, url }) => ({ id: `m${model}`, endpoint: url, model: 'm', capabilities: [] })),
    routes: [
      ...infers.map(({ model }) => ({ name: `infer-${model}`, when: { type: `prove.egress.infer.${model}` }, workflow, models: { prefer: [`m${model}`] } })),
      { name: 'egress', when: { type: 'prove.egress' }, workflow },
    ],
  };
}

async function askAll(client: GatewayClient, requests: readonly Request[], seed: number, onProgress: (text: string) => void): Promise<readonly object[]> {
  const attempts: object[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < requests.length) {
      const request = requests[next++]!;
      attempts.push({ ...request, told: await ask(client, request, seed) });
      if (attempts.length % 100 === 0) onProgress(`${attempts.length} of ${requests.length} requests asked for`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return attempts;
}

/** @returns `completed`, or the sentence of the failure. */
async function ask(client: GatewayClient, { id, url, way, status = 302, hops = 1, model }: Request, seed: number): Promise<string> {
  const body = JSON.stringify({ type: model === undefined ? 'prove.egress' : `prove.egress.infer.${model}`, source: '/prove', data: { url, way, status, hops } });
  const headers = { 'content-type': 'application/json', 'idempotency-key': `egress-${seed}-${id}`, prefer: 'wait=30' };
  const reply = await client.call<{ status: string; error?: { detail?: string; title?: string } }>('/v1/requests', { method: 'POST', headers, body });
  return reply.body.status === 'completed' ? 'completed' : (reply.body.error?.detail ?? reply.body.error?.title ?? JSON.stringify(reply.body.error ?? reply.body.status));
}

function judged(attempts: string, arrivals: string): Promise<{ readonly counts: Readonly<Record<string, unknown>>; readonly clean: boolean }> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [inRoot('tests', 'faults', 'dist', 'egress-checker.main.js'), '--attempts', attempts, '--arrivals', arrivals],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error ? Number((error as { code?: unknown }).code) : 0;
        if (code > 1 || stdout.trim() === '') reject(new CommandFailed(`The judge could not judge: ${stderr.trim() || error?.message}`));
        else resolve({ counts: JSON.parse(stdout) as Record<string, unknown>, clean: code === 0 });
      },
    );
  });
}
