import type { Job } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { scriptWork } from '../carry-out/script-work.js';
import { parseTools } from '../registry/files.js';
import { compileSchema } from '../registry/schemas.js';
import { ESCAPES, POLLUTIONS } from './escapes.testing.js';
import { Sandbox, type Script } from './sandbox.js';
import { walls } from './walls.js';

// Processes run what is built.
const MAIN = fileURLToPath(new URL('../../dist/sandbox/sandbox.main.js', import.meta.url));
const sandbox = new Sandbox(3, MAIN);
const run = (source: string, more: Partial<Script> = {}) => sandbox.run({ tenant: 'a', source, input: { a: 1 }, timeoutMs: 2_000, memoryBytes: 16 * 1024 * 1024, ...more });
afterAll(() => sandbox.close());

describe('a script', () => {
  it('computes its output from its input, and may write lines', async () => {
    expect(await run('console.log("at", { work: input.a }); return { b: input.a + 1 }')).toEqual({ ok: true, output: { b: 2 }, logs: ['at {"work":1}'] });
  });

  it('may return a promise, and nothing', async () => {
    expect(await run('return (async () => { await null; return [1] })()')).toMatchObject({ ok: true, output: [1] });
    expect(await run('')).toMatchObject({ ok: true, output: null });
  });

  it('writes lines of text and no others, and no more than its share, whatever it does to JSON', async () => {
    const texts = 'Array.prototype.toJSON = () => ["x".repeat(9000)]; console.log("a"); return 1';
    for (const source of ['Object.prototype.toJSON = () => false; console.log("a"); return 1', texts, 'Array.prototype.toJSON = () => [{ a: 1 }]; console.log("a"); return 1'])
      expect((await run(source)).logs).toEqual([]);
  });

  it.each([
    ['throws', 'throw new TypeError("no")', /TypeError: no/],
    ['throws no error', 'throw "no"', /it threw no/],
    ['cannot be parsed', 'return 1 +', /SyntaxError/],
    ['never settles', 'return new Promise(() => {})', /never settles/],
    ['throws what cannot be read', 'throw { get message() { throw 1 } }', /return but/],
  ])('that %s fails with what it threw', async (_what, source, message) => {
    expect(await run(source)).toMatchObject({ ok: false, failure: { code: 'script-failed', message: expect.stringMatching(message) } });
  });

  it('finds nothing that another one left, in the same process', async () => {
    const fingerprint = 'return Object.getOwnPropertyNames(globalThis).concat(Object.getOwnPropertyNames(Object.prototype), Object.getOwnPropertyNames(Array.prototype)).join()';
    const before = await run(fingerprint);
    await run('globalThis.left = 1; Object.prototype.left = 1; Array.prototype.left = 1');
    expect(await run(fingerprint)).toEqual(before);
  });
});

describe('a script that wants out', () => {
  it(`stays inside: ${ESCAPES.length} ways`, async () => {
    expect(ESCAPES.length).toBeGreaterThanOrEqual(100);
    const out: unknown[] = [];
    for (const source of ESCAPES) {
      const result = await run(source);
      // An error is no way out either; what is true is one, and a process that breaks down may be.
      const isInside = result.ok ? result.output === false || result.output === null : !result.failure.message.includes('its process ended');
      if (!isInside) out.push({ source, result });
    }
    expect(out).toEqual([]);
  });

  it('would be noticed: the judge of this suite can tell', async () => {
    expect(await run('return Boolean(globalThis.console.log)')).toMatchObject({ ok: true, output: true });
  });

  it(`changes no prototype outside or of the next script: ${POLLUTIONS.length} ways`, async () => {
    expect(POLLUTIONS.length).toBeGreaterThanOrEqual(50);
    const outside = (): string =>
      JSON.stringify(
        [Object, Array, Function, String, Number, Boolean, RegExp, Date, Promise, Map, Set, Error, Symbol].map(({ prototype }) => [
          Object.getOwnPropertyNames(prototype),
          String(Object.getPrototypeOf(prototype)),
          String(prototype.toString),
        ]),
      );
    const before = outside();
    const inside = 'return [({}).polluted, [].polluted, (() => 1).polluted, Object.prototype.toString === ({}).toString, typeof [].push, typeof JSON.parse]';
    const clean = await run(inside);
    for (const source of POLLUTIONS) {
      const result = await run(source);
      if (result.ok) expect((Object.assign({}, result.output) as { polluted?: boolean } & object).constructor).not.toHaveProperty('polluted');
      expect(outside(), source).toBe(before);
      expect(await run(inside), source).toEqual(clean);
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('a bomb', () => {
  const BOMBS: readonly (readonly [string, string, string])[] = [
    ['an endless loop', 'for (;;);', 'timeout'],
    ['an endless chain of promises', 'const again = () => Promise.resolve().then(again); return again()', 'timeout'],
    ['a catch that holds on', 'for (;;) try { for (;;); } catch {}', 'timeout'],
    ['a regular expression', 'return /^(a+)+$/.test("a".repeat(50) + "!")', 'timeout'],
    ['a getter that never returns', 'return { get a() { for (;;); } }', 'timeout'],
    ['an error whose message never comes', 'throw { get message() { for (;;); } }', 'timeout'],
    ['arrays', 'const all = []; for (;;) all.push(new Array(1000).fill(1))', 'script-failed'],
    ['a text', 'let text = "x"; for (;;) text += text', 'script-failed'],
    ['buffers', 'const all = []; for (;;) all.push(new ArrayBuffer(1 << 20))', 'script-failed'],
    ['recursion', '(function again() { again() })()', 'script-failed'],
    ['deep output', 'let deep = []; for (let at = 0; at < 100000; at++) deep = [deep]; return deep', 'script-failed'],
    ['long output', 'return "x".repeat(1 << 20)', 'output-invalid'],
    ['endless lines', 'for (let at = 0; at < 100000; at++) console.log("x".repeat(100)); return 1', ''],
  ];

  it.each(BOMBS)('ends within its limits, and its neighbours go on: %s', async (_what, source, code) => {
    const [bomb, neighbour] = await Promise.all([run(source, { timeoutMs: 300 }), run('return input.a', { tenant: 'b' })]);
    expect(neighbour).toMatchObject({ ok: true, output: 1 });
    if (code === '') expect(bomb.logs.join('').length).toBeLessThan(10_000);
    else expect(bomb).toMatchObject({ ok: false, failure: { code: code === 'script-failed' ? expect.stringMatching(/script-failed|timeout/) : code } });
    expect(await run('return input.a')).toMatchObject({ ok: true, output: 1 });
  });
});

describe('a declared script', () => {
  const definitions = (script: string) =>
    parseTools(`tools:\n  - {name: add, description: Adds., kind: script, effect: read, input: {type: object}, output: {type: integer}, script: {source: ${JSON.stringify(script)}}}`, 'tools.yaml');
  const sent = async (script: string, args: Json) => {
    const [definition] = definitions(script);
    if (definition?.kind !== 'script') throw new Error('expected a script');
    const made = scriptWork(sandbox, { context: { tenant: 'a' } } as Job, { definition, outputProblem: compileSchema(definition.output ?? {}) }, args);
    if (!made.ok) throw new Error(made.failure.message);
    return made.work.send({ untilMs: performance.now() + 2_000, traceparent: '' });
  };

  it('is a tool of class read whose arguments are its input', async () => {
    expect(await sent('console.log("adds"); return input.a + input.b', { a: 1, b: 2 })).toEqual({ outcome: { kind: 'confirmed' }, answer: { output: 3 }, evidence: { logs: ['adds'] } });
  });

  it('fails as a tool does', async () => {
    expect(await sent('return "three"', {})).toMatchObject({ answer: { unusable: { code: 'output-invalid' } } });
    expect(await sent('throw new Error("no")', {})).toMatchObject({ outcome: { kind: 'failed', failure: { code: 'script-failed' } } });
  });

  it('may lie in a file beside the tools file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'weft-script-'));
    writeFileSync(join(folder, 'add.js'), 'return 1');
    const text = 'tools:\n  - {name: add, description: Adds., kind: script, effect: read, input: {}, script: {file: add.js}}';
    expect(parseTools(text, join(folder, 'tools.yaml'))[0]).toMatchObject({ timeoutMs: 1_000, script: { source: 'return 1' } });
    expect(() => parseTools(text.replace('add.js', 'none.js'), join(folder, 'tools.yaml'))).toThrow(/script\.file/);
    expect(() => parseTools(text.replace('file: add.js', 'memoryBytes: 2000000'), join(folder, 'tools.yaml'))).toThrow(/either source or file/);
    rmSync(folder, { recursive: true });
  });
});

// Stands for a script that broke out of the interpreter: it tries what a program can.
const BROKEN_OUT = `
import { createInterface } from 'node:readline';
import { readFileSync, writeFileSync, readdirSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
const outcome = (attempt) => { try { attempt(); return 'done'; } catch (error) { return error.code ?? error.name; } };
process.stdout.write('{}\\n');
for await (const line of createInterface({ input: process.stdin })) {
  const { port, file } = JSON.parse(JSON.parse(line).input);
  const network = await new Promise((resolve) => connect(port, '127.0.0.1').on('connect', () => resolve('done')).on('error', (error) => resolve(error.code)));
  const output = JSON.stringify({
    environment: Object.keys(process.env), network,
    read: outcome(() => readFileSync('/etc/passwd')), list: outcome(() => readdirSync('/')), write: outcome(() => writeFileSync(file, 'x')),
    start: outcome(() => spawnSync('id')), worker: outcome(() => new Worker('1', { eval: true })), evaluate: outcome(() => new Function('return 1')()),
  });
  process.stdout.write(JSON.stringify({ kind: 'returned', output, logs: [] }) + '\\n');
}
`;

describe('what breaks out of the interpreter', () => {
  it('stands before the next walls: no files, no processes, no environment, and no network where the machine has namespaces', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weft-walls-'));
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    writeFileSync(join(folder, 'broken-out.mjs'), BROKEN_OUT);
    const broken = new Sandbox(1, join(folder, 'broken-out.mjs'));
    const input = { port: (server.address() as AddressInfo).port, file: join(folder, 'written') };
    const result = await broken.run({ tenant: 'a', source: '', input, timeoutMs: 2_000, memoryBytes: 1 });
    const denied = 'ERR_ACCESS_DENIED';
    expect(result).toMatchObject({ ok: true, output: { environment: [], read: denied, list: denied, write: denied, start: denied, worker: denied, evaluate: 'EvalError' } });
    const hasNamespaces = walls().command.includes('--net');
    expect(result).toMatchObject({ output: { network: hasNamespaces ? 'ENETUNREACH' : 'done' } });
    expect(walls().missing.some((wall) => wall.includes('network'))).toBe(!hasNamespaces);
    await broken.close();
    server.close();
    rmSync(folder, { recursive: true });
  });
});

describe('a process that says what its program never does', () => {
  it.each([
    ['no JSON', 'process.stdout.write("out\\n")'],
    ['no reply', 'process.stdout.write("null\\n")'],
    ['an output that is no JSON', 'process.stdout.write(JSON.stringify({ kind: "returned", output: "{", logs: [] }) + "\\n")'],
    ['lines that are none', 'process.stdout.write(JSON.stringify({ kind: "threw", message: "x", logs: {} }) + "\\n")'],
    ['a reply, and one for the next script', 'process.stdout.write((JSON.stringify({ kind: "returned", output: "1", logs: [] }) + "\\n").repeat(2))'],
  ])('is not believed, and not used again: %s', async (_what, says) => {
    const folder = mkdtempSync(join(tmpdir(), 'weft-liar-'));
    writeFileSync(
      join(folder, 'liar.mjs'),
      `import { createInterface } from 'node:readline';\nprocess.stdout.write('{}\\n');\nfor await (const _line of createInterface({ input: process.stdin })) ${says};`,
    );
    const liars = new Sandbox(1, join(folder, 'liar.mjs'));
    for (let time = 0; time < 2; time++)
      expect(await liars.run({ tenant: 'a', source: '', input: null, timeoutMs: 2_000, memoryBytes: 1 })).toMatchObject({
        ok: false,
        failure: { code: 'script-failed', message: expect.stringContaining('process ended') },
      });
    await liars.close();
    rmSync(folder, { recursive: true });
  });
});

describe('the process of the sandbox', () => {
  it('is killed when its interpreter does not come back', async () => {
    const stuck = new Sandbox(1, MAIN);
    // Native code that asks nobody whether it may go on.
    const result = await stuck.run({ tenant: 'a', source: 'return String(3n ** 40000000n).length', input: null, timeoutMs: 30, memoryBytes: 1024 * 1024 * 1024 });
    expect(result).toMatchObject({ ok: false, failure: { code: 'timeout' } });
    expect(await stuck.run({ tenant: 'a', source: 'return 1', input: null, timeoutMs: 2_000, memoryBytes: 16 * 1024 * 1024 })).toMatchObject({ ok: true });
    await stuck.close();
  });

  it('is killed when it is told to stop', async () => {
    const stop = new AbortController();
    const running = run('for (;;);', { timeoutMs: 60_000, signal: stop.signal });
    stop.abort();
    expect(await running).toMatchObject({ ok: false, failure: { code: 'script-failed' } });
  });

  it('begins no script that was called off while it waited', async () => {
    expect(await run('for (;;);', { timeoutMs: 60_000, signal: AbortSignal.abort() })).toMatchObject({ ok: false, failure: { code: 'script-failed' } });
  });
});
