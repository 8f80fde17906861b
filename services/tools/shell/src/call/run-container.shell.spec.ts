import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '@weft/kernel';
import { eventually } from '@weft/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ToolsBench, type ToolsParts } from '../source/tools.testing.js';
import { callJob, cameTo, startCalls } from './calls.testing.js';

// No engine runs where these specs run. This one takes the same command line, writes it down, and runs the command of `sh -c` here.
// The name "taken" is that of a container of somebody else.
const ENGINE = `#!/bin/sh
echo "$*" >> "@FOLDER@/asked"
[ "$1" = run ] || exit 0
while [ $# -gt 0 ] && [ "$1" != sh ]; do
  [ "$1" = --cidfile ] && id=$2
  [ "$1" = --name ] && name=$2
  shift
done
[ "$name" = taken ] && { echo "Conflict. The container name is already in use" >&2; exit 125; }
[ "$name" = pulling ] && sleep 30
printf "id-of-$name" > "$id"
exec "$@"
`;

let bench: ToolsBench;
let parts: ToolsParts;
const folder = mkdtempSync(join(tmpdir(), 'weft-engine-'));
const asked = (): readonly string[] => readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n');

beforeAll(async () => {
  writeFileSync(join(folder, 'engine'), ENGINE.replace('@FOLDER@', folder));
  chmodSync(join(folder, 'engine'), 0o755);
  bench = await ToolsBench.open();
  parts = await startCalls(bench, { WEFT_RUN_CONTAINER: join(folder, 'engine'), WEFT_PROCESS_TIMEOUT_MS: 800 });
});
beforeEach(() => writeFileSync(join(folder, 'asked'), ''));
afterAll(async () => {
  await bench.close();
  rmSync(folder, { recursive: true });
});

const container = (args: { readonly [name: string]: Json }) => cameTo(parts, callJob('container', { image: 'alpine', ...args }));

describe('run: container', () => {
  it('gives what the container writes, and takes input and arguments', async () => {
    const command = 'input=$(cat)\necho "STDIN was: $input"\necho "ARGS are $1 $2"';
    expect(await container({ stdin: 'Hello World', command, arguments: ['Foo', 'Bar'] })).toEqual({ output: 'STDIN was: Hello World\nARGS are Foo Bar', taint: ['run:container'] });
    expect(asked()[0]).toMatch(/^run --interactive --cidfile \S+ --name x-[0-9a-f]{12}\.acme-x --pull missing alpine sh -c/);
  });

  it('that is late is ended too, not only the client of its engine', async () => {
    expect(await container({ command: 'sleep 30', name: 'late' })).toMatchObject({ code: 'timeout', outcome: 'failed' });
    expect(asked().at(-1)).toBe('kill id-of-late');
    expect(await container({ command: 'sleep 30', name: 'later', lifetime: { cleanup: 'always' } })).toMatchObject({ code: 'timeout' });
    expect(asked().at(-1)).toBe('rm --force id-of-later');
  });

  it('is deleted after its time', async () => {
    expect(await container({ command: 'true', name: 'gone', lifetime: { cleanup: 'eventually', after: { milliseconds: 200 } } })).toMatchObject({ output: '' });
    expect(asked().join()).not.toContain('rm --force');
    await eventually(() => asked().at(-1) === 'rm --force id-of-gone');
  });

  it.each([
    ['has the name of a container of somebody else', { command: 'true', name: 'taken', lifetime: { cleanup: 'eventually', after: { milliseconds: 1 } } }, 'process-failed'],
    ['was not made in time', { command: 'true', name: 'pulling', lifetime: { cleanup: 'always' } }, 'timeout'],
  ])('that %s deletes nothing', async (_what, args, code) => {
    expect(await container(args)).toMatchObject({ code });
    await parts.background.close();
    expect(asked()).toHaveLength(1);
  });

  it('is refused where no engine is named', async () => {
    const without = await startCalls(bench);
    expect(await cameTo(without, callJob('container', { image: 'alpine' }))).toMatchObject({ code: 'not-configured', message: expect.stringContaining('WEFT_RUN_CONTAINER') });
  });
});
