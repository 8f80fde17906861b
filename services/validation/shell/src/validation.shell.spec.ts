// Validation as a whole over a scratch store.
import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import { contextOf, type Command, type Job, type WorkerPeer } from '@weft/contracts';
import { uuidv7, type Json } from '@weft/kernel';
import { createApp, type RunningApp } from '@weft/nest-platform';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VALIDATION_WORKER } from './consume/worker.controller.js';
import { validationMigrations } from './migrations/index.js';
import { ValidationModule } from './validation.module.js';

let store: ScratchStore;
let pool: Pool;
let running: RunningApp;
let worker: WorkerPeer;
beforeAll(async () => {
  store = await openScratchStore([validationMigrations]);
  pool = openPool(store.address, { role: engineRole('validation'), max: 2, applicationName: 'validation spec' });
  running = await createApp({ service: 'validation', http: { port: 0 }, module: ValidationModule.forRoot({ enginePool: pool }) });
  worker = running.app.get<WorkerPeer>(VALIDATION_WORKER, { strict: false });
});
afterAll(async () => {
  await running.close();
  await pool.end();
  await store.close();
});

let jobs = 0;
function job(input: Json, more: Partial<Job> = {}, tenant = 'default'): Job {
  const executionId = uuidv7(Date.now(), randomBytes(10));
  const id = `${executionId}/do/${++jobs}`;
  return {
    id,
    executionId,
    context: contextOf({ tenant, executionId, jobId: id }),
    kind: 'validate',
    generation: 2,
    idempotencyKey: `${tenant}/${id}/2`,
    pointer: '/do/3/check',
    iteration: '',
    inputJson: JSON.stringify(input),
    models: [],
    settlement: undefined,
    workflow: 'examples/triage:1.0.0',
    approvals: [],
    agent: '',
    ...more,
  };
}

async function carryOut(...batch: Job[]): Promise<ReadonlyMap<string, Command>> {
  const results = new Map<string, Command>();
  for await (const { commands } of worker.carryOut({ jobs: batch }, contextOf({ tenant: '' }))) for (const command of commands) results.set((command.completeJob ?? command.failJob)!.jobId, command);
  return results;
}

interface Verdict {
  readonly verdict: string;
  readonly policy: string;
  readonly schemaDigest: string;
  readonly evidence: readonly { readonly pointer: string; readonly rule: string; readonly message: string }[];
}

async function verdictOf(input: Json): Promise<Verdict> {
  const asked = job(input);
  const result = (await carryOut(asked)).get(asked.id)!;
  if (result.failJob) throw new Error(result.failJob.failure?.message);
  return JSON.parse(result.completeJob!.outputJson) as Verdict;
}

async function refusalOf(input: Json): Promise<string> {
  const asked = job(input);
  const { failJob } = (await carryOut(asked)).get(asked.id)!;
  expect(failJob).toMatchObject({ outcome: 'none', generation: 2, failure: { code: 'input-invalid', retryable: false } });
  return failJob!.failure!.message;
}

const reply: Json = {
  type: 'object',
  required: ['text'],
  properties: { text: { type: 'string', maxLength: 10 }, tone: { enum: ['kind', 'firm'] }, mail: { type: 'string', format: 'email' } },
  additionalProperties: false,
};

describe('validate', () => {
  it('passes what satisfies its schema', async () => {
    expect(await verdictOf({ value: { text: 'hello' }, schema: reply, policy: 'reply' })).toMatchObject({ verdict: 'pass', policy: 'reply', evidence: [{ rule: 'schema' }] });
    expect(await verdictOf({ value: null, schema: true })).toMatchObject({ verdict: 'pass', policy: '' });
  });

  it('fails what does not, and names every place and rule', async () => {
    const { verdict, evidence } = await verdictOf({ value: { text: 'much too long', tone: 'rude', mail: 'no', more: 1 }, schema: reply });
    expect(verdict).toBe('fail');
    expect(evidence.map(({ pointer, rule }) => `${pointer} ${rule}`).sort()).toEqual([' additionalProperties', '/mail format', '/text maxLength', '/tone enum']);
    expect(evidence.find(({ rule }) => rule === 'enum')?.message).toContain('"kind", "firm"');
  });

  it('gives equal schemas one digest, however they are written', async () => {
    const first = await verdictOf({ value: 1, schema: { type: 'number', minimum: 0 } });
    const second = await verdictOf({ value: 2, schema: { minimum: 0, type: 'number' } });
    expect(second.schemaDigest).toBe(first.schemaDigest);
    expect((await verdictOf({ value: 2, schema: { minimum: 1, type: 'number' } })).schemaDigest).not.toBe(first.schemaDigest);
  });

  it('keeps schemas with the same $id apart', async () => {
    const named = (type: string): Json => ({ $id: 'https://example.com/reply', $ref: '#/$defs/inner', $defs: { inner: { $id: 'https://example.com/inner', type } } });
    expect((await verdictOf({ value: 'x', schema: named('string') })).verdict).toBe('pass');
    expect((await verdictOf({ value: 'x', schema: named('number') })).verdict).toBe('fail');
  });

  it.each<[string, Json, RegExp]>([
    ['no schema', { value: 1 }, /`value` and `schema`/],
    ['no value', { schema: true }, /`value` and `schema`/],
    ['a schema that is a text', { value: 1, schema: 'string' }, /neither an object nor/],
    ['a schema with a wrong keyword', { value: 1, schema: { type: 'nothing' } }, /schema\/type/],
    ['a schema that refers elsewhere', { value: 1, schema: { $ref: 'https://example.com/other.json' } }, /reference/],
    ['another dialect', { value: 1, schema: { $schema: 'http://json-schema.org/draft-04/schema#' } }, /draft-04/],
    ['a schema above its size', { value: 1, schema: { description: 'x'.repeat(300_000) } }, /at most 262144 bytes/],
    ['a schema that refers to itself for ever', { value: 1, schema: { $ref: '#' } }, /nested too deep/],
    ['a pattern that is none', { value: 'x', schema: { pattern: '(' } }, /JSON Schema/],
    ['a policy that is no text', { value: 1, schema: true, policy: 7 }, /policy/],
  ])('refuses %s with a sentence', async (_what, input, sentence) => {
    const message = await refusalOf(input);
    expect(message).toMatch(sentence);
    expect(message).toMatch(/^Expected .+\.$/s);
  });

  it('ends a pattern that backtracks without bound, and goes on', async () => {
    const schema: Json = { type: 'string', pattern: '^(a+)+$' };
    const startedAt = performance.now();
    expect(await refusalOf({ value: `${'a'.repeat(60)}!`, schema })).toContain('longer than 100 ms');
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect((await verdictOf({ value: 'aaa', schema })).verdict).toBe('pass');
    expect((await verdictOf({ value: 'b', schema })).verdict).toBe('fail');
  });

  it('ends comparisons and errors without bound', async () => {
    const many = Array.from({ length: 40_000 }, (_, n) => ({ n }));
    expect(await refusalOf({ value: many, schema: { uniqueItems: true } })).toContain('longer than 100 ms');
  });
});

describe('a batch', () => {
  it('stores its verdicts with one commit row, and each verdict once', async () => {
    const batch = Array.from({ length: 20 }, (_, n) => job({ value: n, schema: { type: 'number', maximum: 9 } }, {}, n % 2 ? 'acme' : 'default'));
    const { rows: before } = await pool.query<{ n: number }>('select count(*)::int as n from validation.commits');
    expect((await carryOut(...batch, batch[0]!)).size).toBe(20);
    await carryOut(...batch);
    const { rows: after } = await pool.query<{ n: number }>('select count(*)::int as n from validation.commits');
    expect(after[0]!.n).toBe(before[0]!.n + 1);
    const { rows } = await pool.query<{ verdict: string; n: number }>('select verdict, count(*)::int as n from validation.verdicts where id = any($1) group by verdict order by verdict', [
      batch.map((one) => one.idempotencyKey),
    ]);
    expect(rows).toEqual([
      { verdict: 'fail', n: 10 },
      { verdict: 'pass', n: 10 },
    ]);
    const { rows: commits } = await pool.query<{ members: string; bytes: number }>('select members, octet_length(digests) as bytes from validation.commits');
    for (const { members, bytes } of commits) {
      const subjects = (JSON.parse(members) as [string, number][]).map(([subject]) => subject);
      expect(new Set(subjects).size).toBe(subjects.length);
      expect(bytes).toBe(32 * subjects.length);
    }
  });

  it('fails jobs that cannot be carried out, and judges the others', async () => {
    const bad = [
      job({}, { kind: 'recall' }),
      job({}, { inputJson: '{' }),
      job({ value: 1, schema: true }, {}, ''),
      job({ value: 1, schema: true }, { executionId: 'no-uuid' }),
      job({ value: 1, schema: true }, { idempotencyKey: 'default/\u0000' }),
    ];
    const good = job({ value: 1, schema: true });
    const results = await carryOut(...bad, good);
    for (const one of bad) expect(results.get(one.id)?.failJob?.failure?.code).toBe('input-invalid');
    expect(results.get(good.id)).toMatchObject({ id: `${good.id}/2/completed`, context: good.context });
  });

  it('takes a NUL in value and policy', async () => {
    expect(await verdictOf({ value: { 'a\u0000': 1 }, schema: { additionalProperties: { type: 'string' } }, policy: 'p\u0000' })).toMatchObject({ verdict: 'fail' });
  });
});
