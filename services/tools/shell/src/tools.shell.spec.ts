import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { engineRole, openPool, openScratchStore, tenantRole, inTenant, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { LocalBus } from '@weft/adapter-local';
import { contextOf, type Command, type Job } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { configureLog } from '@weft/nest-platform';
import { outgoing } from '@weft/pipeline';
import { eventually, startModelServer, type ModelRule, type ModelServer } from '@weft/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JobsConsumer } from './consume/jobs.consumer.js';
import { toolsMigrations } from './migrations/index.js';
import { parseGrants, parseTools } from './registry/files.js';
import { toolsParts, type ToolsPorts } from './tools.module.js';

interface Receipt {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** The outside world: remembers every effect by its key, and can lose answers. */
interface Outside {
  readonly url: string;
  readonly receipts: Receipt[];
  /** What happens to the next effects, in order; afterwards they are answered. */
  readonly plan: ('answer' | 'cut' | 'hang' | { readonly status: number; readonly headers?: Record<string, string> })[];
  hook: 'tells' | 'silent';
  close(): Promise<void>;
}

async function startOutside(): Promise<Outside> {
  const receipts: Receipt[] = [];
  const plan: Outside['plan'] = [];
  const done = new Map<string, number>();
  const hanging: ServerResponse[] = [];
  const server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const path = request.url ?? '';
      const json = (status: number, value: Json, headers: Record<string, string> = {}): void =>
        void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
      if (path.startsWith('/done/')) {
        if (outside.hook === 'silent') return json(500, {});
        const receipt = done.get(decodeURIComponent(path.slice('/done/'.length)));
        return json(200, receipt === undefined ? { happened: false } : { happened: true, answer: { receipt } });
      }
      receipts.push({ method: request.method ?? '', path, headers: request.headers, body });
      const next = plan.shift() ?? 'answer';
      if (typeof next === 'object') return json(next.status, { error: 'planned' }, next.headers);
      const receipt = receipts.length;
      done.set(String(request.headers['idempotency-key']), receipt);
      if (next === 'cut') return void request.socket.destroy();
      if (next === 'hang') return void hanging.push(response);
      json(200, { receipt });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const outside: Outside = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    receipts,
    plan,
    hook: 'tells',
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return outside;
}

const SETTINGS = {
  WEFT_TRUSTED_LABELS: [] as string[],
  WEFT_TOOLS_CONCURRENCY: 8,
  WEFT_MODEL_TIMEOUT_MS: 500,
  WEFT_MODEL_STALL_MS: 500,
  WEFT_CALL_TIMEOUT_MS: 500,
  WEFT_BUDGET_LEASE_MS: 5_000,
  WEFT_EGRESS_ALLOW: [] as string[],
  WEFT_AGENT_TIMEOUT_MS: 1_000,
  WEFT_SUBSCRIPTION_TIMEOUT_MS: 1_000,
  WEFT_SCRIPT_TIMEOUT_MS: 1_000,
  WEFT_PROCESS_TIMEOUT_MS: 1_000,
  WEFT_SANDBOX_PROCESSES: 2,
  WEFT_EGRESS_PRIVATE: [],
  WEFT_EGRESS_NAT64: [],
  WEFT_EGRESS_DNS: [],
};

const toolsYaml = (url: string, closed: string): string => `
tools:
  - {name: echo, description: Answers., kind: static, effect: read, input: {type: object, properties: {n: {type: integer}}, additionalProperties: false}, answer: {ok: true}}
  - name: lookup
    description: Reads.
    kind: http
    effect: read
    input: {type: object}
    timeoutMs: 300
    http: {method: GET, url: "${url}/lookup/{id}", headers: {x-key: {secret: LOOKUP, prefix: "Bearer "}}}
  - name: upsert
    description: Writes the same.
    kind: http
    effect: idempotent-write
    input: {type: object}
    timeoutMs: 300
    http: {method: PUT, url: "${url}/items"}
  - name: send
    description: Sends once.
    kind: http
    effect: non-idempotent-write
    input: {type: object, required: [to]}
    output: {type: object, required: [receipt]}
    timeoutMs: 300
    http: {method: POST, url: "${url}/send"}
    reconcile: {url: "${url}/done/{key}", happened: .happened, output: .answer}
  - name: send-blind
    description: Sends once, and nobody can tell.
    kind: http
    effect: non-idempotent-write
    input: {type: object}
    timeoutMs: 300
    http: {method: POST, url: "${url}/send"}
  - name: unreachable
    description: Nobody listens.
    kind: http
    effect: non-idempotent-write
    input: {type: object}
    timeoutMs: 300
    http: {method: POST, url: "${closed}/send"}
`;
const GRANTS = `
grants:
  - {tenant: default, workflow: acme/*, tools: ["*"], kinds: [http, infer]}
  - {tenant: other, workflow: acme/x, tools: [echo]}
`;

let store: ScratchStore;
let pool: Pool;
let tenantPool: Pool;
let outside: Outside;
let ports: ToolsPorts;
let number = 0;
const aborts: AbortController[] = [];

beforeAll(async () => {
  configureLog({ write: () => undefined });
  store = await openScratchStore([toolsMigrations]);
  pool = openPool(store.address, { role: engineRole('tools'), applicationName: 'tools spec' });
  tenantPool = openPool(store.address, { role: tenantRole('tools'), applicationName: 'tools spec tenant' });
});
afterAll(async () => {
  await Promise.all([pool.end(), tenantPool.end()]);
  await store.close();
});
beforeEach(async () => {
  outside = await startOutside();
  ports = {
    enginePool: pool,
    tenantPool,
    bus: new LocalBus(),
    tools: parseTools(toolsYaml(outside.url, 'http://127.0.0.1:1'), 'spec'),
    grants: parseGrants(GRANTS, 'spec'),
    secrets: (name) => (name === 'LOOKUP' ? 'hush' : undefined),
    settings: SETTINGS,
  };
});
afterEach(async () => {
  for (const abort of aborts.splice(0)) abort.abort();
  await outside.close();
});

/** One process of tools. */
function startTools(more: Partial<ToolsPorts> = {}) {
  const abort = new AbortController();
  aborts.push(abort);
  return { ...toolsParts({ ...ports, ...more }, abort.signal), abort };
}

function jobOf(tool: string, args: Json = { to: 'ada' }, more: Partial<Job> = {}): Job {
  const executionId = `01890000-0000-7000-8000-${String(++number).padStart(12, '0')}`;
  const id = `${executionId}/do/0/${tool}`;
  return {
    id,
    executionId,
    context: contextOf({ tenant: 'default', executionId, jobId: id, attempt: 1 }),
    kind: 'tool',
    generation: 0,
    idempotencyKey: `default/${id}/0`,
    pointer: `/do/0/${tool}`,
    iteration: '',
    inputJson: JSON.stringify({ name: tool, arguments: args }),
    models: [],
    settlement: undefined,
    workflow: 'acme/x:1.0.0',
    approvals: [],
    agent: '',
    ...more,
  };
}

const carry = async (tools: ReturnType<typeof startTools>, job: Job): Promise<Command> => (await tools.worker.carry(job)) ?? expect.unreachable('a job came to nothing');
const outputOf = (command: Command): Json => (command.completeJob ? (JSON.parse(command.completeJob.outputJson) as Json) : expect.unreachable(JSON.stringify(command.failJob)));
const stateOf = async (job: Job) =>
  (await pool.query<{ state: string; attempts: number; sequence: number }>('select state, attempts, sequence from tools.effects where key = $1', [job.idempotencyKey])).rows[0];

describe('static tools', () => {
  it('answer without asking anybody, and without a ledger row', async () => {
    const job = jobOf('echo', { n: 1 });
    const tools = startTools();
    await tools.switches.refresh();
    const command = tools.worker.carry(job) as Command;
    expect(command).toMatchObject({ id: `${job.id}/0/completed`, executionId: job.executionId, context: job.context, completeJob: { jobId: job.id, outputJson: '{"ok":true}' } });
    expect(await stateOf(job)).toBeUndefined();
  });

  it('stream back in one batch, and what takes longer comes after', async () => {
    const tools = startTools();
    const batches: number[] = [];
    for await (const { commands } of tools.worker.carryOut({ jobs: [jobOf('echo', {}), jobOf('lookup', { id: 1 }), jobOf('echo', {})] }, contextOf({ tenant: '' }))) batches.push(commands.length);
    expect(batches).toEqual([2, 1]);
  });
});

describe('refusals leave nothing behind', () => {
  it.each([
    ['no grant', () => jobOf('upsert', {}, { workflow: 'evil/x:1' }), 'denied'],
    ['a tool that is not declared', () => jobOf('nothing'), 'not-configured'],
    ['arguments that miss the schema', () => jobOf('send', {}), 'input-invalid'],
    ['a kind of somebody else', () => jobOf('echo', {}, { kind: 'recall' }), 'not-configured'],
    ['a key of another tenant', () => jobOf('upsert', {}, { idempotencyKey: 'other/x/0' }), 'message-invalid'],
    ['an address that is not listed', () => jobOf('', {}, { kind: 'http', inputJson: JSON.stringify({ method: 'GET', endpoint: outside.url }) }), 'denied'],
  ])('%s', async (_what, make, code) => {
    const job = make();
    const command = await carry(startTools(), job);
    expect(command.failJob).toMatchObject({ outcome: 'none', needsPerson: false, failure: { code, retryable: false } });
    expect(outside.receipts).toEqual([]);
    expect(await stateOf(job)).toBeUndefined();
  });
});

describe('reads', () => {
  it('carry identity, secrets and nothing of the ledger', async () => {
    const job = jobOf('lookup', { id: 'a b' });
    expect(outputOf(await carry(startTools(), job))).toEqual({ receipt: 1 });
    expect(outside.receipts[0]).toMatchObject({
      path: '/lookup/a%20b',
      headers: { 'idempotency-key': job.idempotencyKey, 'weft-execution': job.executionId, 'weft-task': job.pointer, 'weft-iteration': '', 'x-key': 'Bearer hush' },
    });
    expect(await stateOf(job)).toBeUndefined();
  });

  it('fail with outcome none, and say how long to wait', async () => {
    outside.plan.push({ status: 429, headers: { 'retry-after': '2' } });
    expect((await carry(startTools(), jobOf('lookup', { id: 1 }))).failJob).toMatchObject({
      outcome: 'none',
      failure: { code: 'http-status', retryable: true, retryAfterMs: 2000 },
      taint: ['tool:lookup'],
    });
  });

  it('may be sent by `call: http` to what the operator lists', async () => {
    const tools = startTools({ settings: { ...SETTINGS, WEFT_EGRESS_ALLOW: [outside.url] } });
    const job = jobOf('', {}, { kind: 'http', inputJson: JSON.stringify({ method: 'GET', endpoint: `${outside.url}/x`, query: { a: 1 }, output: 'response' }) });
    expect(outputOf(await carry(tools, job))).toMatchObject({ statusCode: 200, content: { receipt: 1 } });
    expect(outside.receipts[0]?.path).toBe('/x?a=1');
  });
});

describe('writes', () => {
  it('are recorded before and after, with a commit row for each batch', async () => {
    const job = jobOf('send');
    const command = await carry(startTools(), job);
    expect(outputOf(command)).toEqual({ receipt: 1 });
    expect(command.completeJob).toMatchObject({ taint: ['tool:send'], evidenceJson: expect.stringContaining('"by":"answer"') });
    expect(await stateOf(job)).toEqual({ state: 'confirmed', attempts: 1, sequence: 1 });
    const { rows } = await pool.query<{ members: string; digests: Buffer }>('select members, digests from tools.commits where members like $1 order by recorded_at', [`%${job.id}%`]);
    expect(rows.map(({ members }) => JSON.parse(members))).toEqual([[[job.idempotencyKey, 0]], [[job.idempotencyKey, 1]]]);
    expect(rows.every(({ digests }) => digests.length === 32)).toBe(true);
  });

  it('are answered from the ledger when the job comes again, also to another process', async () => {
    const job = jobOf('send');
    await carry(startTools(), job);
    const again = await carry(startTools(), job);
    expect(outputOf(again)).toEqual({ receipt: 1 });
    expect(JSON.parse(again.completeJob!.evidenceJson)).toMatchObject({ sent: 0, attempts: 1 });
    expect(outside.receipts).toHaveLength(1);
  });

  it('are done once when the same job comes many times at once', async () => {
    const [job, first, second] = [jobOf('upsert'), startTools(), startTools()];
    const commands = await Promise.all([first, first, second, second].map((tools) => carry(tools, job)));
    expect(commands.map(outputOf)).toEqual(Array(4).fill({ receipt: 1 }));
    expect(outside.receipts).toHaveLength(1);
  });

  it('share statements: many effects, few commits', async () => {
    const tools = startTools({ settings: { ...SETTINGS, WEFT_TOOLS_CONCURRENCY: 256 } });
    const before = Number((await pool.query<{ n: string }>('select count(*) as n from tools.commits')).rows[0]?.n);
    await Promise.all(Array.from({ length: 256 }, () => carry(tools, jobOf('upsert'))));
    const after = Number((await pool.query<{ n: string }>('select count(*) as n from tools.commits')).rows[0]?.n);
    // 512 decisions: each effect is recorded before and after.
    expect(after - before).toBeLessThan(256);
  });

  it('that are idempotent are sent again under the same key after a lost answer', async () => {
    outside.plan.push('cut', 'cut');
    const job = jobOf('upsert');
    expect(outputOf(await carry(startTools(), job))).toEqual({ receipt: 3 });
    expect(new Set(outside.receipts.map(({ headers }) => headers['idempotency-key']))).toEqual(new Set([job.idempotencyKey]));
  });

  it('that are idempotent and never answer end as unknown, for the workflow to try again under the same key', async () => {
    outside.plan.push('cut', 'cut', 'cut');
    const job = jobOf('upsert');
    expect((await carry(startTools(), job)).failJob).toMatchObject({ outcome: 'unknown', needsPerson: false, failure: { code: 'effect-unknown', retryable: true } });
    expect(outputOf(await carry(startTools(), job))).toEqual({ receipt: 4 });
  });

  it('that are not idempotent are never sent again: the hook tells that it happened', async () => {
    outside.plan.push('cut');
    const job = jobOf('send');
    expect(outputOf(await carry(startTools(), job))).toEqual({ receipt: 1 });
    expect(outside.receipts).toHaveLength(1);
    expect(await stateOf(job)).toMatchObject({ state: 'confirmed', attempts: 1 });
  });

  it('that are not idempotent fail when the hook tells that it did not happen', async () => {
    outside.plan.push({ status: 500 });
    const job = jobOf('send');
    expect((await carry(startTools(), job)).failJob).toMatchObject({ outcome: 'failed', failure: { code: 'effect-failed', retryable: true } });
    expect(outside.receipts).toHaveLength(1);
  });

  it('that nobody can tell about go to a person, whose word settles the ledger', async () => {
    outside.plan.push('hang');
    const job = jobOf('send-blind');
    const tools = startTools();
    expect((await carry(tools, job)).failJob).toMatchObject({ outcome: 'unknown', needsPerson: true });
    expect((await carry(tools, job)).failJob).toMatchObject({ needsPerson: true });
    expect(outputOf(await carry(tools, { ...job, settlement: { happened: true, outputJson: '{"by":"hand"}', decidedBy: 'ada' } }))).toEqual({ by: 'hand' });
    expect(outputOf(await carry(startTools(), job))).toEqual({ by: 'hand' });
    expect(outside.receipts).toHaveLength(1);
  });

  it.each([
    [true, { completeJob: { outputJson: '{"by":"hand"}' } }, 'confirmed'],
    [false, { failJob: { outcome: 'failed', failure: { code: 'effect-failed' } } }, 'failed'],
  ])('that the ledger has lost are settled by a person (happened: %s) without being sent', async (happened, reported, state) => {
    for (const tool of ['send-blind', 'upsert']) {
      const job = jobOf(tool, { to: 'ada' }, { settlement: { happened, outputJson: '{"by":"hand"}', decidedBy: 'ada' } });
      expect(await carry(startTools(), job)).toMatchObject(reported);
      expect(await stateOf(job)).toMatchObject({ state });
    }
    expect(outside.receipts).toEqual([]);
  });

  it('that a person says did not happen have failed: the next generation may do them', async () => {
    outside.plan.push({ status: 500 });
    const [job, tools] = [jobOf('send-blind'), startTools()];
    expect((await carry(tools, job)).failJob).toMatchObject({ needsPerson: true });
    expect((await carry(tools, { ...job, settlement: { happened: false, outputJson: 'null', decidedBy: 'ada' } })).failJob).toMatchObject({ outcome: 'failed', needsPerson: false });
    expect(outputOf(await carry(tools, { ...job, generation: 1, idempotencyKey: `default/${job.id}/1` }))).toEqual({ receipt: 2 });
  });

  it('do not happen when the deadline of the execution has passed', async () => {
    const job = jobOf('send');
    const late = { ...job, context: contextOf({ ...job.context!, deadlineMs: Date.now() - 1 }) };
    expect((await carry(startTools(), late)).failJob).toMatchObject({ outcome: 'failed', failure: { code: 'timeout' } });
    expect(outside.receipts).toEqual([]);
  });

  it('that were refused before sending are known to have failed', async () => {
    const job = jobOf('unreachable');
    expect((await carry(startTools(), job)).failJob).toMatchObject({ outcome: 'failed', failure: { code: 'unreachable', retryable: true } });
    expect(await stateOf(job)).toMatchObject({ state: 'failed' });
  });

  it('whose answer misses the output schema stay confirmed: the failure is the answer', async () => {
    ports = { ...ports, tools: ports.tools.map((tool) => (tool.name === 'send' ? { ...tool, output: { type: 'object', required: ['missing'] } } : tool)) };
    const job = jobOf('send');
    expect((await carry(startTools(), job)).failJob).toMatchObject({ outcome: 'none', failure: { code: 'output-invalid' } });
    expect(await stateOf(job)).toMatchObject({ state: 'confirmed' });
    expect((await carry(startTools(), job)).failJob).toMatchObject({ failure: { code: 'output-invalid' } });
    expect(outside.receipts).toHaveLength(1);
  });
});

describe('a ledger that refuses a row for what it is', () => {
  const refusing = async (condition: string, run: () => Promise<void>): Promise<void> => {
    const admin = openPool(store.address, { applicationName: 'tools spec admin' });
    await admin.query(`alter table tools.effects add constraint refusing check (${condition}) not valid`);
    try {
      await run();
    } finally {
      await admin.query('alter table tools.effects drop constraint refusing');
    }
    await admin.end();
  };

  it('fails the job as internal, with outcome none when nothing was sent', async () => {
    await refusing("state <> 'dispatched'", async () => {
      expect((await carry(startTools(), jobOf('upsert'))).failJob).toMatchObject({ outcome: 'none', needsPerson: false, failure: { code: 'internal', retryable: false } });
    });
    expect(outside.receipts).toEqual([]);
  });

  it.each([
    ['upsert', false],
    ['send', true],
  ])('fails the job as unknown once it was sent: %s needs a person: %s', async (tool, needsPerson) => {
    await refusing("state <> 'confirmed'", async () => {
      expect((await carry(startTools(), jobOf(tool))).failJob).toMatchObject({ outcome: 'unknown', needsPerson, failure: { code: 'internal' } });
    });
    expect(outside.receipts).toHaveLength(1);
  });
});

describe('draining', () => {
  it('ends when the results of what was under way have been taken, and begins nothing more', async () => {
    const [tools, taken]: [ReturnType<typeof startTools>, Command[]] = [startTools(), []];
    await tools.switches.refresh();
    const reading = (async () => {
      for await (const { commands } of tools.worker.carryOut({ jobs: [jobOf('lookup', { id: 1 })] }, contextOf({ tenant: '' }))) taken.push(...commands);
    })();
    await tools.worker.drain();
    expect(taken).toHaveLength(1);
    expect(tools.worker.carry(jobOf('echo', {}))).toBeUndefined();
    await reading;
  });
});

describe('a process that dies between dispatch and outcome', () => {
  /** Begins a job in a process that never gets to hear of it again. */
  async function abandoned(job: Job): Promise<void> {
    outside.plan.push('hang');
    const dead = startTools();
    void dead.worker.carry(job);
    await eventually(() => outside.receipts.length === 1);
    // What a kill leaves: the dispatch is recorded, nothing after it ever is.
    await dead.ledger.stop();
  }

  it('leaves a non-idempotent write to the hook, once its deadline has passed', async () => {
    const job = jobOf('send');
    await abandoned(job);
    const startedAt = performance.now();
    expect(outputOf(await carry(startTools(), job))).toEqual({ receipt: 1 });
    expect(performance.now() - startedAt).toBeGreaterThan(1_000);
    expect(outside.receipts).toHaveLength(1);
  });

  it('leaves an idempotent write to be sent again under the same key', async () => {
    const job = jobOf('upsert');
    await abandoned(job);
    expect(outputOf(await carry(startTools(), job))).toEqual({ receipt: 2 });
    expect(outside.receipts.map(({ headers }) => headers['idempotency-key'])).toEqual([job.idempotencyKey, job.idempotencyKey]);
  });

  it('who only waits leaves at once when the process goes', async () => {
    const job = jobOf('send');
    await abandoned(job);
    const tools = startTools();
    const carried = tools.worker.carry(job);
    await new Promise((resolve) => setTimeout(resolve, 100));
    tools.abort.abort();
    expect(await carried).toBeUndefined();
  });
});

describe('tenants', () => {
  it('see their own effects alone', async () => {
    const job = jobOf('upsert');
    await carry(startTools(), job);
    const seen = (tenant: string) => inTenant(tenantPool, tenant, async (query) => (await query('select key from tools.effects where key = $1', [job.idempotencyKey])).length);
    expect([await seen('default'), await seen('other')]).toEqual([1, 0]);
  });
});

describe('infer', () => {
  const SCHEMA = { type: 'object', properties: { category: { enum: ['billing', 'other'] } }, required: ['category'], additionalProperties: false };
  const models: ModelServer[] = [];
  afterEach(async () => {
    for (const server of models.splice(0)) await server.close();
  });

  async function infer(rules: ModelRule[], names: readonly string[], args: Json = { instructions: 'Classify.', prompt: { text: 'too late' }, schema: SCHEMA }) {
    const server = await startModelServer({ script: { rules } });
    models.push(server);
    const tools = startTools({ settings: { ...SETTINGS, WEFT_EGRESS_ALLOW: [server.url] } });
    const candidates = names.map((model) => ({ id: `cat/${model}`, endpoint: `${server.url}/v1`, model, keySecret: '', reason: '', simulated: true }));
    return { server, command: await carry(tools, jobOf('', {}, { kind: 'infer', inputJson: JSON.stringify(args), models: candidates })) };
  }

  it('gives structured output, with evidence of who answered', async () => {
    const { command, server } = await infer([{ answer: { json: { category: 'billing' } } }], ['small']);
    expect(outputOf(command)).toEqual({ category: 'billing' });
    expect(JSON.parse(command.completeJob!.evidenceJson)).toMatchObject({ candidate: 'cat/small', model: 'small', simulated: true, endpoint: new URL(server.url).host, rejected: [] });
    expect(JSON.parse(command.completeJob!.evidenceJson).usage.inputTokens).toBeGreaterThan(0);
    expect(command.completeJob?.taint).toEqual(['model:cat/small']);
  });

  it('gives text without a schema', async () => {
    expect(outputOf((await infer([{ answer: { content: 'Dear Ada' } }], ['small'], { prompt: 'write' })).command)).toBe('Dear Ada');
  });

  it('goes on to the next candidate and records why', async () => {
    const { command, server } = await infer(
      [
        { model: 'limited', fault: { status: 429, retryAfterSeconds: 3 } },
        { model: 'broken', fault: { status: 500 } },
        { model: 'garbled', fault: { badJson: true } },
        { model: 'chatty', answer: { content: 'I think it is billing.' } },
        { model: 'wrong', answer: { json: { category: 'weather' } } },
        { model: 'slow', fault: { hang: true } },
        { model: 'cut', fault: { closeAfterBytes: 20 } },
        { model: 'good', answer: { json: { category: 'other' } } },
      ],
      ['limited', 'broken', 'garbled', 'chatty', 'wrong', 'slow', 'cut', 'good'],
    );
    expect(outputOf(command)).toEqual({ category: 'other' });
    const { rejected } = JSON.parse(command.completeJob!.evidenceJson) as { rejected: { candidate: string; reason: string }[] };
    expect(rejected.map(({ candidate, reason }) => `${candidate}: ${reason.split(/[:,]/)[0]}`)).toEqual([
      'cat/limited: HTTP 429',
      'cat/broken: HTTP 500',
      'cat/garbled: no JSON',
      'cat/chatty: no JSON',
      'cat/wrong: the answer misses the schema',
      'cat/slow: no answer within 500 ms',
      'cat/cut: not reachable',
    ]);
    // Each candidate is asked once: the next one is the retry.
    expect(server.requests()).toHaveLength(8);
  });

  it('fails with every reason when no candidate answers', async () => {
    const { command } = await infer([{ fault: { status: 429, retryAfterSeconds: 3 } }], ['a', 'b']);
    expect(command.failJob).toMatchObject({ outcome: 'none', failure: { code: 'model-unavailable', retryable: true, retryAfterMs: 3000, message: expect.stringMatching(/cat\/a .*cat\/b /) } });
  });

  it('never sends to a private address that is not listed, nor without its key', async () => {
    const job = jobOf(
      '',
      {},
      {
        kind: 'infer',
        inputJson: '{"prompt":"x"}',
        models: ['http://127.0.0.1:9/v1', 'https://127.0.0.1:9/v1', 'http://169.254.169.254/v1']
          .map((endpoint, index) => ({ id: `m${index}`, endpoint, model: 'x', keySecret: '', reason: '', simulated: false }))
          .concat([{ id: 'keyless', endpoint: 'https://example.invalid/v1', model: 'x', keySecret: 'NO_SUCH', reason: '', simulated: false }]),
      },
    );
    const { failJob } = await carry(startTools(), job);
    expect(failJob?.failure?.message.match(/not configured/g)).toHaveLength(4);
  });
});

describe('weft.jobs', () => {
  it('is answered on weft.commands, and what is no job is set aside', async () => {
    const bus = new LocalBus();
    const { worker } = startTools({ bus });
    const consumer = new JobsConsumer(worker, bus);
    const commands: string[] = [];
    const dead: string[] = [];
    await bus.subscribe({ topic: 'weft.jobs', group: 'tools', handle: (batch) => consumer.handle(batch) });
    await bus.subscribe({ topic: 'weft.commands', group: 'spec', handle: async (batch) => batch.forEach((delivery) => delivery.ok && commands.push(delivery.envelope.id)) });
    await bus.subscribe({ topic: 'weft.jobs.dead', group: 'spec', handle: async (batch) => batch.forEach((delivery) => delivery.ok && dead.push(delivery.envelope.subject ?? '')) });
    const job = jobOf('echo', {});
    const message = (body: Job) =>
      outgoing('jobs', { id: `${body.id}/0/1`, source: '/weft/orchestration', type: 'ai.weft.job.tool.v1', key: body.executionId, context: contextOf({ tenant: 'default' }), body });
    await bus.publish([message(job), message({ ...job, id: '' }), message({ ...job, kind: 'recall' })]);
    await eventually(() => commands.length === 1 && dead.length === 1);
    expect([commands, dead]).toEqual([[`${job.id}/0/completed`], ['message-invalid']]);
    await bus.close();
  });

  it('holds up nobody behind a slow job, where the bus forgets with its process', async () => {
    const slow = await startModelServer({ script: { rules: [{ delayMs: 60_000 }] } });
    const bus = new LocalBus();
    const { worker } = startTools({ bus, settings: { ...SETTINGS, WEFT_EGRESS_ALLOW: [slow.url] } });
    const consumer = new JobsConsumer(worker, bus, { isVolatile: true });
    const commands: string[] = [];
    await bus.subscribe({ topic: 'weft.jobs', group: 'tools', handle: (batch) => consumer.handle(batch) });
    await bus.subscribe({ topic: 'weft.commands', group: 'spec', handle: async (batch) => batch.forEach((delivery) => delivery.ok && commands.push(delivery.envelope.id)) });
    const message = (body: Job) =>
      outgoing('jobs', { id: `${body.id}/0/1`, source: '/weft/orchestration', type: 'ai.weft.job.tool.v1', key: body.executionId, context: contextOf({ tenant: 'default' }), body });
    const models = [{ id: 'slow', endpoint: `${slow.url}/v1`, model: 'slow', keySecret: '', reason: '', simulated: true }];
    await bus.publish([message(jobOf('', {}, { kind: 'infer', inputJson: '{"prompt":"x"}', models }))]);
    await eventually(() => slow.requests().length === 1);
    const quick = jobOf('echo', {});
    await bus.publish([message(quick)]);
    await eventually(() => commands.length === 1);
    expect(commands).toEqual([`${quick.id}/0/completed`]);
    await slow.close();
    await consumer.drain();
    await bus.close();
  });
});
