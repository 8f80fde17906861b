import { LocalBus } from '@weft/adapter-local';
import { engineRole, openPool, openScratchStore, tenantRole, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { contextOf, type BudgetState, type Command, type Job } from '@weft/contracts';
import { eventually, startModelServer, type ModelServer } from '@weft/testkit';
import { configureLog } from '@weft/nest-platform';
import type { Budget } from '@weft/tools/core';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { toolsSettings } from '../config.js';
import { toolsMigrations } from '../migrations/index.js';
import { parseGrants, parseTools } from '../registry/files.js';
import { toolsParts, type ToolsPorts } from '../tools.module.js';

// All others are the defaults.
const SETTINGS = z.object(toolsSettings).parse({ WEFT_CALL_TIMEOUT_MS: 500, WEFT_BUDGET_LEASE_MS: 5_000 });

let store: ScratchStore;
let pools: readonly Pool[];
let server: Server;
let received = 0;
let answer: 'ok' | 'refuse' | 'cut' | 'hang' = 'ok';
let number = 0;
let tenant = '';

beforeAll(async () => {
  configureLog({ write: () => undefined });
  store = await openScratchStore([toolsMigrations]);
  pools = [engineRole('tools'), tenantRole('tools')].map((role) => openPool(store.address, { role, applicationName: 'budget step spec' }));
  server = createServer((request, response) => {
    received++;
    if (answer === 'cut') request.socket.destroy();
    else if (answer !== 'hang') response.writeHead(answer === 'ok' ? 200 : 422, { 'content-type': 'application/json' }).end('{"done":true}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve).closeAllConnections());
  await Promise.all(pools.map((pool) => pool.end()));
  await store.close();
});
beforeEach(() => {
  [received, answer] = [0, 'ok'];
  tenant = `tenant-${++number}`;
});

/** One process of tools with budgets of its tenant alone. @param allowed origin of the models. */
function startTools(budgets: readonly Omit<Budget, 'tenant'>[] = [], allowed = '') {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const http = (name: string, effect: string): string =>
    `  - {name: ${name}, description: d, kind: http, effect: ${effect}, input: {type: object}, timeoutMs: 500, http: {method: POST, url: "${url}/${name}"}}\n`;
  const tools = `tools:\n  - {name: echo, description: d, kind: static, effect: read, input: {type: object}, answer: 1}\n${http('look', 'read')}${http('put', 'idempotent-write')}${http('send', 'non-idempotent-write')}`;
  const ports: ToolsPorts = {
    enginePool: pools[0]!,
    tenantPool: pools[1]!,
    bus: new LocalBus(),
    tools: parseTools(tools, 'spec'),
    grants: parseGrants(`grants:\n  - {tenant: ${tenant}, workflow: acme/*, kinds: [infer], tools: ["*"], agents: ["*"]}\n`, 'spec'),
    budgets: budgets.map((budget) => ({ tenant, ...budget })),
    secrets: () => undefined,
    settings: allowed === '' ? SETTINGS : { ...SETTINGS, WEFT_EGRESS_ALLOW: [allowed] },
  };
  return toolsParts(ports, new AbortController().signal);
}
type Tools = ReturnType<typeof startTools>;

function jobOf(tool: string, more: Partial<Job> = {}): Job {
  const executionId = `01890000-0000-7000-8000-${String(++number).padStart(12, '0')}`;
  const context = contextOf({ tenant, executionId });
  const inputJson = JSON.stringify({ name: tool, arguments: {} });
  const key = `${tenant}/${executionId}/do/0/${tool}/0`;
  return {
    id: key,
    executionId,
    context,
    kind: 'tool',
    generation: 0,
    idempotencyKey: key,
    pointer: '/do/0',
    iteration: '',
    inputJson,
    models: [],
    settlement: undefined,
    workflow: 'acme/x:1',
    approvals: [],
    agent: '',
    ...more,
  };
}
const carry = async (tools: Tools, job: Job): Promise<Command> => (await tools.worker.carry(job)) ?? expect.unreachable('a job came to nothing');
const codeOf = ({ failJob }: Command): string => failJob?.failure?.code ?? '';
const toolBudget = (name: string, calls: number): Omit<Budget, 'tenant'> => ({ scope: 'tool', name, per: 'total', caps: { calls } });
const shown = async (tools: Tools, executionId = ''): Promise<readonly BudgetState[]> => (await tools.budgetsPeer.listBudgets({ limit: 0, cursor: '', executionId }, contextOf({ tenant }))).budgets;

describe('a job within its budget', () => {
  it('is carried out, and what it costs is shown', async () => {
    const tools = startTools([toolBudget('put', 2)]);
    expect((await carry(tools, jobOf('put'))).completeJob?.outputJson).toBe('{"done":true}');
    expect(await shown(tools)).toMatchObject([{ name: { scope: 'tool', name: 'put' }, calls: 2, source: 'file', spent: { calls: 1 }, reserved: { calls: 0 } }]);
  });

  it.each(['echo', 'look', 'put', 'send'])('is the last one when the budget is used up: %s', async (tool) => {
    const tools = startTools([toolBudget(tool, 1)]);
    expect(codeOf(await carry(tools, jobOf(tool)))).toBe('');
    const { failJob } = await carry(tools, jobOf(tool));
    expect(failJob).toMatchObject({ outcome: 'none', failure: { code: 'budget-exceeded', retryable: false } });
    expect(JSON.parse(failJob!.failure!.detailsJson)).toMatchObject({ scope: 'tool', name: tool, resource: 'calls', cap: 1, spent: 1 });
    expect(received).toBe(tool === 'echo' ? 0 : 1);
  });

  it('costs nothing when it was refused before doing, and its call when nobody knows', async () => {
    const tools = startTools([toolBudget('send', 1)]);
    answer = 'refuse';
    expect((await carry(tools, jobOf('send'))).failJob?.outcome).toBe('failed');
    answer = 'cut';
    expect((await carry(tools, jobOf('send'))).failJob?.outcome).toBe('unknown');
    answer = 'ok';
    expect(codeOf(await carry(tools, jobOf('send')))).toBe('budget-exceeded');
    expect(received).toBe(2);
  });

  it('costs its call when a kill switch ends it on its way', async () => {
    const tools = startTools([toolBudget('look', 2)]);
    answer = 'hang';
    const carried = carry(tools, jobOf('look'));
    await eventually(() => received === 1);
    const change = { kind: 'tool', tenant, name: 'look' };
    await tools.permissions.changeSwitch({ ...change, off: true, reason: 'Odd.' }, contextOf({ tenant }));
    expect(codeOf(await carried)).toBe('denied');
    expect(await shown(tools)).toMatchObject([{ spent: { calls: 1 }, reserved: { calls: 0 } }]);
    expect(codeOf(await carry(tools, jobOf('look')))).toBe('denied');
    expect(await shown(tools)).toMatchObject([{ spent: { calls: 1 }, reserved: { calls: 0 } }]);
  });

  it('costs one call however often the job comes, and is answered from the ledger when the budget is used up', async () => {
    const tools = startTools([toolBudget('send', 1)]);
    const job = jobOf('send');
    await carry(tools, job);
    expect((await carry(tools, job)).completeJob?.outputJson).toBe('{"done":true}');
    expect((await carry(startTools([toolBudget('send', 1)]), job)).completeJob?.outputJson).toBe('{"done":true}');
    expect(received).toBe(1);
  });

  it('is answered from the ledger also where the budget is younger than the effect', async () => {
    const job = jobOf('send');
    await carry(startTools(), job);
    expect((await carry(startTools([toolBudget('send', 0)]), job)).completeJob?.outputJson).toBe('{"done":true}');
    expect(received).toBe(1);
  });

  it('keeps to what its execution was given, and to what its agent has left', async () => {
    const tools = startTools();
    const first = jobOf('look', { context: contextOf({ tenant, budget: { moneyMicros: 0, tokens: 0, calls: 1 } }) });
    expect(codeOf(await carry(tools, first))).toBe('');
    expect(codeOf(await carry(tools, { ...first, idempotencyKey: `${first.idempotencyKey}1` }))).toBe('budget-exceeded');
    expect(await shown(tools, first.executionId)).toMatchObject([{ source: 'execution', spent: { calls: 1 } }]);
    const narrowed = (calls: number): Job =>
      jobOf('look', {
        agent: 'helper',
        attenuation: { tools: ['look'], budget: { moneyMicros: 0, tokens: 0, calls } },
        context: contextOf({ tenant, budget: { moneyMicros: 0, tokens: 0, calls: 9 } }),
      });
    expect([codeOf(await carry(tools, narrowed(0))), codeOf(await carry(tools, narrowed(1)))]).toEqual(['budget-exceeded', '']);
  });

  it('is carried out as it is when nothing limits it', async () => {
    const tools = startTools([toolBudget('put', 0)]);
    // The first job of a process waits until it is known what is switched off.
    await carry(tools, jobOf('echo'));
    expect(tools.worker.carry(jobOf('echo', { context: contextOf({ tenant: 'another' }), idempotencyKey: 'another/k' }))).not.toBeInstanceOf(Promise);
    expect(codeOf(await carry(tools, jobOf('look')))).toBe('');
    const { rows } = await pools[0]!.query('select 1 from tools.budget_reservations where tenant = $1', [tenant]);
    expect(rows).toEqual([]);
  });
});

describe('a model call within its budget', () => {
  let models: ModelServer;
  beforeAll(async () => {
    models = await startModelServer({ script: { rules: [{ answer: { content: 'yes' } }] } });
  });
  afterAll(() => models.close());

  const price = { digest: '', dialect: 'openai', capabilities: [], contextTokens: 0, outputTokensMax: 0, tier: '', dimensions: 0, price: { input: 1_000, output: 2_000 } };
  const ask = (tools: Tools, names: readonly string[] = ['dear'], more: Partial<Job> = {}): Promise<Command> =>
    carry(
      tools,
      jobOf('ask', {
        kind: 'infer',
        inputJson: JSON.stringify({ prompt: 'Is it so?', maxTokens: 10 }),
        models: names.map((id) => ({ id, endpoint: `${models.url}/v1`, model: id, keySecret: '', reason: '', simulated: true, terms: price })),
        ...more,
      }),
    );
  const modelBudget = (name: string, caps: Budget['caps']): Omit<Budget, 'tenant'> => ({ scope: 'model', name, per: 'total', caps });

  it('is billed what the provider tells, of the estimate that was reserved', async () => {
    const tools = startTools([modelBudget('dear', { moneyMicros: 1_000_000, tokens: 1_000 })], models.url);
    const { completeJob } = await ask(tools);
    const { inputTokens, outputTokens, moneyMicros } = completeJob!.usage!;
    expect(moneyMicros).toBe(inputTokens * 1_000 + outputTokens * 2_000);
    expect(await shown(tools)).toMatchObject([{ spent: { moneyMicros, tokens: inputTokens + outputTokens, calls: 1 }, reserved: { moneyMicros: 0, tokens: 0, calls: 0 } }]);
  });

  it('goes to the next candidate where the budget of one is used up, and nowhere when all are', async () => {
    const tools = startTools([modelBudget('dear', { calls: 1 }), modelBudget('cheap', { calls: 1 })], models.url);
    const before = models.requests().length;
    await ask(tools, ['dear', 'cheap']);
    const second = await ask(tools, ['dear', 'cheap']);
    expect(JSON.parse(second.completeJob!.evidenceJson)).toMatchObject({
      candidate: 'cheap',
      rejected: [{ candidate: 'dear', reason: expect.stringContaining('within the budget of model dear') as unknown }],
    });
    const third = await ask(tools, ['dear', 'cheap']);
    expect([codeOf(third), third.failJob?.outcome]).toEqual(['budget-exceeded', 'none']);
    expect(models.requests().length - before).toBe(2);
  });

  it('is made for the last turn of an agent that has used up its own limits, with budgets beside it or without', async () => {
    const turn: Partial<Job> = { agent: 'helper', attenuation: { tools: [], budget: { moneyMicros: 0, tokens: 0, calls: 1 } } };
    expect(codeOf(await ask(startTools([modelBudget('dear', { calls: 1 })], models.url), ['dear'], turn))).toBe('');
    expect(codeOf(await ask(startTools([], models.url), ['dear'], turn))).toBe('');
  });
});

describe('the budgets that people set', () => {
  const name = { scope: 'tool', name: 'look', per: 'total' };
  const asCaller = (caller = tenant) => contextOf({ tenant: caller, actor: 'key:k1' });
  const set = (tools: Tools, calls: number | undefined) => tools.budgetsPeer.setBudget({ name, moneyMicros: undefined, tokens: undefined, calls }, asCaller());

  it('hold from the next job on, until they are removed', async () => {
    const tools = startTools();
    expect(await set(tools, 1)).toMatchObject({ source: 'set', calls: 1, spent: { calls: 0 } });
    expect([codeOf(await carry(tools, jobOf('look'))), codeOf(await carry(tools, jobOf('look')))]).toEqual(['', 'budget-exceeded']);
    await set(tools, 2);
    expect(codeOf(await carry(tools, jobOf('look')))).toBe('');
    await tools.budgetsPeer.removeBudget(name, asCaller());
    expect(codeOf(await carry(tools, jobOf('look')))).toBe('');
    expect(await shown(tools)).toEqual([]);
  });

  it("are the tenant's own", async () => {
    const tools = startTools();
    await set(tools, 3);
    expect((await tools.budgetsPeer.listBudgets({ limit: 0, cursor: '', executionId: '' }, asCaller('other'))).budgets).toEqual([]);
    await expect(tools.budgetsPeer.removeBudget(name, asCaller('other'))).rejects.toThrow(/none of tool look/);
    expect(await shown(tools)).toHaveLength(1);
  });

  it('are refused where they say nothing or the operator has spoken', async () => {
    const tools = startTools([toolBudget('look', 5)]);
    await expect(set(tools, 1)).rejects.toThrow(/budgets file declares tool look/);
    await expect(tools.budgetsPeer.removeBudget(name, asCaller())).rejects.toThrow(/budgets file declares/);
    const other = { ...name, name: 'put' };
    await expect(tools.budgetsPeer.setBudget({ name: other, moneyMicros: undefined, tokens: undefined, calls: undefined }, asCaller())).rejects.toThrow(/one of money, tokens and calls/);
    await expect(tools.budgetsPeer.setBudget({ name: { ...other, scope: 'world' }, moneyMicros: undefined, tokens: undefined, calls: 1 }, asCaller())).rejects.toThrow(/Expected a scope/);
  });

  it('are listed in pages', async () => {
    const tools = startTools([toolBudget('a', 1), toolBudget('b', 1), { scope: 'tenant', name: '', per: 'day', caps: { tokens: 1 } }]);
    const page = (cursor: string) => tools.budgetsPeer.listBudgets({ limit: 2, cursor, executionId: '' }, asCaller());
    const first = await page('');
    const second = await page(first.nextCursor);
    expect([...first.budgets, ...second.budgets].map((state) => state.name?.scope + (state.name?.name ?? ''))).toEqual(['tenant', 'toola', 'toolb']);
    expect(second.nextCursor).toBe('');
  });
});
