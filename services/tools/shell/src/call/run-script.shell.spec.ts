import type { Json } from '@weft/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ToolsBench, type ToolsParts } from '../source/tools.testing.js';
import { callJob, cameTo, startCalls } from './calls.testing.js';

let bench: ToolsBench;
let parts: ToolsParts;
beforeAll(async () => {
  bench = await ToolsBench.open();
  parts = await startCalls(bench, { WEFT_RUN_PYTHON: 'python3', WEFT_SCRIPT_TIMEOUT_MS: 4_000 });
});
afterAll(() => bench.close());

const js = (code: string, more: Record<string, Json> = {}) => cameTo(parts, callJob('script', { language: 'js', code, ...more }));
const all = { return: 'all' };

describe('run: script in JavaScript', () => {
  it('gives what it writes to stdout, without the line break at its end', async () => {
    expect(await js('console.log("at", { n: 1 }); console.info(2)')).toEqual({ output: 'at {"n":1}\n2', taint: [] });
  });

  it('has its arguments in process.argv, from the third on, its environment and its input', async () => {
    const code = 'const [_, __, one, two] = process.argv; console.log(one, two, process.env.NAME, process.stdin.read())';
    expect(await js(code, { arguments: ['hello', 'world'], environment: { NAME: 'ada', COUNT: 3 }, stdin: { a: 1 } })).toMatchObject({ output: 'hello world ada {"a":1}' });
  });

  it.each([
    ['an iteration', 'let all = ""; for await (const piece of process.stdin) all += piece; console.log(all)'],
    ['its events', 'let all = ""; process.stdin.setEncoding("utf8").on("data", (piece) => (all += piece)).on("end", () => console.log(all))'],
  ])('reads its input by %s', async (_how, code) => {
    expect(await js(code, { stdin: 'words' })).toMatchObject({ output: 'words' });
  });

  it('may await at its top, and use what ES2024 brought', async () => {
    expect(await js('const by = Object.groupBy([1, 2, 3], (n) => (n % 2 ? "odd" : "even")); console.log(JSON.stringify(await Promise.resolve(by)))')).toMatchObject({
      output: '{"odd":[1,3],"even":[2]}',
    });
  });

  it.each([
    ['stderr', 'oops'],
    ['code', 3],
    ['all', { code: 3, stdout: 'out', stderr: 'oops' }],
  ] as const)('gives its %s where that is asked for, whatever its code', async (returns, output) => {
    expect(await js('console.log("out"); console.error("oops"); process.exit(3); console.log("never")', { return: returns })).toMatchObject({ output });
  });

  it('gives nothing where nothing is asked for', async () => {
    expect(await js('console.log("out")', { return: 'none' })).toMatchObject({ output: null });
  });

  it('fails with what it threw, where its stdout is asked for', async () => {
    expect(await js('console.log(1); throw new TypeError("no such order")')).toMatchObject({ code: 'process-failed', message: expect.stringContaining('TypeError: no such order') });
    expect(await js('process.exitCode = 4')).toMatchObject({ code: 'process-failed', message: expect.stringContaining('ended with 4') });
  });

  it('tells where it threw by the lines of its author, and nothing of what runs it', async () => {
    expect(await js('function buy() {\n  throw new TypeError("no such order");\n}\nbuy()', all)).toMatchObject({
      output: { code: 1, stderr: 'TypeError: no such order\n    at buy (script.js:2:22)\n    at script.js:4:4' },
    });
    expect(await js('const a = 1;\nconst b = ;', all)).toMatchObject({ output: { stderr: expect.stringMatching(/^SyntaxError: .*\n {4}at script\.js:2:\d+$/) } });
    expect(await js('console.log(new Error("seen"))')).toMatchObject({ output: expect.stringMatching(/^Error: seen\n {4}at script\.js:1:\d+$/) });
  });

  it('that cannot be parsed ends with code 1 and says so', async () => {
    expect(await js('return 1 +', all)).toMatchObject({ output: { code: 1, stderr: expect.stringContaining('SyntaxError') } });
  });

  it.each([
    ['its time', 'while (true);', 'timeout'],
    ['its memory', 'const all = []; while (true) all.push(new Array(10000).fill(1))', 'script-failed'],
    ['its output', 'console.log("x".repeat(300 * 1024))', 'output-invalid'],
  ])('that exceeds %s is ended', async (_what, code, expected) => {
    expect(await js(code)).toMatchObject({ code: expected, outcome: 'none' });
  });

  it('reaches nothing outside', async () => {
    expect(await js('console.log([typeof fetch, typeof require, typeof setTimeout, Object.keys(process.env).length].join())')).toMatchObject({ output: 'undefined,undefined,undefined,0' });
  });

  it('that replaces what its program needs fails, or is itself deceived', async () => {
    expect(await js('Promise.prototype.then = () => 1; console.log("a")')).toHaveProperty('code');
  });

  it('that nobody waits for has begun when its task goes on', async () => {
    expect(await js('while (true);', { await: false })).toMatchObject({ output: null });
    await parts.background.close();
  });

  it('is refused in a language that there is not', async () => {
    expect(await cameTo(parts, callJob('script', { language: 'ruby', code: 'puts 1' }))).toMatchObject({ code: 'input-invalid', message: expect.stringContaining('language is "ruby"') });
  });
});

describe('run: script in Python', () => {
  const python = (code: string, more: Record<string, Json> = {}) => cameTo(parts, callJob('script', { language: 'python', code, ...more }));

  it('runs by the interpreter that the operator names', async () => {
    const code = 'import sys, os\nprint(sys.argv[1], os.environ["NAME"], sys.stdin.read(), "HOME" in os.environ)';
    expect(await python(code, { arguments: ['hello'], environment: { NAME: 'ada' }, stdin: 'words' })).toEqual({ output: 'hello ada words True', taint: ['run:script'] });
  });

  it('finds nothing of the environment of tools', async () => {
    process.env['WEFT_SECRET_SPEC'] = 'not for scripts';
    expect(await python('import os\nprint("WEFT_SECRET_SPEC" in os.environ)')).toMatchObject({ output: 'False' });
    delete process.env['WEFT_SECRET_SPEC'];
  });

  it('fails with the words of its error', async () => {
    expect(await python('raise ValueError("no such order")')).toMatchObject({ code: 'process-failed', message: expect.stringContaining('ValueError: no such order'), needsPerson: false });
  });

  it('is refused where no interpreter is named', async () => {
    const without = await startCalls(bench);
    expect(await cameTo(without, callJob('script', { language: 'python', code: 'print(1)' }))).toMatchObject({ code: 'not-configured', message: expect.stringContaining('WEFT_RUN_PYTHON') });
  });
});
