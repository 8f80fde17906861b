import { existsSync } from 'node:fs';
import type { Json } from '@weft/kernel';
import { eventually } from '@weft/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { carry, ToolsBench, type ToolsParts } from '../source/tools.testing.js';
import { callJob, cameTo, startCalls } from './calls.testing.js';

let bench: ToolsBench;
let parts: ToolsParts;
beforeAll(async () => {
  bench = await ToolsBench.open();
  parts = await startCalls(bench, { WEFT_RUN_SHELL: '/bin/sh', WEFT_PROCESS_TIMEOUT_MS: 1_500 });
});
afterAll(() => bench.close());

const shell = (command: string, more: Record<string, Json> = {}) => cameTo(parts, callJob('shell', { command, ...more }));
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('run: shell', () => {
  it('has its arguments in $1 and $2, its environment and its input', async () => {
    const command = 'input=$(cat)\necho "STDIN was: $input"\necho "ARGS are $1 $2 and $NAME"';
    expect(await shell(command, { arguments: ['Foo', 'Bar'], environment: { NAME: 'ada' }, stdin: 'Hello World' })).toEqual({
      output: 'STDIN was: Hello World\nARGS are Foo Bar and ada',
      taint: ['run:shell'],
    });
  });

  it('takes an argument as it is: nothing of it is run', async () => {
    expect(await shell('echo "$1"', { arguments: ['$(id); `id` "; id'] })).toMatchObject({ output: '$(id); `id` "; id' });
  });

  it('gives code, stdout and stderr where all is asked for', async () => {
    expect(await shell('echo out; echo oops >&2; exit 3', { return: 'all' })).toMatchObject({ output: { code: 3, stdout: 'out', stderr: 'oops' } });
  });

  it('fails with another code than 0, and a retry may run it anew', async () => {
    expect(await shell('echo no such order >&2; exit 3')).toMatchObject({
      code: 'process-failed',
      outcome: 'failed',
      needsPerson: false,
      message: expect.stringMatching(/ended with 3: no such order/),
    });
  });

  it('runs in a folder of its own, which goes with it', async () => {
    const { output } = (await shell('echo x > made; pwd')) as { readonly output: string };
    expect(output).toMatch(/weft-run-/);
    expect(existsSync(output)).toBe(false);
  });

  it('finds PATH and its folder in its environment, and nothing of tools', async () => {
    const { output } = (await shell('env | cut -d= -f1 | sort')) as { readonly output: string };
    expect(output.split('\n')).toEqual(expect.arrayContaining(['HOME', 'PATH', 'TMPDIR']));
    expect(output).not.toMatch(/^WEFT_|NODE/m);
  });

  it('that is late is killed with all that it has begun', async () => {
    const before = performance.now();
    const failed = await shell('sleep 60 & echo $! >&2; setsid sleep 60 & wait', { return: 'all' });
    expect(failed).toMatchObject({ code: 'timeout', outcome: 'failed' });
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  it('leaves nothing behind that it began', async () => {
    const { output } = (await shell('sleep 60 >/dev/null 2>&1 & echo $!')) as { readonly output: string };
    await eventually(() => !isAlive(Number(output)));
  });

  it('that writes more than its share is killed', async () => {
    expect(await shell('yes')).toMatchObject({ code: 'output-invalid' });
  });

  it('runs once for a key: a job that comes again is answered from the ledger', async () => {
    const job = callJob('shell', { command: 'date +%s%N' });
    const [first, again] = [await carry(parts, job), await carry(parts, job)];
    expect(again.completeJob?.outputJson).toBe(first.completeJob?.outputJson);
  });

  it('that gives nothing gives nothing again', async () => {
    const job = callJob('shell', { command: 'true', return: 'none' });
    expect(await cameTo(parts, job)).toMatchObject({ output: null });
    expect(await cameTo(parts, job)).toMatchObject({ output: null });
  });

  it('that is given more than the system takes is not begun, and says what to do', async () => {
    expect(await shell('cat', { arguments: ['x'.repeat(200_000)] })).toMatchObject({ code: 'input-invalid', outcome: 'failed', message: expect.stringContaining('as its input') });
    expect(await shell('wc -c', { stdin: 'x'.repeat(200_000) })).toMatchObject({ output: '200000' });
  });

  it('is refused where no shell is named', async () => {
    const without = await startCalls(bench);
    expect(await cameTo(without, callJob('shell', { command: 'id' }))).toMatchObject({ code: 'not-configured', message: expect.stringContaining('WEFT_RUN_SHELL') });
  });

  it('is denied to a workflow without a grant for it', async () => {
    const job = { ...callJob('shell', { command: 'id' }), workflow: 'other/x:1.0.0' };
    expect(await cameTo(parts, job)).toMatchObject({ code: 'denied', message: expect.stringContaining('kinds: [shell]') });
  });
});
