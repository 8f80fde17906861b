import { runningEmbedded } from '@weft/adapter-postgres';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { isAlive } from './client/connection.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'weft-cli-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

function weft(...args: string[]): { code: number | null; out: string; err: string } {
  expect(existsSync(MAIN), `${MAIN} is built (tsc -b services/cli)`).toBe(true);
  const { WEFT_URL: _url, WEFT_API_KEY: _key, WEFT_RETENTION_DAYS: _days, ...environment } = process.env;
  const done = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env: { ...environment, WEFT_HOME: home, NO_COLOR: '1' } });
  return { code: done.status, out: done.stdout, err: done.stderr };
}

/** Processes that a process started. */
const childrenOf = (pid: number): readonly number[] =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (parent === pid ? [child!] : []));

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
    [['prove', 'takeover', '--rounds', '-1'], 'Expected a whole number from 0 to 10000.'],
    [['prove', 'kills', '--executions', 'abc'], 'Expected a whole number from 1 to 1000000.'],
    [['prove', 'kills', '--profile', 'cloud'], 'Expected standalone or mesh.'],
    [['prove', 'kills', '--plant', 'weeds'], 'Allowed choices are none, no-key'],
    [['prove', 'failpoints', '--only', 'nothing'], 'Expected a failpoint of standalone that begins with "nothing"'],
    [['bench', 'chain', '--count', '0'], 'Expected a whole number from 1 to 10000000.'],
    [['bench', 'parked', '--settle-seconds', '1.5'], 'Expected a whole number from 1'],
    [['bench', 'growth', '--sizes', '20,10'], 'Expected whole numbers in ascending order'],
    [['bench', 'crash', '--profile', 'mesh'], 'Expected standalone.'],
    [['simulate', '--seeds', '0'], 'Expected a whole number from 1'],
    [['simulate', '--trace'], 'Expected --seed with --trace'],
    [['bulk', 'fork'], 'Expected cancel, pause, resume, terminate, retry.'],
    [['bulk', 'cancel'], 'Expected at least one condition'],
    [['archive', 'run'], 'Expected --before, or WEFT_RETENTION_DAYS, but neither is set'],
    [['archive', 'run', '--before', '1h'], 'Expected a time at least 8 days ago'],
    [['archive', 'run', '--before', '2999-01-01T00:00:00Z', '--dry-run'], 'Expected a time that has passed'],
    [['archive', 'show', join(home, 'nothing.jsonl.gz')], 'there is no such file'],
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

  it('lists no archives where there is no folder of them', () => {
    expect(weft('archive', 'list', '--json')).toMatchObject({ code: 0, out: '[]\n' });
  });

  it.each([
    { args: ['simulate', '--seeds', '100000'], works: /\d+ of \d+/ },
    { args: ['bench', 'parked', '--count', '100000'], works: /warming up/ },
  ])('stops what it started at Ctrl-C, and ends with 130: $args', { timeout: 120_000 }, async ({ args, works }) => {
    const child = spawn(process.execPath, [MAIN, ...args, '--json'], { env: { ...process.env, WEFT_HOME: home, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    const working = new Promise<void>((resolve) => child.stderr.setEncoding('utf8').on('data', (text: string) => works.test((err += text)) && resolve()));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    await Promise.race([working, ended]);
    const started = childrenOf(child.pid!);
    expect(started).not.toEqual([]);
    child.kill('SIGINT');
    expect([await ended, out]).toEqual([130, '']);
    expect(err).toContain('Interrupted before it was done.');
    expect(started.filter(isAlive)).toEqual([]);
    expect(runningEmbedded(join(home, 'bench', 'postgres'))).toBeUndefined();
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
    'bulk',
    'models',
    'reviews',
    'review show',
    'review claim',
    'review release',
    'review delegate',
    'review comment',
    'review decide',
    'review approve',
    'review reject',
    'keys create',
    'tools',
    'tools show',
    'tools diff',
    'tools accept',
    'tools reject',
    'effects',
    'effects show',
    'authorize',
    'kill',
    'revive',
    'kills',
    'budgets',
    'budgets set',
    'budgets remove',
    'run',
    'conformance mcp-server',
    'conformance mcp-client',
    'prove effects',
    'prove permissions',
    'prove budgets',
    'prove egress',
    'prove agents',
    'signal',
    'audit verify',
    'archive run',
    'archive list',
    'archive show',
    'archive verify',
    'bench',
    'bench chain',
    'bench fanout',
    'bench infer',
    'bench parked',
    'bench growth',
    'bench overload',
    'bench crash',
    'prove kills',
    'prove failpoints',
    'prove takeover',
    'prove streams',
    'simulate',
    'test',
    'db migrate',
  ])('%s --help ends with 0 and has examples', (command) => {
    const { code, out } = weft(...command.split(' '), '--help');
    expect(code).toBe(0);
    expect(out).toContain('Examples:\n');
  });
});
