// The one process as its user meets it: started on an empty home, killed in the middle, started again.
import { stopEmbedded } from '@weft/adapter-postgres';
import { eventually } from '@weft/testkit';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const ROUTES = `
version: 1
models: []
routes:
  - name: pausing
    when: { type: com.example.pausing.v1 }
    workflow: { namespace: spec, name: pausing }
`;
const TOOLS = `
tools:
  - { name: look, description: Answers., kind: static, effect: read, input: {}, timeoutMs: 1000, answer: { seen: true } }
`;
const GRANTS = `
grants:
  - { tenant: default, workflow: spec/*, tools: [look], kinds: [] }
`;
const PAUSING = `
document: { dsl: '1.0.3', namespace: spec, name: pausing, version: 1.0.0 }
do:
  - before: { call: tool, with: { name: look, arguments: {} } }
  - pause: { wait: { milliseconds: 2500 } }
  - after: { call: tool, with: { name: look, arguments: {} } }
  - done: { set: { answer: '\${ $workflow.input.question }' } }
`;

let home: string;
let env: NodeJS.ProcessEnv;
const children: ChildProcess[] = [];

interface Running {
  readonly child: ChildProcess;
  readonly ask: (method: string, path: string, body?: string, type?: string) => Promise<{ readonly status: number; readonly body: Record<string, unknown> }>;
}

function launch(args: readonly string[], more: NodeJS.ProcessEnv = {}): { readonly child: ChildProcess; readonly said: () => string } {
  const child = fork(MAIN, args, { env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] });
  children.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes: Buffer) => (said += bytes.toString()));
  return { child, said: () => said };
}

async function begin(): Promise<Running> {
  const { child, said } = launch([]);
  const ended = once(child, 'exit').then(() => expect.fail(`Expected Weft to start but it ended:\n${said()}`));
  const [{ url, apiKey }] = (await Promise.race([once(child, 'message'), ended])) as [{ url: string; apiKey: string }];
  return {
    child,
    ask: async (method, path, body, type = 'application/json') => {
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${apiKey}`, ...(body === undefined ? {} : { 'content-type': type }) },
        ...(body === undefined ? {} : { body }),
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    },
  };
}

const publish = async ({ ask }: Running, id: string, question: string) =>
  ask('POST', '/v1/requests', JSON.stringify({ specversion: '1.0', id, source: '/spec', type: 'com.example.pausing.v1', data: { question } }), 'application/cloudevents+json');

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'weft-spec-'));
  for (const [name, text] of Object.entries({ 'routes.yaml': ROUTES, 'tools.yaml': TOOLS, 'grants.yaml': GRANTS })) writeFileSync(join(home, name), text);
  env = {
    PATH: process.env['PATH'],
    WEFT_HOME: home,
    WEFT_PORT: '0',
    WEFT_ROUTES_FILE: join(home, 'routes.yaml'),
    WEFT_TOOLS_FILE: join(home, 'tools.yaml'),
    WEFT_GRANTS_FILE: join(home, 'grants.yaml'),
    WEFT_DRAIN_GRACE_MS: '0',
  };
});
afterAll(async () => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  await stopEmbedded(join(home, 'postgres'));
  rmSync(home, { recursive: true, force: true });
});

describe('Weft in one process', () => {
  it('says what to run when the store was never migrated', async () => {
    const { child, said } = launch([]);
    expect(await once(child, 'exit')).toEqual([1, null]);
    expect(said()).toMatch(/db migrate/);
  });

  it('carries a request to its result, survives kill -9 in the middle, and shares its store with nobody', async () => {
    const migration = launch(['migrate']);
    expect(await once(migration.child, 'exit')).toEqual([0, null]);
    expect(
      JSON.parse(
        migration
          .said()
          .split('\n')
          .find((line) => line.startsWith('{"applied"')) ?? '{}',
      ),
    ).toMatchObject({ applied: { orchestration: expect.arrayContaining([expect.any(String)]), audit: expect.arrayContaining([expect.any(String)]) } });

    const first = await begin();
    expect(await first.ask('POST', '/v1/definitions', PAUSING, 'application/yaml')).toMatchObject({ status: 201 });
    const whole = await publish(first, 'r-1', 'one');
    expect(whole).toMatchObject({ status: 202, body: { status: 'accepted', duplicate: false } });
    const statusOf = async (running: Running, id: unknown): Promise<unknown> => (await running.ask('GET', `/v1/executions/${String(id)}`)).body['status'];
    await eventually(async () => (await statusOf(first, whole.body['executionId'])) === 'completed', { timeoutMs: 10_000 });

    const other = launch([], { WEFT_STORE_WAIT_MS: '100' });
    expect(await once(other.child, 'exit')).toEqual([1, null]);
    expect(other.said()).toMatch(/Expected to be the only process on the store but another one holds it after 100 ms/);

    const cut = await publish(first, 'r-2', 'two');
    await eventually(async () => (await statusOf(first, cut.body['executionId'])) === 'waiting', { timeoutMs: 10_000, intervalMs: 10 });
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');

    const second = await begin();
    const resumed = await eventually(
      async () => {
        const { body } = await second.ask('GET', `/v1/executions/${String(cut.body['executionId'])}`);
        return body['status'] === 'completed' ? body : undefined;
      },
      { timeoutMs: 15_000 },
    );
    expect(resumed).toMatchObject({ output: { answer: 'two' } });
    // The same event again is the same request.
    expect(await publish(second, 'r-2', 'two')).toMatchObject({ body: { duplicate: true, executionId: cut.body['executionId'] } });

    second.child.kill('SIGTERM');
    expect(await once(second.child, 'exit')).toEqual([0, null]);
  }, 90_000);
});
