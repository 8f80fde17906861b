import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LocalBus } from '@weft/adapter-local';
import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { contextOf, type Approval, type Command, type Job } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { configureLog } from '@weft/nest-platform';
import { eventually } from '@weft/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toolsMigrations } from './migrations/index.js';
import { parsePolicies } from './permission/policy-set.js';
import { changeSwitch, type SwitchChange } from './permission/switch.store.js';
import { parseGrants, parseTools } from './registry/files.js';
import { toolsParts, type ToolsPorts } from './tools.module.js';

// Notes every request that reaches it; the paths of `held` are answered when the test says so.
interface Outside {
  readonly url: string;
  readonly seen: string[];
  readonly held: Map<string, ServerResponse>;
  readonly server: Server;
}

async function startOutside(): Promise<Outside> {
  const seen: string[] = [];
  const held = new Map<string, ServerResponse>();
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    request.resume();
    if (request.url?.startsWith('/slow')) held.set(request.url, response);
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{"done":true}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, held, server };
}

const toolsYaml = (url: string): string => `
tools:
  - {name: crm, description: Reads customers., kind: static, effect: read, data: private, input: {type: object}, answer: {name: Ann}}
  - {name: look, description: Looks slowly., kind: http, effect: read, input: {type: object}, http: {method: GET, url: "${url}/slow"}}
  - {name: send, description: Sends., kind: http, effect: non-idempotent-write, timeoutMs: 400, input: {type: object, required: [to]}, http: {method: POST, url: "${url}/send"}}
  - {name: slow-send, description: Sends slowly., kind: http, effect: non-idempotent-write, timeoutMs: 400, input: {type: object}, http: {method: POST, url: "${url}/slow-send"}}
`;
const GRANTS = 'grants:\n  - {tenant: "*", workflow: acme/*, tools: ["*"], kinds: [infer], agents: ["*"]}\n';
const ASK = '@id("always") @ask("Sending wants a person.")\nforbid(principal, action == Weft::Action::"call", resource == Weft::Tool::"send");';

let store: ScratchStore;
let pool: Pool;
let outside: Outside;
let number = 0;
const aborts: AbortController[] = [];

beforeAll(async () => {
  configureLog({ write: () => undefined });
  store = await openScratchStore([toolsMigrations]);
  pool = openPool(store.address, { role: engineRole('tools'), applicationName: 'permission spec' });
});
afterAll(async () => {
  await pool.end();
  await store.close();
});
beforeEach(async () => {
  outside = await startOutside();
});
afterEach(async () => {
  for (const abort of aborts.splice(0)) abort.abort();
  outside.server.closeAllConnections();
  await new Promise((resolve) => outside.server.close(resolve));
  const off = await pool.query<SwitchChange>('select distinct on (tenant, kind, name) tenant, kind, name from tools.switch_changes');
  for (const each of off.rows) await changeSwitch(pool, { ...each, isOff: false, reason: '', by: 'spec' });
});

/** One process of tools. */
function startTools(policies = '', enginePool = pool) {
  const abort = new AbortController();
  aborts.push(abort);
  const ports: ToolsPorts = {
    enginePool,
    tenantPool: enginePool,
    bus: new LocalBus(),
    tools: parseTools(toolsYaml(outside.url), 'spec'),
    grants: parseGrants(GRANTS, 'spec'),
    policies: policies === '' ? [] : parsePolicies(policies, 'spec'),
    secrets: () => undefined,
    settings: {
      WEFT_TRUSTED_LABELS: [],
      WEFT_TOOLS_CONCURRENCY: 8,
      WEFT_MODEL_STALL_MS: 500,
      WEFT_MODEL_TIMEOUT_MS: 500,
      WEFT_CALL_TIMEOUT_MS: 500,
      WEFT_BUDGET_LEASE_MS: 5_000,
      WEFT_EGRESS_ALLOW: [],
      WEFT_AGENT_TIMEOUT_MS: 1_000,
      WEFT_SUBSCRIPTION_TIMEOUT_MS: 1_000,
      WEFT_SCRIPT_TIMEOUT_MS: 1_000,
      WEFT_PROCESS_TIMEOUT_MS: 1_000,
      WEFT_SANDBOX_PROCESSES: 2,
      WEFT_EGRESS_PRIVATE: [],
      WEFT_EGRESS_NAT64: [],
      WEFT_EGRESS_DNS: [],
    },
  };
  return toolsParts(ports, abort.signal);
}

function jobOf(tool: string, args: Json = { to: 'ann' }, more: Partial<Job> = {}): Job {
  const executionId = `01890000-0000-7000-9000-${String(++number).padStart(12, '0')}`;
  const tenant = more.context?.tenant ?? 'default';
  return {
    id: `${executionId}/a`,
    executionId,
    context: contextOf({ tenant, executionId }),
    kind: 'tool',
    generation: 0,
    idempotencyKey: `${tenant}/${executionId}/a/0`,
    pointer: '/do/0/a',
    iteration: '',
    inputJson: JSON.stringify({ name: tool, arguments: args }),
    models: [],
    settlement: undefined,
    workflow: 'acme/x:1',
    approvals: [],
    agent: '',
    attenuation: undefined,
    ...more,
  };
}

const carry = async (tools: ReturnType<typeof startTools>, job: Job): Promise<Command> => (await tools.worker.carry(job)) ?? expect.unreachable('a job came to nothing');
const approvalOf = (command: Command, reviewId: string): Approval => ({
  reviewId,
  digest: command.failJob?.approvalRequest?.digest ?? expect.unreachable(JSON.stringify(command)),
  decidedBy: ['user:ann'],
  decidedAtMs: Date.now(),
  expiresAtMs: Date.now() + 60_000,
});

describe('private data', () => {
  it('is labelled, and what comes after it is asked about when untrusted input was seen too', async () => {
    const tools = startTools();
    const read = await carry(tools, jobOf('crm', {}));
    expect(read.completeJob?.taint).toEqual(['private:tool:crm']);
    const taint = [...(read.completeJob?.taint ?? []), 'request:/web'];
    const asked = await carry(tools, jobOf('send', undefined, { context: contextOf({ tenant: 'default', taint }) }));
    expect(asked.failJob).toMatchObject({ outcome: 'none', failure: { code: 'approval-required' }, approvalRequest: { reasons: [expect.stringContaining('request:/web') as string] } });
    expect(outside.seen).toEqual([]);
  });
});

describe('an approval', () => {
  it('lets exactly its action happen once, and the same job again gets the answer of the ledger', async () => {
    const tools = startTools(ASK);
    const job = jobOf('send');
    const asked = await carry(tools, job);
    expect(JSON.parse(asked.failJob!.approvalRequest!.subjectJson)).toMatchObject({ tool: 'send', arguments: { to: 'ann' }, context: { workflow: 'acme/x:1', pointer: '/do/0/a' } });
    const approvals = [approvalOf(asked, 'r-once')];
    expect((await carry(tools, { ...job, approvals })).completeJob).toBeDefined();
    expect((await carry(tools, { ...job, approvals })).completeJob).toBeDefined();
    expect(outside.seen).toEqual(['POST /send']);
  });

  it('is not taken for another job, nor for changed arguments, and two at once do not both get it', async () => {
    const tools = startTools(ASK);
    const job = jobOf('send');
    const approvals = [approvalOf(await carry(tools, job), 'r-replayed')];
    const rival: Job = { ...job, idempotencyKey: `${job.idempotencyKey}/b`, approvals };
    const outcomes = await Promise.all([carry(tools, { ...job, approvals }), carry(startTools(ASK), rival)]);
    expect(outcomes.filter(({ completeJob }) => completeJob !== undefined)).toHaveLength(1);
    expect((await carry(tools, { ...jobOf('send', { to: 'eve' }), approvals })).failJob?.failure?.code).toBe('approval-required');
    expect(outside.seen).toEqual(['POST /send']);
  });

  it('for a model counts once too', async () => {
    const policies = '@ask("This model is dear.")\nforbid(principal, action == Weft::Action::"infer", resource == Weft::Model::"dear");';
    const tools = startTools(policies);
    const models = [{ id: 'dear', endpoint: 'http://127.0.0.1:1', model: 'm', keySecret: '', reason: '', simulated: true }] as unknown as Job['models'];
    const job = jobOf('', {}, { kind: 'infer', inputJson: JSON.stringify({ prompt: 'hello' }), models });
    const approvals = [approvalOf(await carry(tools, job), 'r-model')];
    expect((await carry(tools, { ...job, approvals })).failJob?.failure?.code).toBe('model-unavailable');
    expect((await carry(tools, { ...job, idempotencyKey: `${job.idempotencyKey}/b`, approvals })).failJob?.failure?.code).toBe('approval-required');
  });

  it('is in the audit log with who gave it', async () => {
    const tools = startTools(ASK);
    const job = jobOf('send');
    await carry(tools, { ...job, approvals: [approvalOf(await carry(tools, job), 'r-logged')] });
    const { rows } = await pool.query<{ structure: string; members: string }>(
      'select a.structure, c.members from tools.approvals_used a join tools.commits c on c.id = a.commit_id where review_id = $1',
      ['r-logged'],
    );
    expect(rows[0]).toMatchObject({ structure: expect.stringContaining('"decidedBy":["user:ann"]') as string, members: '[["default/approval/r-logged", 1]]' });
  });
});

describe('a kill switch', () => {
  const kill = (change: Partial<SwitchChange>): Promise<boolean> => changeSwitch(pool, { kind: 'tool', tenant: 'default', name: 'send', isOff: true, reason: 'Odd.', by: 'user:ann', ...change });

  it.each<[string, Partial<SwitchChange>, Partial<Job>]>([
    ['a tool', {}, {}],
    ['an agent', { kind: 'agent', name: 'triager' }, { agent: 'triager' }],
    ['a workflow', { kind: 'workflow', name: 'acme/x' }, {}],
    ['a tenant', { kind: 'tenant', name: '' }, {}],
    ['everything', { kind: 'everything', name: '', tenant: '*' }, {}],
  ])('stops %s in a process that runs, and reviving lets it go on', async (_what, change, more) => {
    const tools = startTools();
    expect((await carry(tools, jobOf('send', undefined, more))).completeJob).toBeDefined();
    await kill(change);
    await eventually(async () =>
      expect((await carry(tools, jobOf('send', undefined, more))).failJob).toMatchObject({
        outcome: 'none',
        failure: { code: 'denied', message: expect.stringContaining('user:ann stopped it') as string },
      }),
    );
    await kill({ ...change, isOff: false });
    await eventually(async () => expect((await carry(tools, jobOf('send', undefined, more))).completeJob).toBeDefined());
  });

  it('leaves other tenants, tools and agents alone', async () => {
    const tools = startTools();
    await kill({ tenant: 'other' });
    await kill({ kind: 'agent', name: 'triager' });
    await tools.switches.refresh();
    expect((await carry(tools, jobOf('send', undefined, { agent: 'closer' }))).completeJob).toBeDefined();
    expect((await carry(tools, jobOf('send', undefined, { context: contextOf({ tenant: 'other' }) }))).failJob?.failure?.code).toBe('denied');
  });

  it('ends a read that is on its way', async () => {
    const tools = startTools();
    const reading = carry(tools, jobOf('look', {}));
    await eventually(() => expect(outside.held.size).toBe(1));
    await kill({ name: 'look' });
    expect((await reading).failJob).toMatchObject({ outcome: 'none', failure: { code: 'denied' } });
  });

  it('ends no write that is on its way: its outcome is unknown, and it is never sent again', async () => {
    const tools = startTools();
    const job = jobOf('slow-send', {});
    const sending = carry(tools, job);
    await eventually(() => expect(outside.held.size).toBe(1));
    await kill({ name: 'slow-send' });
    expect((await sending).failJob).toMatchObject({ outcome: 'unknown', needsPerson: true });
    // The same job again: denied now, but what the ledger knows is what counts.
    expect((await carry(startTools(), job)).failJob).toMatchObject({ outcome: 'unknown', needsPerson: true });
    expect(outside.seen).toEqual(['POST /slow-send']);
  });

  it('is recorded once however often it is thrown, each change with its commit row', async () => {
    expect(await Promise.all([kill({ name: 'twice' }), kill({ name: 'twice' }), kill({ name: 'twice' })])).toEqual(expect.arrayContaining([true, false]));
    await kill({ name: 'twice', isOff: false });
    const { rows } = await pool.query<{ sequence: number; is_off: boolean; members: string }>(
      "select s.sequence, s.is_off, c.members from tools.switch_changes s join tools.commits c on c.id = s.commit_id where name = 'twice' order by sequence",
    );
    expect(rows).toEqual([
      { sequence: 1, is_off: true, members: '[["default/switch/tool/twice", 1]]' },
      { sequence: 2, is_off: false, members: '[["default/switch/tool/twice", 2]]' },
    ]);
  });

  it('that cannot be read lets nothing be done: the job is left for later', async () => {
    const away = openPool({ ...store.address, host: '/nonexistent' }, { role: engineRole('tools'), applicationName: 'permission spec, away' });
    expect(await startTools('', away).worker.carry(jobOf('look', {}))).toBeUndefined();
    expect(outside.seen).toEqual([]);
    await away.end();
  });
});
