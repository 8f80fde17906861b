import { runningEmbedded } from '@weft/adapter-postgres';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'weft-run-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const HEAD = "document: {dsl: '1.0.3', namespace: test, name: sum, version: 1.0.0}\n";

async function weftRun(document: string, ...flags: string[]): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const file = join(home, `${Math.random()}.yaml`);
  writeFileSync(file, HEAD + document);
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
});
