import { LocalBus } from '@weft/adapter-local';
import { engineRole, openPool, openScratchStore, OWNER_ROLE, SEQUENCER_ROLE, tenantRole, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { AuditModule, auditSettings, ExecutionProofs, servicesWithCommits, verifierKeyOf } from '@weft/audit/shell';
import { Command, completedCommand, contextOf, type Job } from '@weft/contracts';
import { uuidv7 } from '@weft/kernel';
import { BusTransport, createApp, type RunningApp } from '@weft/nest-platform';
import { EndedExecutions, OrchestrationController, OrchestrationModule, orchestrationSettings } from '@weft/orchestration/shell';
import { outgoing } from '@weft/pipeline';
import { memberDigest, parseArchiveLine, payloadDigest, verifyDecisionProof, type ArchivedExecution, type ArchiveLine } from '@weft/proof';
import { eventually } from '@weft/testkit';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ALL_MIGRATIONS } from '../store.js';
import { runArchive, type ArchivePorts } from './run-archive.js';

const [JANUARY, FEBRUARY, MARCH] = [Date.UTC(2025, 0, 15), Date.UTC(2025, 1, 15), Date.UTC(2025, 2, 15)];

let scratch: ScratchStore;
let home: string;
let bus: LocalBus;
let app: RunningApp;
let admin: Pool;
let pools: readonly Pool[];
let ports: ArchivePorts;
let now = JANUARY;
let digest: string;
const held = new Set<string>();

beforeAll(async () => {
  scratch = await openScratchStore(ALL_MIGRATIONS);
  home = mkdtempSync(join(tmpdir(), 'weft-archive-'));
  bus = new LocalBus();
  admin = openPool(scratch.address, { applicationName: 'spec' });
  for (const [name, from, to] of [
    ['history_2025_01', Date.UTC(2025, 0, 1), Date.UTC(2025, 1, 1)],
    ['history_2025_02', Date.UTC(2025, 1, 1), Date.UTC(2025, 2, 1)],
  ] as const)
    // prettier-ignore
    await admin.query(`set role ${OWNER_ROLE}; create table orchestration.${name} partition of orchestration.history for values from ('${firstId(from)}') to ('${firstId(to)}'); reset role`);
  const worker = {
    async *carryOut({ jobs }: { readonly jobs: readonly Job[] }) {
      yield { commands: jobs.filter(({ executionId }) => !held.has(executionId)).map((job) => completedCommand(job, { done: true })) };
    },
  };
  const auditConfig = z.object(auditSettings).parse({ WEFT_HOME: home });
  const module = {
    module: class {},
    imports: [
      OrchestrationModule.forRoot({
        store: scratch.address,
        bus,
        busIsVolatile: true,
        workers: { tools: worker, memory: worker, validation: worker },
        settings: z.object(orchestrationSettings).parse({}),
        clock: { now: () => now },
      }),
      AuditModule.forRoot({ store: scratch.address, bus, config: auditConfig }),
    ],
  };
  app = await createApp({ service: 'standalone', module, http: { port: 0 }, transports: () => [{ strategy: new BusTransport(bus) }] });
  const text = JSON.stringify({
    document: { dsl: '1.0.3', namespace: 'spec', name: 'flow', version: '1.0.0', metadata: { searchAttributes: { customer: '${ .customer }' } } },
    do: [{ a: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } }],
  });
  digest = (await app.app.get(OrchestrationController, { strict: false }).deploy({ text }, contextOf({ tenant: 'default' }))).ref!.digest;
  const open = (role: string): Pool => openPool(scratch.address, { role, applicationName: 'spec' });
  const [pool, sequencerPool, tenantPool] = [open(engineRole('orchestration')), open(SEQUENCER_ROLE), open(tenantRole('audit'))];
  pools = [pool, sequencerPool, tenantPool];
  const verifierKey = verifierKeyOf({ WEFT_HOME: home });
  ports = {
    ended: new EndedExecutions(pool),
    proofs: new ExecutionProofs(sequencerPool, tenantPool, await servicesWithCommits(sequencerPool, ['orchestration']), verifierKey),
    pool,
    verifierKey,
    now: () => Date.UTC(2026, 0, 1),
  };
});
afterAll(async () => {
  await app?.close();
  await bus?.close();
  await Promise.all([...(pools ?? []), admin].map((pool) => pool?.end()));
  await scratch?.close();
  rmSync(home, { recursive: true, force: true });
});

const firstId = (at: number): string => `${uuidv7(at, new Uint8Array(10)).slice(0, 13)}-0000-0000-000000000000`;
const count = async (text: string, values: readonly unknown[] = []): Promise<number> => (await admin.query<{ n: number }>(`select count(*)::int as n from ${text}`, [...values])).rows[0]!.n;
const partitions = async (): Promise<readonly string[]> =>
  (await admin.query<{ name: string }>(`select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where inhparent = 'orchestration.history'::regclass and c.relname like 'history_2025%' order by 1`)).rows.map(({ name }) => name); // prettier-ignore
const historyOf = (id: string): Promise<number> => count('orchestration.history where execution_id = $1', [id]);

/** Runs an execution that began then; one that is held stays running. */
async function run(at: number, isHeld = false): Promise<string> {
  now = at;
  const executionId = uuidv7(at, randomBytes(10));
  if (isHeld) held.add(executionId);
  const context = contextOf({ tenant: 'default', executionId });
  const definition = { namespace: 'spec', name: 'flow', version: '1.0.0', digest };
  const start = { requestSource: '/spec', requestId: `r-${executionId}`, requestType: 't', definition, inputJson: '{"customer":"c-1"}', models: [] };
  const body = Command.fromPartial({ id: `start/${executionId}`, executionId, context, start });
  await bus.publish([outgoing('commands', { id: body.id, source: '/spec', type: 't', key: executionId, context, body })]);
  const isSettled = 'from orchestration.history h join orchestration.commits c on c.id = h.commit_id where h.execution_id = $1 and c.sequenced is not null and c.published'.slice(5);
  await eventually(async () => expect(await count(isSettled, [executionId])).toBe(isHeld ? 1 : 2), { timeoutMs: 20_000 });
  return executionId;
}

const linesOf = (path: string): readonly ArchiveLine[] =>
  gunzipSync(readFileSync(path))
    .toString()
    .trimEnd()
    .split('\n')
    .map((text) => {
      const parsed = parseArchiveLine(text);
      return parsed.ok ? parsed.line : expect.fail(parsed.rejection.message);
    });

describe('archiving', () => {
  it('keeps what it took provable, drops months that are over, and touches nothing that runs', async () => {
    const old = [await run(JANUARY), await run(JANUARY + 1_000), await run(JANUARY + 2_000)];
    const beside = await run(FEBRUARY);
    const running = await run(FEBRUARY + 1_000, true);
    const young = await run(MARCH);
    const folder = join(home, 'archive');
    const options = { folder, before: MARCH, dryRun: false, perFile: 2 };

    expect(await runArchive(ports, { ...options, dryRun: true })).toMatchObject({ dryRun: true, executions: 4, files: [], dropped: [] });
    expect(await count('orchestration.executions')).toBe(6);

    const report = await runArchive(ports, options);
    expect(report).toMatchObject({ executions: 4, left: [], dropped: ['history_2025_01'], notDropped: [] });
    expect(await partitions()).toEqual(['history_2025_02']);
    for (const id of [...old, beside])
      expect([await historyOf(id), await count('orchestration.executions where id = $1', [id]), await count('orchestration.search_attributes where execution_id = $1', [id])]).toEqual([0, 0, 0]);
    expect([await historyOf(running), await historyOf(young)]).toEqual([1, 2]);
    expect(await count('orchestration.executions')).toBe(2);
    // The log's leaves stay what they are.
    expect(await count('orchestration.commits where sequenced is not null')).toBeGreaterThanOrEqual(11);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);

    const archived: ArchivedExecution[] = [];
    for (const file of report.files) {
      const lines = linesOf(file);
      expect(lines[0]).toMatchObject({ type: 'archive', before: '2025-03-15T00:00:00.000Z', verifierKey: ports.verifierKey });
      const executions = lines.filter((line) => line.type === 'execution');
      expect(lines.at(-1)).toEqual({ type: 'end', executions: executions.length });
      expect(lines.some((line) => line.type === 'definition' && line.digest === digest)).toBe(true);
      archived.push(...executions);
    }
    expect(archived.map(({ executionId }) => executionId)).toEqual([...old, beside]);
    for (const { executionId, members, proofs, attributes } of archived) {
      expect(members.map(({ sequence }) => sequence)).toEqual([0, 1]);
      expect(attributes).toEqual([{ name: 'customer', value: 'c-1' }]);
      for (const { sequence, tenant, recordedAtMs: at, structure, payload, payloadSalt, payloadDigest: stored } of members) {
        const expected = payloadDigest(Buffer.from(payloadSalt, 'base64'), payload!);
        expect(expected.toString('base64')).toBe(stored);
        const proof = proofs.find((each) => each.sequence === sequence)!.proof;
        expect(verifyDecisionProof(proof, ports.verifierKey, memberDigest({ subject: executionId, sequence, tenant, at, structure, payloadDigest: expected }))).toMatchObject({ ok: true });
      }
    }
    expect(await runArchive(ports, options)).toMatchObject({ executions: 0, files: [], dropped: [] });
  }, 60_000);

  it('leaves an execution where it is while the log cannot prove it', async () => {
    const unproved = await run(FEBRUARY + 2_000);
    const proofs = { of: async () => undefined };
    expect(await runArchive({ ...ports, proofs }, { folder: join(home, 'none'), before: MARCH, dryRun: false })).toMatchObject({
      executions: 0,
      files: [],
      left: [{ executionId: unproved, reason: expect.stringContaining('Expected a proof of decision 0') }],
    });
    expect(await historyOf(unproved)).toBe(2);
  }, 30_000);

  it('writes over no archive that was made in the same second', async () => {
    const folder = join(home, 'twice');
    const archived: string[] = [];
    for (const month of [FEBRUARY + 3_000, FEBRUARY + 4_000]) {
      const executionId = await run(month);
      const { files } = await runArchive(ports, { folder, before: MARCH, dryRun: false });
      expect(files).toHaveLength(1);
      archived.push(executionId);
    }
    const kept = readdirSync(folder).flatMap((name) => linesOf(join(folder, name)).flatMap((line) => (line.type === 'execution' ? [line.executionId] : [])));
    expect(kept).toEqual(expect.arrayContaining(archived));
  }, 60_000);

  it('takes no month for whole that is not over, whatever the time', async () => {
    const names = (await ports.ended.wholePartitions(Date.UTC(2099, 0, 1))).map(({ name }) => name);
    expect(names).toEqual([]);
    expect(await count(`pg_inherits where inhparent = 'orchestration.history'::regclass`)).toBeGreaterThan(7);
  });

  it('removes no execution that runs, even when asked', async () => {
    const [running] = [...held];
    expect(await ports.ended.retire([{ tenant: 'default', id: running! }])).toBe(0);
    expect(await historyOf(running!)).toBe(1);
  });

  it('drops no month that is not over, and none that holds an execution', async () => {
    const name = `history_${new Date().toISOString().slice(0, 7).replace('-', '_')}`;
    await expect(ports.pool.query('select orchestration.drop_history_partition($1)', [name])).rejects.toThrow('Expected a partition of a month that is over');
    await expect(ports.pool.query('select orchestration.drop_history_partition($1)', ['executions'])).rejects.toThrow('Expected a partition');
    expect(await ports.ended.drop({ name: 'history_2025_02', first: firstId(Date.UTC(2025, 1, 1)), end: firstId(Date.UTC(2025, 2, 1)) })).toBe(false);
    expect(await partitions()).toEqual(['history_2025_02']);
  });
});
