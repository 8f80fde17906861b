// What documents refer to, locked when they are published: here who fetches is what a spec says it is.
import { engineRole, openPool, openScratchStore, type Pool, type ScratchStore } from '@weft/adapter-postgres';
import type { ResultBody } from '@weft/contracts';
import { configureLog } from '@weft/nest-platform';
import { eventually } from '@weft/testkit';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Resolver } from './handle/lock-resources.js';
import { orchestrationMigrations } from './migrations/index.js';
import { context, newExecutionId, RESULTS, startCommand, startOrchestration, type RunningOrchestration } from './orchestration.testing.js';

let scratch: ScratchStore;
let pool: Pool;
let running: RunningOrchestration;
const world = new Map<string, string>();
const asked: string[][] = [];

const resolver: Resolver = {
  resolveResources: async ({ resources }) => {
    asked.push(resources.map(({ uri }) => uri));
    return {
      resources: resources.map(({ uri, wantsText }) => {
        const content = world.get(uri);
        if (content === undefined) return { uri, digest: '', mediaType: '', bytes: 0, text: '', problem: `Expected ${uri} to be answered.` };
        return { uri, digest: createHash('sha256').update(content).digest('hex'), mediaType: 'application/json', bytes: content.length, text: wantsText ? content : '', problem: '' };
      }),
    };
  },
};

beforeAll(async () => {
  configureLog({ write: () => undefined });
  scratch = await openScratchStore([orchestrationMigrations]);
  pool = openPool(scratch.address, { role: engineRole('orchestration'), applicationName: 'spec' });
  running = await startOrchestration(scratch.address, undefined, { resources: resolver });
});
beforeEach(() => {
  asked.length = 0;
  world.clear();
});
afterAll(async () => {
  await running.close();
  await pool.end();
  await scratch.close();
});

const SCHEMA = 'https://example.test/order.json';
const documentOf = (name: string, more: object = {}): string =>
  JSON.stringify({
    document: { dsl: '1.0.3', namespace: 'spec', name, version: '1.0.0' },
    input: { schema: { resource: { endpoint: SCHEMA } } },
    do: [{ a: { set: { taken: true } } }],
    ...more,
  });
const deploy = (text: string): ReturnType<RunningOrchestration['controller']['deploy']> => running.controller.deploy({ text }, context());

const resultOfExecution = (executionId: string): Promise<ResultBody> =>
  eventually(() => running.bus.on(RESULTS, executionId)[0]?.body as ResultBody | undefined, { what: `the result of ${executionId}`, timeoutMs: 10_000 });

describe('a definition with external resources', () => {
  it('is published with what they are now, and says so; deploying it again changes nothing', async () => {
    world.set(SCHEMA, '{"type":"object","required":["id"]}');
    const first = await deploy(documentOf('locked'));
    expect(first.resources).toEqual([{ uri: SCHEMA, kind: 'schema', digest: expect.stringMatching(/^[0-9a-f]{64}$/), mediaType: 'application/json' }]);
    expect(first.created).toBe(true);
    expect(await deploy(documentOf('locked'))).toMatchObject({ created: false, ref: first.ref });
  });

  it('is judged by them, whatever they have become since', async () => {
    world.set(SCHEMA, '{"type":"object","required":["id"]}');
    const { ref } = await deploy(documentOf('judged'));
    world.set(SCHEMA, '{}');
    const run = async (input: object): Promise<ResultBody> => {
      const executionId = newExecutionId();
      await running.send(startCommand(executionId, ref, input as never));
      return resultOfExecution(executionId);
    };
    expect(JSON.stringify(await run({ id: 1 }))).toContain('taken');
    expect(JSON.stringify(await run({}))).toContain('errors/validation');
  });

  it('runs functions of its catalogues as they were, and those that they lead to', async () => {
    world.set('https://example.test/functions/greet/1.0.0/function.yaml', 'do: [{ name: { call: "https://example.test/name.yaml" } }, { greet: { set: { greeting: "${ .name }" } } }]');
    world.set('https://example.test/name.yaml', 'set: { name: Eva }');
    const { ref, resources } = await deploy(documentOf('functions', { input: {}, use: { catalogs: { shared: { endpoint: 'https://example.test/' } } }, do: [{ a: { call: 'greet:1.0.0@shared' } }] }));
    expect(resources.map(({ kind, uri }) => `${kind} ${uri}`)).toEqual(['function https://example.test/functions/greet/1.0.0/function.yaml', 'function https://example.test/name.yaml']);
    const executionId = newExecutionId();
    await running.send(startCommand(executionId, ref));
    expect(JSON.stringify(await resultOfExecution(executionId))).toContain('Eva');
  });

  it('is refused when its functions lead to themselves', async () => {
    world.set('https://example.test/a.yaml', 'call: "https://example.test/b.yaml"');
    world.set('https://example.test/b.yaml', 'call: "https://example.test/a.yaml"');
    await expect(deploy(documentOf('circle', { input: {}, do: [{ a: { call: 'https://example.test/a.yaml' } }] }))).rejects.toMatchObject({
      rejection: { code: 'workflow-invalid', message: expect.stringContaining('calls itself') },
    });
  });

  it('is refused under the same version when they are other than before, with the difference', async () => {
    world.set(SCHEMA, '{"type":"object"}');
    await deploy(documentOf('changed'));
    world.set(SCHEMA, '{"type":"string"}');
    await expect(deploy(documentOf('changed'))).rejects.toMatchObject({
      rejection: {
        code: 'conflict',
        message: expect.stringMatching(/with other contents of its resources: https:\/\/example\.test\/order\.json was [0-9a-f]{12} and is [0-9a-f]{12}\. Raise document\.version\./),
      },
    });
  });

  it('is refused with the place and the reason when one cannot be had or used, and nothing is stored', async () => {
    await expect(deploy(documentOf('missing'))).rejects.toMatchObject({
      rejection: { code: 'resource-unavailable', message: `Expected the schema of /input/schema/resource but it cannot be had: Expected ${SCHEMA} to be answered.` },
    });
    world.set(SCHEMA, '{"type":"nope"}');
    await expect(deploy(documentOf('missing'))).rejects.toMatchObject({ rejection: { code: 'resource-invalid', message: expect.stringContaining(`at ${SCHEMA} (of /input/schema/resource)`) } });
    await expect(running.controller.resolveDefinition({ namespace: 'spec', name: 'missing', version: '' }, context())).rejects.toMatchObject({ rejection: { code: 'unknown-workflow' } });
  });

  it('needs a fixed URI for a schema', async () => {
    const text = documentOf('dynamic', { input: { schema: { resource: { endpoint: '${ .uri }' } } } });
    await expect(deploy(text)).rejects.toMatchObject({ rejection: { code: 'workflow-invalid', message: expect.stringContaining('Expected a fixed URI at /input/schema/resource') } });
  });

  it('asks nobody when it refers to nothing, and its digest is that of its document alone', async () => {
    const { ref, resources } = await deploy(documentOf('plain', { input: {} }));
    expect([asked, resources]).toEqual([[], []]);
    const { rows } = await pool.query<{ document: string; resources: string | null }>('select document, resources from orchestration.definitions where digest = $1', [ref!.digest]);
    expect(rows[0]!.resources).toBeNull();
    expect(createHash('sha256').update(rows[0]!.document).digest('hex')).toBe(ref!.digest);
  });
});
