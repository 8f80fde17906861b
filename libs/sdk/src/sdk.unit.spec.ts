import { WorkerCall } from '@weft/contracts';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { defineTool, NotDone, type Tool } from './define-tool.js';
import { runCall } from './run-call.js';
import { conform, schemaText } from './tool-schema.js';
import { runWorker } from './worker.js';

const input = { type: 'object' } as const;
const call = (more: Partial<WorkerCall> = {}): WorkerCall => WorkerCall.create({ id: 'c', kind: 'call', tool: 't', argumentsJson: '{}', timeLeftMs: 1_000, ...more });
const run = (tool: Tool, more: Partial<WorkerCall> = {}) => runCall(tool, call(more), new AbortController().signal, 0);

describe('defineTool', () => {
  it('infers the types of a function from a JSON Schema', () => {
    defineTool(
      {
        name: 't',
        description: 'x',
        effect: 'read',
        input: { type: 'object', required: ['id'], properties: { id: { type: 'string' }, kind: { enum: ['a', 'b'] }, many: { type: 'array', items: { type: 'integer' } } } },
        output: { type: 'object', required: ['ok'], properties: { ok: { type: 'boolean' } } },
      },
      (given) => {
        expectTypeOf(given.id).toEqualTypeOf<string>();
        expectTypeOf(given.kind).toEqualTypeOf<'a' | 'b' | undefined>();
        expectTypeOf(given.many).toEqualTypeOf<number[] | undefined>();
        return { ok: true };
      },
    );
  });

  it('infers the types of a function from zod', () => {
    defineTool({ name: 't', description: 'x', effect: 'read', input: z.object({ n: z.coerce.number() }), output: z.object({ at: z.string() }) }, ({ n }) => {
      expectTypeOf(n).toEqualTypeOf<number>();
      return { at: String(n) };
    });
  });

  it.each([
    ['a name with a dot', { name: 'a.b' }],
    ['no description', { description: ' ' }],
    ['a timeout of nothing', { timeoutMs: 0 }],
    ['a reconcile function of a read', { reconcile: () => ({ happened: false as const }) }],
    ['a concurrency of nothing', { concurrency: 0 }],
  ])('refuses %s', (_what, more) => {
    expect(() => defineTool({ name: 't', description: 'x', effect: 'read', input, ...more }, () => null)).toThrow(/Expected of tool/);
  });

  it('describes an input as it is written and an output as it is read', () => {
    const schema = z.object({ n: z.number().default(1) });
    expect(JSON.parse(schemaText(schema, 'input'))).not.toHaveProperty('required');
    expect(JSON.parse(schemaText(schema, 'output'))).toMatchObject({ required: ['n'] });
    expect(conform(schema, {})).toEqual({ ok: true, value: { n: 1 } });
  });
});

describe('a call', () => {
  const tool = (effect: 'read' | 'idempotent-write' | 'non-idempotent-write', does: () => unknown): Tool => defineTool({ name: 't', description: 'x', effect, input }, does as () => null);
  const throwing = (error: Error) => (): never => {
    throw error;
  };

  it.each<[string, Tool, object]>([
    ['an answer', tool('read', () => ({ a: 1 })), { outcome: 'completed', outputJson: '{"a":1}' }],
    ['no answer at all', tool('read', () => undefined), { outcome: 'completed', outputJson: 'null' }],
    ['an answer that JSON cannot hold', tool('idempotent-write', () => 1n), { outcome: 'completed', outputJson: '', code: 'output-invalid' }],
    ['an answer that is too long', tool('idempotent-write', () => 'é'.repeat(512 * 1024)), { outcome: 'completed', outputJson: '', code: 'output-invalid' }],
    ['an error of a read', tool('read', throwing(new Error('no'))), { outcome: 'failed', code: 'tool-failed', message: 'no' }],
    ['an error of a write', tool('idempotent-write', throwing(new Error('no'))), { outcome: 'unknown', code: 'effect-unknown' }],
    [
      'NotDone of a write',
      tool('non-idempotent-write', throwing(new NotDone('closed', { code: 'closed', isRetryable: true, retryAfterMs: 5 }))),
      { outcome: 'failed', code: 'closed', retryable: true, retryAfterMs: 5 },
    ],
  ])('with %s says what is known about its effect', async (_what, given, expected) => {
    expect(await run(given)).toMatchObject({ callId: 'c', ...expected });
  });

  it('whose schemas throw ends all the same: before it nothing was done, after it all was', async () => {
    const throws = z.string().refine(throwing(new Error('a bug of the schema')));
    const later = z.string().refine(() => Promise.resolve(true));
    const write = { name: 't', description: 'x', effect: 'idempotent-write' } as const;
    for (const schema of [throws, later]) {
      expect(
        await run(
          defineTool({ ...write, input: schema }, () => null),
          { argumentsJson: '"a"' },
        ),
      ).toMatchObject({ outcome: 'failed', code: 'input-invalid' });
      expect(await run(defineTool({ ...write, input, output: schema }, () => 'done'))).toMatchObject({ outcome: 'completed', outputJson: '', code: 'output-invalid' });
    }
  });

  it('of a tool that this worker does not bring was not done', async () => {
    expect(await runCall(undefined, call(), new AbortController().signal, 0)).toMatchObject({ outcome: 'failed', code: 'not-configured' });
  });

  it('of the reconcile function says what it says, and nothing when it fails', async () => {
    const asked = (reconcile: () => never | { happened: false } | { happened: true; output: null }): Tool =>
      defineTool({ name: 't', description: 'x', effect: 'non-idempotent-write', input, reconcile }, () => null);
    expect(
      await run(
        asked(() => ({ happened: false })),
        { kind: 'reconcile' },
      ),
    ).toMatchObject({ outcome: 'did-not-happen' });
    expect(
      await run(
        asked(() => ({ happened: true, output: null })),
        { kind: 'reconcile' },
      ),
    ).toMatchObject({ outcome: 'happened', outputJson: 'null' });
    expect(await run(asked(throwing(new Error('no'))), { kind: 'reconcile' })).toMatchObject({ outcome: 'unclear' });
    expect(
      await run(
        tool('read', () => null),
        { kind: 'reconcile' },
      ),
    ).toMatchObject({ outcome: 'unclear' });
  });
});

describe('runWorker', () => {
  it.each(['weft.example:7425', 'http://weft.example:7425', 'grpcs://weft.example'])('refuses %s as an address', (url) => {
    expect(() => runWorker({ url, key: 'k', source: 's', tools: [], signals: [] })).toThrow(/grpcs:\/\/host:port/);
  });
});
