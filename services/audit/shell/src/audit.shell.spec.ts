// The log over a scratch store, with commit rows of a service that stands in for all others.
import { LocalBus } from '@weft/adapter-local';
import { commitTable, engineRole, openPool, openScratchStore, SEQUENCER_ROLE, serviceSchema, tenantRole, type Pool, type ScratchStore, type ServiceMigrations } from '@weft/adapter-postgres';
import { contextOf, type AuditPeer, type CheckpointAnnouncement, type Delivery } from '@weft/contracts';
import { uuidv7 } from '@weft/kernel';
import { createApp, type RunningApp } from '@weft/nest-platform';
import { parseDecisionProof, verifyDecisionProof } from '@weft/proof';
import { eventually } from '@weft/testkit';
import { parseVerifierKey, tilePath, verifyLog, type TileReader } from '@weft/tlog';
import { hash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AUDIT_PEER, AuditModule } from './audit.module.js';
import { Fenced, LogWriter, type WriterOptions } from './handle/log-writer.js';
import { logSigner } from './keys/log-signer.js';
import { auditMigrations } from './migrations/index.js';
import { ExecutionProofs } from './query/execution-proofs.js';
import { LogResources, tilesByPathFrom } from './query/log-resources.js';

class Ledger1700000000001 implements MigrationInterface {
  readonly name = 'Ledger1700000000001';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(serviceSchema('ledger'));
    await runner.query(commitTable('ledger'));
  }
  async down(): Promise<void> {}
}
const ledgerMigrations: ServiceMigrations = { service: 'ledger', migrations: [Ledger1700000000001] };

const newId = (): string => uuidv7(Date.now(), randomBytes(10));
const digestOf = (subject: string, sequence: number): Buffer => hash('sha256', `${subject} ${sequence}`, 'buffer');

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'weft-audit-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

interface Given {
  readonly store: ScratchStore;
  readonly sequencerPool: Pool;
  readonly tenantPool: Pool;
  readonly ledgerPool: Pool;
  readonly options: WriterOptions;
  readonly unfit: string[];
  /** Released at the end, also of a spec that fails. */
  readonly writers: LogWriter[];
  readonly resources: LogResources;
  readonly proofs: ExecutionProofs;
  /** Writes commit rows as a service does. */
  commit(members: readonly (readonly [string, number])[], tenants?: readonly string[], more?: { readonly isPublished?: boolean; readonly digests?: Buffer }): Promise<string>;
  close(): Promise<void>;
}

async function givenStore(): Promise<Given> {
  const store = await openScratchStore([auditMigrations, ledgerMigrations]);
  const open = (role: string, max = 2): Pool => openPool(store.address, { role, max, applicationName: 'audit spec' });
  const [sequencerPool, tenantPool, ledgerPool] = [open(SEQUENCER_ROLE, 4), open(tenantRole('audit')), open(engineRole('ledger'))];
  const signer = logSigner({ WEFT_HOME: home, WEFT_AUDIT_ORIGIN: 'spec.local/audit' });
  const unfit: string[] = [];
  const writers: LogWriter[] = [];
  return {
    store,
    sequencerPool,
    tenantPool,
    ledgerPool,
    unfit,
    writers,
    options: { signer, services: ['ledger'], onUnfit: (rejection) => unfit.push(rejection.message) },
    resources: new LogResources(sequencerPool, signer.verifierKey),
    proofs: new ExecutionProofs(sequencerPool, tenantPool, ['ledger'], signer.verifierKey),
    async commit(members, tenants = ['default'], { isPublished = true, digests } = {}) {
      const id = newId();
      await ledgerPool.query('insert into ledger.commits (id, members, digests, tenants, published, recorded_at) values ($1, $2, $3, $4, $5, $6)', [
        id,
        JSON.stringify(members),
        digests ?? Buffer.concat(members.map(([subject, sequence]) => digestOf(subject, sequence))),
        tenants,
        isPublished,
        new Date(),
      ]);
      return id;
    },
    async close() {
      for (const writer of writers) writer.release();
      await Promise.all([sequencerPool.end(), tenantPool.end(), ledgerPool.end()]);
      await store.close();
    },
  };
}

async function takeOver(given: Given, options: Partial<WriterOptions> = {}): Promise<LogWriter> {
  const writer = await LogWriter.takeOver(given.sequencerPool, { ...given.options, ...options });
  if (!writer) throw new Error('another writer has the log');
  given.writers.push(writer);
  await writer.head();
  return writer;
}

async function appendAll(writer: LogWriter): Promise<number> {
  for (let leaves = 0; ;) {
    const appended = await writer.append();
    leaves += appended.leaves;
    if (appended.leaves === 0) return leaves;
  }
}

/** Reads the whole log through its resources and checks every byte of it. */
async function verified(given: Given): Promise<number> {
  const checkpoint = await given.resources.checkpoint();
  const { size, note } = checkpoint!;
  const tiles = new Map<string, Uint8Array>();
  for (let level = 0; 256 ** level <= size; level++) {
    const hashes = Math.floor(size / 256 ** level);
    for (let index = 0; index * 256 < hashes; index++) {
      const width = Math.min(256, hashes - index * 256);
      for (const at of level === 0 ? (['entries', 0] as const) : [level]) tiles.set(tilePath({ level: at, index, width }), (await given.resources.tile({ level: at, index, width }))!);
    }
  }
  const reader: TileReader = (level, index, width) => tiles.get(tilePath({ level, index, width }));
  const outcome = verifyLog({ reader, checkpoint: note, verifier: given.options.signer.verifier });
  if (!outcome.ok) throw new Error(outcome.rejection.message);
  return outcome.entries;
}

const countOf = async (pool: Pool, text: string): Promise<number> => Number((await pool.query<{ n: string }>(`select count(*) as n from ${text}`)).rows[0]!.n);

describe('the log', () => {
  let given: Given;
  beforeEach(async () => {
    given = await givenStore();
    return () => given.close();
  });

  it('proves each member of each commit to somebody who has nothing but the public key', async () => {
    const executions = Array.from({ length: 12 }, newId);
    for (let sequence = 0; sequence < 30; sequence++) await given.commit(executions.map((execution) => [execution, sequence] as const));
    await given.commit([['tool/not-an-execution', 0]]);
    const writer = await takeOver(given);
    expect(await appendAll(writer)).toBe(31);
    for (const execution of executions) {
      const { proofs, pending } = (await given.proofs.of('default', execution))!;
      expect(pending).toBe(0);
      expect(proofs.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 30 }, (_, n) => n));
      for (const { sequence, proofJson, leafIndex, treeSize } of proofs) {
        const parsed = parseDecisionProof(proofJson);
        if (!parsed.ok) throw new Error(parsed.rejection.message);
        const { verifierKey } = given.options.signer;
        expect(verifyDecisionProof(parsed.proof, verifierKey, digestOf(execution, sequence))).toMatchObject({ ok: true, subject: execution, sequence, checkpoint: { size: treeSize } });
        expect(verifyDecisionProof(parsed.proof, verifierKey, digestOf(execution, sequence + 1))).toMatchObject({ ok: false });
        expect(leafIndex).toBeLessThan(treeSize);
      }
    }
    expect(await verified(given)).toBe(31);
    writer.release();
  });

  it('grows over many tiles, batch by batch, and marks each commit with its index', async () => {
    const rows = 1_100;
    await given.ledgerPool.query(
      `insert into ledger.commits (id, members, digests, tenants, published, recorded_at)
       select gen_random_uuid(), '[["' || gen_random_uuid() || '",0]]', sha256(n::text::bytea), '{default}', true, now() from generate_series(1, $1) n`,
      [rows],
    );
    const writer = await takeOver(given);
    expect(await appendAll(writer)).toBe(rows);
    for (let n = 0; n < 3; n++) {
      await given.commit([[newId(), 0]]);
      expect(await appendAll(writer)).toBe(1);
    }
    writer.release();
    // Another process knows nothing but the store.
    const next = await takeOver(given);
    await given.commit([[newId(), 0]]);
    expect(await appendAll(next)).toBe(1);
    next.release();
    expect(await verified(given)).toBe(rows + 4);
    expect(await countOf(given.sequencerPool, 'ledger.commits c join audit.leaves l on l.commit_id = c.id and l.index = c.sequenced')).toBe(rows + 4);
  });

  it('says how many decisions are not in the log yet', async () => {
    const execution = newId();
    await given.commit([[execution, 0]]);
    const writer = await takeOver(given);
    await appendAll(writer);
    await given.commit([
      [execution, 1],
      [newId(), 0],
    ]);
    expect(await given.proofs.of('default', execution)).toMatchObject({ pending: 1, proofs: [{ sequence: 0 }] });
    await appendAll(writer);
    expect(await given.proofs.of('default', execution)).toMatchObject({ pending: 0, proofs: [{ sequence: 0 }, { sequence: 1 }] });
    writer.release();
  });

  it('gives a tenant no proof of an execution of another, also when they share commits', async () => {
    const [mine, theirs] = [newId(), newId()];
    await given.commit(
      [
        [mine, 0],
        [theirs, 0],
      ],
      ['acme', 'default'],
    );
    await given.commit([[theirs, 1]], ['acme']);
    const writer = await takeOver(given);
    expect(await given.proofs.of('default', theirs)).toBeUndefined();
    await appendAll(writer);
    expect(await given.proofs.of('default', mine)).toMatchObject({ proofs: [{ sequence: 0 }] });
    expect(await given.proofs.of('default', theirs)).toBeUndefined();
    expect(await given.proofs.of('nobody', mine)).toBeUndefined();
    expect(await given.proofs.of('acme', theirs)).toMatchObject({ proofs: [{ sequence: 0 }, { sequence: 1 }] });
    expect(await given.proofs.of('default', newId())).toBeUndefined();
    writer.release();
  });

  it('has one writer: a second one stands by, and a replaced one appends nothing', async () => {
    const writer = await takeOver(given);
    expect(await LogWriter.takeOver(given.sequencerPool, given.options)).toBeUndefined();
    await given.commit([[newId(), 0]]);
    await given.sequencerPool.query('update audit.head set epoch = epoch + 1');
    await expect(writer.append()).rejects.toBeInstanceOf(Fenced);
    expect(await countOf(given.sequencerPool, 'audit.leaves')).toBe(0);
    writer.release();
  });

  it('never forks, even when two writers believe to have the same epoch', async () => {
    const writer = await takeOver(given);
    const twin = new LogWriter(await given.sequencerPool.connect(), given.options, writer.epoch);
    given.writers.push(twin);
    for (let round = 0; round < 25; round++) {
      for (let n = 0; n < 3; n++) await given.commit([[newId(), 0]]);
      const outcomes = await Promise.allSettled([writer.append(), twin.append()]);
      for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(Fenced);
    }
    await appendAll(writer);
    expect(await verified(given)).toBe(75);
    expect(await countOf(given.sequencerPool, 'ledger.commits where sequenced is null')).toBe(0);
    writer.release();
    twin.release();
  });

  it('leaves nothing behind when the append is broken off, and goes on from there', async () => {
    await given.commit([[newId(), 0]]);
    const writer = await takeOver(given);
    await appendAll(writer);
    const before = await given.resources.checkpoint();
    await given.commit([[newId(), 0]]);
    // Somebody holds the row that the last part of the statement writes; then the server ends the writer in the middle.
    const admin = openPool(given.store.address, { max: 1, applicationName: 'audit spec' });
    const blocker = await admin.connect();
    await blocker.query('begin; lock table audit.members in share mode');
    const broken = writer.append();
    broken.catch(() => undefined);
    await eventually(async () => {
      const { rows } = await blocker.query<{ ended: boolean }>(
        `select pg_terminate_backend(pid) as ended from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database() and usename = '${SEQUENCER_ROLE}'`,
      );
      return rows.length === 1;
    });
    await expect(broken).rejects.toThrow();
    await blocker.query('rollback');
    blocker.release();
    await admin.end();
    expect(await given.resources.checkpoint()).toEqual(before);
    expect(await countOf(given.sequencerPool, 'audit.leaves')).toBe(1);
    expect(await countOf(given.sequencerPool, 'ledger.commits where sequenced is null')).toBe(1);
    writer.release();
    const next = await takeOver(given);
    expect(await appendAll(next)).toBe(1);
    expect(await verified(given)).toBe(2);
    next.release();
  });

  it('does not wait for a commit row that its service is working on', async () => {
    const busy = await given.commit([[newId(), 0]]);
    await given.commit([[newId(), 0]]);
    const writer = await takeOver(given);
    const service = await given.ledgerPool.connect();
    await service.query('begin');
    await service.query('update ledger.commits set published = true where id = $1', [busy]);
    expect(await writer.append()).toMatchObject({ leaves: 1 });
    await service.query('commit');
    service.release();
    expect(await appendAll(writer)).toBe(1);
    expect(await verified(given)).toBe(2);
    writer.release();
  });

  it('lets a service mark its fresh commit as published first', async () => {
    const fresh = await given.commit([[newId(), 0]], ['default'], { isPublished: false });
    const writer = await takeOver(given);
    expect(await writer.append()).toMatchObject({ leaves: 0 });
    await given.ledgerPool.query('update ledger.commits set published = true where id = $1', [fresh]);
    expect(await writer.append()).toMatchObject({ leaves: 1 });
    writer.release();
  });

  it('tells once of a commit row that cannot be a leaf, and goes on with the others', async () => {
    await given.commit([[newId(), 0]], ['default'], { digests: Buffer.alloc(64) });
    await given.commit([[newId(), 0]]);
    const writer = await takeOver(given);
    expect(await appendAll(writer)).toBe(1);
    expect(given.unfit).toHaveLength(1);
    expect(given.unfit[0]).toContain('32 bytes of digest');
    writer.release();
  });

  it('appends nothing to a log that was changed behind its back', async () => {
    await given.commit([[newId(), 0]]);
    const writer = await takeOver(given);
    await appendAll(writer);
    writer.release();
    await given.sequencerPool.query(`update audit.tiles set bytes = sha256('forged')`);
    await given.commit([[newId(), 0]]);
    const next = await takeOver(given);
    await expect(next.append()).rejects.toMatchObject({ rejection: { code: 'tree-root-mismatch' } });
    next.release();
  });

  it('refuses to go on with another key than the one that signed the log', async () => {
    const writer = await takeOver(given);
    writer.release();
    const other = mkdtempSync(join(tmpdir(), 'weft-audit-'));
    const signer = logSigner({ WEFT_HOME: other, WEFT_AUDIT_ORIGIN: 'spec.local/audit' });
    rmSync(other, { recursive: true });
    await expect(LogWriter.takeOver(given.sequencerPool, { ...given.options, signer })).rejects.toMatchObject({ rejection: { code: 'audit-key-mismatch' } });
    (await takeOver(given)).release();
  });

  it('gives tiles in every width up to the edge', async () => {
    for (let n = 0; n < 5; n++) await given.commit([[newId(), 0]]);
    const writer = await takeOver(given);
    await appendAll(writer);
    writer.release();
    const [three, five] = [await given.resources.tile({ level: 0, index: 0, width: 3 }), await given.resources.tile({ level: 0, index: 0, width: 5 })];
    expect(Buffer.from(five!.subarray(0, 96)).equals(three!)).toBe(true);
    expect(await given.resources.tile({ level: 0, index: 0, width: 6 })).toBeUndefined();
    expect(await given.resources.tile({ level: 'entries', index: 0, width: 6 })).toBeUndefined();
    expect((await tilesByPathFrom(given.sequencerPool, [{ level: 0, index: 1, width: 1 }])).size).toBe(0);
  });
});

describe('logSigner', () => {
  it('makes a key once, readable by its owner alone', () => {
    const first = logSigner({ WEFT_HOME: home, WEFT_AUDIT_ORIGIN: 'spec.local/audit' });
    expect(logSigner({ WEFT_HOME: home, WEFT_AUDIT_ORIGIN: 'spec.local/audit' }).verifierKey).toBe(first.verifierKey);
    expect(statSync(join(home, 'audit', 'signer.key')).mode & 0o777).toBe(0o600);
  });

  it('refuses a text that is no key, without showing it', () => {
    expect(() => logSigner({ WEFT_HOME: home, WEFT_AUDIT_ORIGIN: 'spec.local/audit', WEFT_AUDIT_KEY: 'PRIVATE+KEY+hunter2' })).toThrow(/^(?!.*hunter2).*WEFT_AUDIT_KEY/);
    const text = readFileSync(join(home, 'audit', 'signer.key'), 'utf8');
    expect(() => logSigner({ WEFT_HOME: home, WEFT_AUDIT_ORIGIN: 'other.local/audit', WEFT_AUDIT_KEY: text })).toThrow(/other\.local\/audit/);
    const broken = mkdtempSync(join(tmpdir(), 'weft-audit-'));
    logSigner({ WEFT_HOME: broken, WEFT_AUDIT_ORIGIN: 'spec.local/audit' });
    writeFileSync(join(broken, 'audit', 'signer.key'), '');
    expect(() => logSigner({ WEFT_HOME: broken, WEFT_AUDIT_ORIGIN: 'spec.local/audit' })).toThrow(/signer\.key/);
    rmSync(broken, { recursive: true });
  });
});

describe('AuditModule', () => {
  let given: Given;
  let running: RunningApp;
  let bus: LocalBus;
  const announced: CheckpointAnnouncement[] = [];
  beforeAll(async () => {
    given = await givenStore();
    bus = new LocalBus();
    await bus.subscribe({
      topic: 'weft.audit',
      group: 'spec',
      handle: async (batch: readonly Delivery[]) => void announced.push(...batch.flatMap((delivery) => (delivery.ok ? [delivery.envelope.body as CheckpointAnnouncement] : []))),
    });
    const config = { WEFT_HOME: home, WEFT_AUDIT_ORIGIN: 'spec.local/audit', WEFT_AUDIT_KEY: undefined, WEFT_AUDIT_SERVICES: ['ledger', 'absent'], WEFT_AUDIT_INTERVAL_MS: 20 };
    running = await createApp({ service: 'audit', http: { port: 0 }, module: AuditModule.forRoot({ store: given.store.address, bus, config }) });
  });
  afterAll(async () => {
    await running.close();
    await bus.close();
    await given.close();
  });

  it('sequences what services commit, answers with proofs and tiles, and announces its checkpoints', async () => {
    const audit = running.app.get<AuditPeer>(AUDIT_PEER, { strict: false });
    const execution = newId();
    await given.commit([[execution, 0]]);
    const context = contextOf({ tenant: 'default' });
    const proof = await eventually(async () => {
      const found = await audit.proveExecution({ executionId: execution }, context);
      expect(found.proofs).toHaveLength(1);
      return found;
    });
    const checkpoint = await audit.getCheckpoint({}, context);
    expect(proof.checkpoint).toEqual(checkpoint);
    const key = parseVerifierKey(checkpoint.verifierKey);
    expect(key.ok && key.verifier.name).toBe('spec.local/audit');
    expect(Buffer.from((await audit.getTile({ path: 'checkpoint' }, context)).data).toString()).toBe(checkpoint.note);
    expect((await audit.getTile({ path: 'tile/0/000.p/1' }, context)).data).toHaveLength(32);
    await eventually(() => announced.at(-1)?.size === 1);
    expect(announced.at(-1)).toEqual({ size: 1, note: checkpoint.note });
    expect((await fetch(`${running.url}/health/ready`)).status).toBe(200);
  });

  it.each([
    ['not-an-id', 'default', 'unknown-execution'],
    [newId(), 'default', 'unknown-execution'],
    [newId(), '', 'unknown-execution'],
  ])('refuses to prove %s for tenant "%s"', async (executionId, tenant, code) => {
    const audit = running.app.get<AuditPeer>(AUDIT_PEER, { strict: false });
    await expect(audit.proveExecution({ executionId }, contextOf({ tenant }))).rejects.toMatchObject({ rejection: { code } });
  });

  it.each([
    ['../etc/passwd', 'request-invalid'],
    ['tile/0/999', 'not-found'],
    ['tile/64/000', 'request-invalid'],
  ])('refuses %s', async (path, code) => {
    const audit = running.app.get<AuditPeer>(AUDIT_PEER, { strict: false });
    await expect(audit.getTile({ path }, contextOf({ tenant: 'default' }))).rejects.toMatchObject({ rejection: { code } });
  });
});
