import { runningEmbedded } from '@weft/adapter-postgres';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { globSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'weft-run-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const HEAD = "document: {dsl: '1.0.3', namespace: test, name: sum, version: 1.0.0}\n";

function written(text: string, extension = 'yaml'): string {
  const file = join(home, `${Math.random()}.${extension}`);
  writeFileSync(file, text);
  return file;
}

const weftRun = (document: string, ...flags: string[]) => weftRunFile(written(HEAD + document), ...flags);

async function weftRunFile(file: string, ...flags: string[]): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [MAIN, 'run', file, ...flags], { env: { ...process.env, WEFT_HOME: home, NO_COLOR: '1' } });
  const said = { out: '', err: '' };
  child.stdout.on('data', (text) => (said.out += text));
  child.stderr.on('data', (text) => (said.err += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, ...said };
}

describe('weft run', { timeout: 60_000 }, () => {
  it('prints the output of a document and leaves no server and no file of the run behind', async () => {
    expect(await weftRun("do:\n  - twice: {set: {y: '${ .n * 2 }'}}\n", '--input', '{"n": 21}')).toMatchObject({ code: 0, out: '{"y":42}\n' });
    expect(runningEmbedded(join(home, 'run', 'postgres'))).toBeUndefined();
    expect(readdirSync(join(home, 'run')).filter((name) => name.startsWith('home-'))).toEqual([]);
  });

  it('prints the fault of a document as JSON and exits with 1', async () => {
    const { code, out } = await weftRun('do:\n  - no: {raise: {error: {type: https://example.com/errors/no, status: 422, title: No}}}\n');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ type: 'https://example.com/errors/no', status: 422, instance: '/do/0/no' });
  });

  it('lets calls go to the addresses that the document writes out, and several runs go on at once', async () => {
    const server = createServer((_request, response) => void response.setHeader('content-type', 'application/json').end('{"answer": 42}')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const document = `do:\n  - ask: {call: http, with: {method: get, endpoint: 'http://127.0.0.1:${port}/x'}}\n`;
    const ended = await Promise.all([weftRun(document), weftRun(document)]);
    server.close();
    expect(ended).toMatchObject([
      { code: 0, out: '{"answer":42}\n' },
      { code: 0, out: '{"answer":42}\n' },
    ]);
  });

  it('runs what is scheduled once at once, and what events start with the event that it is for', async () => {
    const tasks = 'do:\n  - out: {set: {got: "${ . }"}}\n';
    expect(await weftRun(`schedule: {every: PT1S}\n${tasks}`, '--input', '1')).toMatchObject({ code: 0, out: '{"got":1}\n' });
    const onPaid = `schedule: {on: {one: {with: {type: com.example.paid.v1}}}}\ndo:\n  - out: {set: {got: '\${ .[0].data }'}}\n`;
    expect(await weftRun(onPaid, '--event', '{"type": "com.example.paid.v1", "source": "/x", "id": "1", "data": 5}')).toMatchObject({ code: 0, out: '{"got":5}\n' });
  });

  it('feeds events to what listens, and says what it still waits for when the time is up', async () => {
    const document = 'do:\n  - hear: {listen: {to: {one: {with: {type: com.example.paid.v1}}}}}\n';
    expect(await weftRun(document, '--event', '{"type": "com.example.paid.v1", "source": "/x", "id": "1", "data": 5}')).toMatchObject({ code: 0, out: '[5]\n' });
    const { code, err } = await weftRun(document, '--timeout', '200ms');
    expect(code).toBe(1);
    expect(err).toMatch(/to end within 200 ms but it is (waiting|running)/);
  });

  it('refuses a document with the place of its fault', async () => {
    const { code, err } = await weftRun('do:\n  - a: {sett: {}}\n');
    expect(code).toBe(1);
    expect(err).toContain('line 3');
  });

  it('says what is wrong with files and options before anything is started', async () => {
    const good = HEAD + 'do: [{a: {set: {x: 1}}}]';
    const twin = written(HEAD + 'do: [{a: {set: {y: 1}}}]');
    const told = async (run: ReturnType<typeof weftRunFile>) => {
      const { code, err } = await run;
      return [code, err.replaceAll(home, '')];
    };
    expect(await told(weftRunFile(written(good), twin))).toEqual([2, expect.stringContaining('are both test/sum:1.0.0')]);
    expect(await told(weftRunFile(written('')))).toEqual([1, expect.stringContaining('Expected a workflow document')]);
    expect(await told(weftRunFile(written('a: [')))).toEqual([1, expect.stringContaining('Expected YAML or JSON but found')]);
    const input = (json: string) => told(weftRunFile(written(good), '--input', json));
    expect(await input('NaN')).toEqual([2, expect.stringContaining('"NaN" is not valid JSON')]);
    expect(await input('{"n": 1e400}')).toEqual([2, expect.stringContaining('Expected a number that JSON can hold but found 1e400')]);
    expect(await input('[12345678901234567890]')).toEqual([2, expect.stringContaining('12345678901234567890 would lose some')]);
    expect(await input(`@${written('['.repeat(5_000) + ']'.repeat(5_000))}`)).toEqual([2, expect.stringContaining('levels of nesting')]);
    expect(await told(weftRunFile(written(good), '--event', '[1]'))).toEqual([2, expect.stringContaining('Expected a CloudEvent: an object with a `type`')]);
  });

  it('prints the output though an event comes when it has ended', async () => {
    const { code, out, err } = await weftRun('do: [{a: {set: {x: 1}}}]\n', '--event', '{"type": "late"}');
    expect({ code, out }).toEqual({ code: 0, out: '{"x":1}\n' });
    expect(err).toContain('an event came too late');
  });

  it('throws all of it away when it is interrupted, too', async () => {
    const child = spawn(process.execPath, [MAIN, 'run', written(HEAD + 'do: [{a: {wait: PT1H}}]')], { env: { ...process.env, WEFT_HOME: join(home, 'interrupted'), NO_COLOR: '1' } });
    const runs = join(home, 'interrupted', 'run');
    await expect.poll(() => globSync('home-*', { cwd: runs }).length, { timeout: 30_000 }).toBe(1);
    child.kill('SIGINT');
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(130);
    expect(globSync('home-*', { cwd: runs })).toEqual([]);
    expect(globSync('postgres/**/postmaster.pid', { cwd: runs })).toEqual([]);
  });

  it('answers calls from a file, and fails one that no answer fits without making it', async () => {
    const document = `do:
  - ask: {call: http, with: {method: get, endpoint: 'http://127.0.0.1:9/pet/{id}'}}
  - judge: {call: infer, with: {prompt: '\${ .name }'}, output: {as: '{name: $input.name, said: .}'}}
`;
    const answers = written('answers: [{task: ask, output: {name: Rex}}, {call: infer, with: {prompt: Rex}, output: good}]\n');
    const answered = await weftRun(document, '--fake', answers);
    expect(answered).toMatchObject({ code: 0, out: '{"name":"Rex","said":"good"}\n' });
    expect(answered.err).toContain('simulated http of /do/0/ask');
    const { code, out } = await weftRun(document, '--fake', written('answers: [{task: ask, output: {name: Tom}}, {call: infer, with: {prompt: Rex}, output: good}]'), '--quiet');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      type: expect.stringMatching(/configuration$/),
      instance: '/do/1/judge',
      detail: expect.stringContaining('Expected an answer for the `infer` call of /do/1/judge'),
    });
  });

  it('fetches nothing with --fake: what is read itself comes from the file, and what only calls read is not needed', async () => {
    const document = `use: {catalogs: {shared: {endpoint: 'https://catalogue.invalid/main'}}}
input: {schema: {resource: {endpoint: 'https://schemas.invalid/in.json'}}}
do:
  - api: {call: openapi, with: {document: {endpoint: 'https://api.invalid/openapi.json'}, operationId: find}}
  - rpc: {call: grpc, with: {proto: {endpoint: 'https://api.invalid/x.proto'}, service: {name: a.B, host: api.invalid}, method: C}}
  - told: {call: asyncapi, with: {document: {endpoint: 'https://api.invalid/a.yaml'}, operation: tell, protocol: amqp, message: {payload: {a: 1}}}}
  - js: {run: {script: {language: js, source: {endpoint: 'https://scripts.invalid/a.js'}}}, export: {as: .}}
  - twice: {call: 'twice:1.0.0@shared', with: {n: 4}, output: {as: '{twice: .n, said: $context}'}}
`;
    const resources = `resources:
  https://schemas.invalid/in.json: {type: object}
  https://scripts.invalid/a.js: console.log('from elsewhere')
  https://catalogue.invalid/main/functions/twice/1.0.0/function.yaml: |
    set: {n: '\${ .n * 2 }'}
`;
    const answers = 'answers: [{call: openapi, output: 1}, {call: grpc, output: 2}, {call: asyncapi, output: 3}]\n';
    const given = await weftRun(document, '--input', '{}', '--fake', written(answers + resources));
    expect(given).toMatchObject({ code: 0, out: '{"twice":8,"said":"from elsewhere"}\n' });
    const { code, err } = await weftRun(document, '--input', '{}', '--fake', written(answers));
    expect(code).toBe(1);
    expect(err).toContain('its text under `resources` of the answers, as nothing is fetched with --fake, but https://schemas.invalid/in.json is not there');
  });

  it('publishes with --fake what reaches the machine, as it is answered', async () => {
    const document = `do:
  - sh: {run: {shell: {command: 'exit 1'}}}
  - box: {run: {container: {image: nowhere}}}
  - py: {run: {script: {language: python, code: 'print(1)'}}}
  - mcp: {call: mcp, with: {method: tools/list, transport: {stdio: {command: nowhere}}}}
`;
    const answers = written('answers: [{call: shell, output: 1}, {call: container, output: 2}, {call: script, output: 3}, {call: mcp, output: 4}]');
    expect(await weftRun(document, '--fake', answers)).toMatchObject({ code: 0, out: '4\n' });
    const { out } = await weftRun(document, '--fake', written('answers: [{call: shell, output: 1}, {call: container, output: 2}]'));
    expect(JSON.parse(out)).toMatchObject({ instance: '/do/2/py', detail: expect.stringContaining('Expected an answer for the `script` call') });
  });

  it('raises the error that an answer is', async () => {
    const document = "do:\n  - ask: {call: http, with: {method: get, endpoint: 'http://127.0.0.1:9/'}}\n";
    const answers = written('answers: [{call: http, error: {type: https://serverlessworkflow.io/spec/1.0.0/errors/authentication, status: 401, title: login-needed, detail: Log in.}}]');
    const { out } = await weftRun(document, '--fake', answers);
    expect(JSON.parse(out)).toEqual({ type: 'https://serverlessworkflow.io/spec/1.0.0/errors/authentication', status: 401, title: 'login-needed', detail: 'Log in.', instance: '/do/0/ask' });
  });

  it('refuses answers with their place before anything is started', async () => {
    const { code, err } = await weftRun('do:\n  - a: {set: {x: 1}}\n', '--fake', written('answers: [{task: a, outptu: 1}]'));
    expect(code).toBe(2);
    expect(err).toContain('but found `outptu` (line 1, column 21)');
  });

  it('waits for nothing with --skip-time, and keeps the order and the distance of timers', async () => {
    const document = `do:
  - begin: {set: {at: '\${ now }'}, export: {as: .}}
  - race:
      fork:
        branches:
          - slow: {do: [{sleep: {wait: PT2H}}, {stamp: {set: {slow: '\${ now - $context.at }'}}}]}
          - fast: {do: [{sleep: {wait: PT1H}}, {stamp: {set: {fast: '\${ now - $context.at }'}}}]}
`;
    const { code, out } = await weftRun(document, '--skip-time', '--timeout', '20s');
    expect(code).toBe(0);
    const [{ slow }, { fast }] = JSON.parse(out) as [{ slow: number }, { fast: number }];
    expect(fast).toBeGreaterThanOrEqual(3_600);
    expect(fast).toBeLessThan(3_620);
    expect(slow).toBeGreaterThanOrEqual(7_200);
    expect(slow).toBeLessThan(7_220);
  });

  it('skips the time to the next schedule of another document too, and runs the first one once', async () => {
    const hears = `schedule: {every: PT1M}
do:
  - begin: {set: {at: '\${ now }'}, export: {as: .}}
  - hear: {listen: {to: {one: {with: {type: tick}}}}}
  - more: {wait: PT30M}
  - minutes: {set: {passed: '\${ (now - $context.at) / 60 | round }'}}
`;
    const ticks = written(`document: {dsl: '1.0.3', namespace: test, name: ticks, version: 1.0.0}
schedule: {every: PT25M}
do: [{tell: {emit: {event: {with: {type: tick, source: 'https://ticks.example'}}}}}]
`);
    expect(await weftRun(hears, ticks, '--skip-time', '--timeout', '20s')).toMatchObject({ code: 0, out: '{"passed":55}\n' });
  });

  it('skips no time while a sub-workflow is on its way to begin', async () => {
    const child = written(`document: {dsl: '1.0.3', namespace: test, name: child, version: 1.0.0}
do: [{begin: {set: {at: '\${ now }'}}}, {sleep: {wait: PT3M, output: {as: $input}}}]
`);
    const parent = `do:
  - begin: {set: {at: '\${ now }'}, export: {as: .}}
  - both:
      fork:
        branches:
          - child: {do: [{run: {run: {workflow: {namespace: test, name: child, version: latest}}}}, {seconds: {set: {began: '\${ .at - $context.at | floor }', ended: '\${ now - $context.at | floor }'}}}]}
          - soon: {wait: PT2S}
`;
    const { out } = await weftRun(parent, child, '--skip-time', '--timeout', '20s');
    expect(JSON.parse(out)).toMatchObject([{ began: 0, ended: 180 }, {}]);
  });

  it('runs a workflow in TypeScript, with input from a file and events that lack what can be filled in', async () => {
    const source = `import { input, listen, output, workflow } from '@weft/builder';
const n: number = 3;
export default workflow<{ n: number }>('typed', { namespace: 'test' }).do({
  hear: listen({ one: { with: { type: 'com.example.paid.v1' } } }, { output: { as: { paid: output, n: input.n } }, metadata: { n } }),
});
`;
    const file = written(source, 'ts');
    expect(await weftRunFile(file, '--input', `@${written('{"n": 3}', 'json')}`, '--event', '{"type": "com.example.paid.v1", "data": 5}')).toMatchObject({ code: 0, out: '{"n":3,"paid":[5]}\n' });
  });

  it('says why a program builds no workflow', async () => {
    const none = await weftRunFile(written('export const x = 1;\n', 'ts'));
    expect(none.code).toBe(2);
    expect(none.err).toContain('its default export is no workflow');
    const wrong = await weftRunFile(written("import { set, workflow } from '@weft/builder';\nconst to: string = 'no';\nexport default workflow('w').do({ a: set({ x: 1 }, { then: to }) });\n", 'ts'));
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('Expected `then` of `a` to be');
  });
});
