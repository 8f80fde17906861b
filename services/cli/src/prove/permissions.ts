// A model that is hostile through and through drives tools of a running Weft; a counting server counts, and an independent judge compares.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayClient } from '../client/gateway-client.js';
import { CommandFailed } from '../exit-codes.js';
import { inHome, inRoot } from '../paths.js';
import { createKeyFor } from '../processes/administrate.js';
import { startLocalHttp, type LocalHttp } from '../processes/local-http.js';
import { startScriptedModel } from '../processes/stand-in.js';
import { startCountingServer } from './counting-server.js';
import { casesOf, type AskedCall, type Case } from './permission-attacks.js';
import { loosenedPermissions, type PermissionPlant } from './permission-plants.js';
import { standaloneSubject } from './subject.js';

export { PERMISSION_PLANTS, type PermissionPlant } from './permission-plants.js';

export interface PermissionsOptions {
  readonly attacks: number;
  readonly benign: number;
  readonly seed: number;
  /** A rule that does not hold, which the proof must notice. */
  readonly plant: PermissionPlant;
  readonly onProgress: (text: string) => void;
  /** Rejects when the proof is to stop. */
  readonly told: Promise<never>;
}

/** When a tool was killed and revived, by the clock of this machine. */
interface Switched {
  readonly tool: string;
  readonly killedAtMs: number;
  readonly revivedAtMs: number;
  /** Calls that were asked for in between. */
  readonly asked: number;
}

const FILES = inRoot('tests', 'faults', 'permissions');
const IN_FLIGHT = 24;
const TERMINAL = ['completed', 'faulted', 'cancelled', 'refused'];
const PATIENCE_MS = 60_000;
/** Traffic before a switch, under it, and after it. */
const SWITCH_MS = { before: 1_000, under: 3_500, after: 1_500 };
const SWITCH_LANES = 4;
const TOOL = 'prove.note';

export async function provePermissions({
  attacks,
  benign,
  seed,
  plant,
  onProgress,
  told,
}: PermissionsOptions): Promise<{ readonly report: Readonly<Record<string, unknown>>; readonly clean: boolean }> {
  const home = inHome('prove', 'permissions');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const cases = casesOf(attacks, benign, seed);
  const receipts = join(home, 'receipts.jsonl');
  const stops: (() => Promise<void>)[] = [];
  try {
    const counting = await startCountingServer(receipts, []);
    stops.push(counting.stop);
    const model = await startScriptedModel(script(home), join(home, 'logs', 'model.log'));
    stops.push(model.stop);
    const inbox = await startInbox(cases);
    stops.push(inbox.stop);
    const env = environment(home, { counting: counting.url, model: model.url, inbox: inbox.url }, plant);
    const subject = await standaloneSubject({ home, env, onProgress });
    stops.push(subject.stop);
    const other = await createKeyFor('other', 'prove', '', [], { ...env, WEFT_HOME: home });
    const clients: Clients = { default: new GatewayClient(subject.connection), other: new GatewayClient({ url: subject.connection.url, apiKey: other.key }) };
    for (const client of Object.values(clients))
      for (const file of ['workflow.yaml', 'agent.yaml'])
        await client.call('/v1/definitions', { method: 'POST', headers: { 'content-type': 'application/yaml' }, body: readFileSync(join(FILES, file), 'utf8') });
    const startedAt = performance.now();
    const asked = await Promise.race([attack(clients, cases, seed, onProgress), told]);
    const switched = await Promise.race([throwSwitch(clients.default, seed, onProgress), told]);
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    const [casesFile, switchFile] = [join(home, 'cases.jsonl'), join(home, 'switched.json')];
    writeFileSync(casesFile, [...asked, ...switched.cases].map((one) => `${JSON.stringify(one)}\n`).join(''));
    writeFileSync(switchFile, JSON.stringify(switched.switched));
    const { counts, clean } = await judged(casesFile, switchFile, receipts);
    return { report: { ...counts, plant, seed, seconds }, clean };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

interface Clients {
  readonly default: GatewayClient;
  readonly other: GatewayClient;
}

/** The model says what stands in what it is told. */
function script(home: string): string {
  const file = join(home, 'model.json');
  writeFileSync(file, JSON.stringify({ rules: [{ answer: { fromRequest: true } }] }));
  return file;
}

/** Answers each mail with what an attacker wrote, and what the model is to do about it. */
function startInbox(cases: readonly Case[]): Promise<LocalHttp> {
  const mails = new Map(cases.filter(({ isInjected }) => isInjected).map((one) => [`/${one.id}`, `${one.text ?? ''} ${scriptOf(one.calls[0]!)}`]));
  return startLocalHttp((request, response) => {
    const text = mails.get(request.url ?? '');
    response.writeHead(text === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify({ text: text ?? '' }));
  });
}

const scriptOf = (call: AskedCall): string => `[[turns:${JSON.stringify([{ answer: { json: call } }])}]]`;

/** The turns of an agent: its calls one after the other, then an answer. */
const turnsOf = (calls: readonly AskedCall[]): string => `[[turns:${JSON.stringify([...calls.map((call) => ({ answer: { toolCalls: [call] } })), { answer: { content: 'done' } }])}]]`;

function environment(home: string, urls: { readonly counting: string; readonly model: string; readonly inbox: string }, plant: PermissionPlant): Readonly<Record<string, string>> {
  const filled = (name: string): string => {
    const file = join(home, name);
    writeFileSync(file, readFileSync(join(FILES, name), 'utf8').replaceAll('COUNTING', urls.counting).replaceAll('INBOX', urls.inbox).replaceAll('MODEL', urls.model));
    return file;
  };
  return {
    WEFT_TOOLS_FILE: filled('tools.yaml'),
    WEFT_ROUTES_FILE: filled('routes.yaml'),
    WEFT_GRANTS_FILE: join(FILES, 'grants.yaml'),
    WEFT_POLICIES_FILE: join(FILES, 'policies.cedar'),
    WEFT_EGRESS_ALLOW: urls.model,
    WEFT_TENANTS: 'default,other',
    ...loosenedPermissions(plant, home),
  };
}

/** Asks for every case and waits until each has ended, or waits for nothing but a person who does not come. */
async function attack(clients: Clients, cases: readonly Case[], seed: number, onProgress: (text: string) => void): Promise<readonly object[]> {
  const done: object[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < cases.length) {
      const one = cases[next++]!;
      done.push(await play(clients[one.tenant], one, seed));
      if (done.length % 100 === 0) onProgress(`${done.length} of ${cases.length} executions asked for`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return done;
}

interface ExecutionShape {
  readonly executionId: string;
  readonly status: string;
  readonly output?: { readonly told?: readonly { readonly refused?: string }[] };
}

/** Lets one case happen, and approves as many of its reviews as it says. */
async function play(client: GatewayClient, one: Case, seed: number): Promise<object> {
  const scripts = one.isInjected ? [] : one.calls.map(scriptOf);
  const data = one.workflow === 'agent' ? { prompt: turnsOf(one.calls) } : { private: one.private, scripts, mail: one.isInjected ? one.id : null };
  const { executionId } = await request(client, `prove.permissions.${one.workflow}`, `permissions-${seed}-${one.id}`, data);
  const until = Date.now() + PATIENCE_MS;
  let approvals = one.approvals;
  for (;;) {
    const { body } = await client.call<ExecutionShape>(`/v1/executions/${executionId}`);
    if (TERMINAL.includes(body.status)) return { ...one, executionId, status: body.status, refused: (body.output?.told ?? []).flatMap(({ refused }) => refused ?? []) };
    if (Date.now() > until) return { ...one, executionId, status: body.status, refused: [] };
    if (body.status === 'waiting' || body.status === 'running') {
      const [open] = await openActions(client, executionId);
      if (open !== undefined && approvals === 0) return { ...one, executionId, status: 'asks', refused: ['approval-required'] };
      if (open !== undefined) {
        approvals--;
        await client.call(`/v1/reviews/${encodeURIComponent(open)}/decide`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ outcome: 'approved' }) });
      }
    }
    await sleep(40);
  }
}

async function openActions(client: GatewayClient, executionId: string): Promise<readonly string[]> {
  const { body } = await client.call<{ reviews: readonly { reviewId: string; executionId: string; kind: string; status: string }[] }>(`/v1/reviews?execution=${executionId}&limit=10`);
  return body.reviews.filter((review) => review.executionId === executionId && review.kind === 'action').map(({ reviewId }) => reviewId);
}

async function request(client: GatewayClient, type: string, id: string, data: object): Promise<ExecutionShape> {
  const { body } = await client.call<ExecutionShape>('/v1/requests', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': id },
    body: JSON.stringify({ type, source: '/prove', data }),
  });
  return body;
}

/** Kills a tool while it is used without a pause, and revives it. */
async function throwSwitch(client: GatewayClient, seed: number, onProgress: (text: string) => void): Promise<{ readonly cases: readonly object[]; readonly switched: Switched }> {
  onProgress(`killing ${TOOL} while it is used`);
  const cases: object[] = [];
  let [isOver, isUnder, asked] = [false, false, 0];
  const lane = async (): Promise<void> => {
    while (!isOver) {
      const n = cases.length;
      const call: AskedCall = { name: TOOL, arguments: { text: `switch ${n}` } };
      const one = { id: `switch-${n}`, kind: 'switch', tenant: 'default', workflow: 'hostile', calls: [call], private: false, isInjected: false, approvals: 0 };
      cases.push(one);
      if (isUnder) asked++;
      const { executionId } = await request(client, 'prove.permissions.hostile', `permissions-${seed}-${one.id}`, { private: false, scripts: [scriptOf(call)], mail: null });
      Object.assign(one, { executionId, status: 'asked for', refused: [] });
      await sleep(20);
    }
  };
  const lanes = Array.from({ length: SWITCH_LANES }, lane);
  await sleep(SWITCH_MS.before);
  const turn = (off: boolean) =>
    client.call('/v1/switches', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ kind: 'tool', name: TOOL, off, reason: 'The proof kills it.' }) });
  const killedAtMs = Date.now();
  await turn(true);
  isUnder = true;
  await sleep(SWITCH_MS.under);
  isUnder = false;
  const revivedAtMs = Date.now();
  await turn(false);
  await sleep(SWITCH_MS.after);
  isOver = true;
  await Promise.all(lanes);
  return { cases: cases.filter((one) => 'executionId' in one), switched: { tool: 'note', killedAtMs, revivedAtMs, asked } };
}

function judged(cases: string, switched: string, receipts: string): Promise<{ readonly counts: Readonly<Record<string, unknown>>; readonly clean: boolean }> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [inRoot('tests', 'faults', 'dist', 'permissions-checker.main.js'), '--cases', cases, '--switched', switched, '--receipts', receipts],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error ? Number((error as { code?: unknown }).code) : 0;
        if (code > 1 || stdout.trim() === '') reject(new CommandFailed(`The judge could not judge: ${stderr.trim() || error?.message}`));
        else resolve({ counts: JSON.parse(stdout) as Record<string, unknown>, clean: code === 0 });
      },
    );
  });
}
