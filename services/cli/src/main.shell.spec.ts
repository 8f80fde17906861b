import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'weft-cli-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

function weft(...args: string[]): { code: number | null; out: string; err: string } {
  expect(existsSync(MAIN), `${MAIN} is built (tsc -b services/cli)`).toBe(true);
  const { WEFT_URL: _url, WEFT_API_KEY: _key, ...environment } = process.env;
  const done = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env: { ...environment, WEFT_HOME: home, NO_COLOR: '1' } });
  return { code: done.status, out: done.stdout, err: done.stderr };
}

describe('the weft command', () => {
  it.each([
    [['publsh', 'x'], '(Did you mean publish?)'],
    [['publish', '--wiat', 'x'], '(Did you mean --wait?)'],
    [['publish'], "missing required argument 'file'"],
    [['publish', join(home, 'nothing.json')], 'there is no such file'],
    [['executions', '--limit', 'many'], 'Expected a whole number from 1 to 100000.'],
    [['executions', '--status', 'broken'], 'Expected running or waiting'],
    [['up', '--profile', 'cloud'], 'Expected standalone or mesh.'],
    [['up', '--profile', 'mesh', '--replicas', 'orchestration=0'], 'Expected service=n'],
    [['up', '--profile', 'mesh', '--replicas', 'gateway=2'], 'Expected service=n'],
    [['up', '--replicas', 'orchestration=3'], 'Expected --replicas with --profile mesh'],
    [['prove', 'takeover', '--rounds', 'many'], 'Expected --rounds to be a whole number'],
    [['review', 'decide', 'r1', 'approved', '--form', '{'], 'Expected JSON:'],
    [['signal', 'x'], 'Expected either --type or --event but got neither.'],
    [['signal', '--type', 't', '--event', 'f'], 'but got both.'],
    [['signal', '--type', 't', '--data', '{'], 'Expected JSON:'],
    [['signal', '--event', 'f', '--id', 'x'], 'Expected nothing beside --event'],
    [['signal', '--event', join(home, 'nothing.json')], 'there is no such file'],
  ])('ends with 2 and a sentence for %j', (args, sentence) => {
    const { code, out, err } = weft(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(sentence);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it('ends with 2 for an event file that is no JSON, and says where it stops to be', () => {
    writeFileSync(join(home, 'bad.json'), '{"id": 1,}');
    const { code, err } = weft('publish', join(home, 'bad.json'));
    expect(code).toBe(2);
    expect(err).toContain('Expected a CloudEvent as JSON');
  });

  it('ends with 69 where Weft does not run, and says how to start it', () => {
    const { code, err } = weft('executions');
    expect(code).toBe(69);
    expect(err).toContain('./weft up');
  });

  it('finds nothing to stop where nothing runs', () => {
    expect(weft('down', '--json')).toMatchObject({ code: 0, out: '{"stopped":[]}\n' });
  });

  it.each([
    'up',
    'down',
    'demo',
    'publish',
    'deploy',
    'show',
    'cancel',
    'pause',
    'resume',
    'terminate',
    'retry',
    'fork',
    'reset',
    'executions',
    'reviews',
    'review decide',
    'signal',
    'audit verify',
    'db migrate',
  ])('%s --help ends with 0 and has examples', (command) => {
    const { code, out } = weft(...command.split(' '), '--help');
    expect(code).toBe(0);
    expect(out).toContain('Examples:\n');
  });
});
