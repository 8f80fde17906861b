import { fileURLToPath } from 'node:url';
import { openScratchStore, openPool, engineRole, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { LocalBus } from '@weft/adapter-local';
import { contextOf, type Command, type Job } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { configureLog } from '@weft/nest-platform';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toolsMigrations } from '../migrations/index.js';
import { parseDeclarations, parseGrants } from '../registry/files.js';
import { toolsParts } from '../tools.module.js';

const SETTINGS = {
  WEFT_TOOLS_CONCURRENCY: 8,
  WEFT_MODEL_STALL_MS: 500,
  WEFT_MODEL_TIMEOUT_MS: 500,
  WEFT_CALL_TIMEOUT_MS: 500,
  WEFT_BUDGET_LEASE_MS: 5_000,
  WEFT_EGRESS_ALLOW: [] as string[],
  WEFT_SANDBOX_PROCESSES: 2,
  WEFT_EGRESS_PRIVATE: [] as string[],
  WEFT_EGRESS_NAT64: [] as string[],
  WEFT_EGRESS_DNS: [] as string[],
  WEFT_TRUSTED_LABELS: [] as string[],
};
const peer = (name: string): string => fileURLToPath(new URL(`../../../../../node_modules/@modelcontextprotocol/${name}/dist/index.js`, import.meta.url));

let store: ScratchStore;
let pool: Pool;
let number = 0;
const running: { readonly abort: AbortController; readonly parts: ReturnType<typeof toolsParts> }[] = [];

beforeAll(async () => {
  configureLog({ write: () => undefined });
  store = await openScratchStore([toolsMigrations]);
  pool = openPool(store.address, { role: engineRole('tools'), applicationName: 'mcp spec' });
});
afterAll(async () => {
  await pool.end();
  await store.close();
});
beforeEach(() => pool.query('delete from tools.pins').catch(() => undefined));
afterEach(async () => {
  for (const { abort, parts } of running.splice(0)) {
    abort.abort();
    await parts.sources.stop();
  }
});

async function startTools(sources: object) {
  const abort = new AbortController();
  const declared = parseDeclarations(JSON.stringify({ sources }), 'spec');
  const parts = toolsParts(
    {
      enginePool: pool,
      tenantPool: pool,
      bus: new LocalBus(),
      ...declared,
      grants: parseGrants('grants: [{tenant: default, workflow: acme/*, tools: ["*"]}]', 'spec'),
      secrets: () => undefined,
      environment: process.env,
      settings: SETTINGS,
    },
    abort.signal,
  );
  running.push({ abort, parts });
  await parts.sources.start();
  return parts;
}

async function acceptAll(parts: ReturnType<typeof toolsParts>, source: string): Promise<readonly string[]> {
  const tools = parts.sources.all.find((one) => one.source.name === source)!;
  await tools.look();
  const names = [...tools.offered!.keys()];
  await Promise.all(names.map((name) => parts.pins.ask(name, { type: 'AcceptTool', digest: tools.offered!.get(name)!.digest, by: 'ada', reason: '' })));
  return names;
}

function jobOf(tool: string, args: Json): Job {
  const executionId = `01890000-0000-7000-8000-${String(++number).padStart(12, '0')}`;
  const id = `${executionId}/do/0/x`;
  return {
    id,
    executionId,
    context: contextOf({ tenant: 'default', executionId, jobId: id, attempt: 1 }),
    kind: 'tool',
    generation: 0,
    idempotencyKey: `default/${id}/0`,
    pointer: '/do/0/x',
    iteration: '',
    inputJson: JSON.stringify({ name: tool, arguments: args }),
    models: [],
    settlement: undefined,
    workflow: 'acme/x:1.0.0',
    approvals: [],
    agent: '',
  };
}

const carry = async (parts: ReturnType<typeof toolsParts>, tool: string, args: Json): Promise<Command> => (await parts.worker.carry(jobOf(tool, args))) ?? expect.unreachable('a job came to nothing');

describe('server-everything over stdio', () => {
  it('offers tools that nobody may call until they are accepted', async () => {
    const parts = await startTools([{ name: 'all', mcp: { command: process.execPath, args: [peer('server-everything')] }, tools: [{ match: 'echo', effect: 'read' }] }]);
    await parts.sources.all[0]!.look();
    expect((await carry(parts, 'all.echo', { message: 'hi' })).failJob).toMatchObject({ outcome: 'none', failure: { code: 'tool-quarantined' } });
    await acceptAll(parts, 'all');
    const done = await carry(parts, 'all.echo', { message: 'hi' });
    expect(done.failJob).toBeUndefined();
    expect(JSON.parse(done.completeJob!.outputJson)).toContain('hi');
    expect(JSON.parse(done.completeJob!.evidenceJson)).toMatchObject({ tool: 'all.echo', source: 'all' });
  });
});

describe('server-filesystem', () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'weft-files-')));
    writeFileSync(join(folder, 'a.txt'), 'inside');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is not even asked for a path outside of its folder', async () => {
    const parts = await startTools([
      {
        name: 'files',
        mcp: { command: process.execPath, args: [peer('server-filesystem'), folder] },
        effect: 'read',
        arguments: { properties: { path: { within: folder } } },
      },
    ]);
    await acceptAll(parts, 'files');
    const read = await carry(parts, 'files.read_text_file', { path: join(folder, 'a.txt') });
    expect(JSON.parse(read.completeJob?.outputJson ?? JSON.stringify(read.failJob))).toMatchObject({ content: 'inside' });
    for (const path of [`${folder}/../../etc/passwd`, '/etc/passwd', `${folder}-other/x`, `${folder}/%2e%2e/x`, 'a.txt', `${folder}\\..\\x`, '~/x']) {
      expect((await carry(parts, 'files.read_text_file', { path })).failJob, path).toMatchObject({ outcome: 'none', failure: { code: 'denied' } });
    }
  });
});
