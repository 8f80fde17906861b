import { describe, expect, it } from 'vitest';
import { runChild } from './child.js';

const idle = 'setInterval(() => undefined, 1000);';
const never = new AbortController().signal;

describe('runChild', () => {
  it('keeps exit code and output, standard output also by itself', async () => {
    const result = await runChild(process.execPath, ['-e', "process.stdout.write('data'); process.stderr.write('remark'); process.exitCode = 3;"], { timeoutMs: 10_000, signal: never });
    expect(result).toMatchObject({ code: 3, stdout: 'data' });
    expect(result.output).toContain('remark');
  });

  it('ends a program that takes too long, and says so', async () => {
    const result = await runChild(process.execPath, ['-e', idle], { timeoutMs: 200, signal: never });
    expect(result.code).toBe(-1);
    expect(result.output).toContain('the time it may take');
  });

  it('ends the program when it is interrupted', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 100);
    expect((await runChild(process.execPath, ['-e', idle], { timeoutMs: 10_000, signal: abort.signal })).output).toContain('interrupted');
  });

  it('does not wait for what the program left running', async () => {
    const leaves = `require('node:child_process').spawn(process.execPath, ['-e', 'setTimeout(() => undefined, 5000)'], { stdio: 'inherit', detached: true }).unref();`;
    const startedAt = performance.now();
    expect(await runChild(process.execPath, ['-e', leaves], { timeoutMs: 15_000, signal: never })).toMatchObject({ code: 0 });
    expect(performance.now() - startedAt).toBeLessThan(4_900);
  });

  it('answers with the reason when the program cannot be started', async () => {
    expect(await runChild('/nowhere/program', [], { timeoutMs: 1_000, signal: never })).toMatchObject({ code: -1, output: expect.stringContaining('ENOENT') });
  });
});
