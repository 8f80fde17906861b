import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@weft/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { acceptAll, carried, npmServer, openSourcesBench, outputOf, type SourcesBench } from '../sources.testing.js';

let bench: SourcesBench;
beforeAll(async () => {
  bench = await openSourcesBench();
});
afterEach(() => bench.stopAll());
afterAll(() => bench.close());

describe('server-everything over stdio', () => {
  const everything = (name: string, more: object = {}) => ({ name, mcp: { command: process.execPath, args: [npmServer('server-everything')] }, ...more });

  it('offers tools that nobody may call until they are accepted', async () => {
    const tools = await bench.start([everything('all', { tools: [{ match: 'echo', effect: 'read' }] })]);
    await tools.sources.all[0]?.look();
    expect((await carried(tools, 'all.echo', { message: 'hi' })).failJob).toMatchObject({ outcome: 'none', failure: { code: 'tool-quarantined', retryable: false } });
    await acceptAll(tools, 'all');
    const done = await carried(tools, 'all.echo', { message: 'hi' });
    expect(outputOf(done)).toContain('hi');
    expect(done.completeJob?.taint).toEqual(['tool:all.echo']);
    expect(JSON.parse(done.completeJob?.evidenceJson ?? '')).toMatchObject({ tool: 'all.echo', effect: 'read', source: 'all' });
  });

  it('gives structured content before text, and keeps a write in the ledger', async () => {
    const tools = await bench.start([everything('structured', { tools: [{ match: 'get-structured-content', effect: 'idempotent-write' }] })]);
    await acceptAll(tools, 'structured');
    const done = await carried(tools, 'structured.get-structured-content', { location: 'New York' });
    expect(outputOf(done)).toMatchObject({ temperature: expect.any(Number) });
    const { effects } = await tools.shown.listEffects({ limit: 0, cursor: '', state: 'confirmed', executionId: done.executionId, tool: '' }, done.context!);
    expect(effects).toMatchObject([{ tool: 'structured.get-structured-content', state: 'confirmed', attempts: 1, settledBy: 'answer' }]);
  });

  it('is held to its schema before it is asked', async () => {
    const tools = await bench.start([everything('checked', { effect: 'read' })]);
    await acceptAll(tools, 'checked');
    expect((await carried(tools, 'checked.echo', { message: 7 })).failJob).toMatchObject({ failure: { code: 'input-invalid' } });
  });
});

describe('server-everything over streamable HTTP', () => {
  let server: ChildProcess;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    server = spawn(process.execPath, [npmServer('server-everything'), 'streamableHttp'], { env: { ...process.env, PORT: String(port) }, stdio: 'ignore' });
    await eventually(async () => (await fetch(`http://127.0.0.1:${port}/mcp`, { method: 'POST', body: '{}' }).catch(() => undefined)) !== undefined, { timeoutMs: 20_000 });
  });
  afterAll(() => void server.kill('SIGKILL'));

  it('speaks with a handshake and sessions', async () => {
    const tools = await bench.start([{ name: 'web', mcp: { url: `http://127.0.0.1:${port}/mcp` }, tools: [{ match: 'get-sum', effect: 'read' }] }]);
    await acceptAll(tools, 'web');
    const done = await carried(tools, 'web.get-sum', { a: 2, b: 3 });
    expect(outputOf(done)).toContain('5');
    expect(JSON.parse(done.completeJob?.evidenceJson ?? '')).toMatchObject({ protocol: expect.stringMatching(/^2025-/) });
  });
});

describe('server-filesystem', () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'weft-files-')));
    writeFileSync(join(folder, 'a.txt'), 'inside');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is not even asked for a path outside of its folder', async () => {
    const mcp = { command: process.execPath, args: [npmServer('server-filesystem'), folder] };
    const within = { within: folder };
    const limits = { properties: { path: within, source: within, destination: within, paths: { items: within } } };
    const tools = await bench.start([{ name: 'files', mcp, effect: 'read', arguments: limits }]);
    await acceptAll(tools, 'files');
    expect(outputOf(await carried(tools, 'files.read_text_file', { path: join(folder, 'a.txt') }))).toMatchObject({ content: 'inside' });
    for (const path of ['/etc/passwd', `${folder}/../../etc/passwd`, `${folder}/./../x`, `${folder}-other/x`, `${folder}/%2e%2e/x`, 'a.txt', `${folder}\\..\\x`, '~/x', `${folder}/a\u0000.txt`]) {
      expect((await carried(tools, 'files.read_text_file', { path })).failJob, path).toMatchObject({ outcome: 'none', failure: { code: 'denied' } });
    }
    const inside = join(folder, 'a.txt');
    for (const [tool, args] of [
      ['read_multiple_files', { paths: [inside, '/etc/passwd'] }],
      ['move_file', { source: '/etc/passwd', destination: join(folder, 'b.txt') }],
      ['move_file', { source: inside, destination: '/tmp/weft-out.txt' }],
    ] as const)
      expect((await carried(tools, `files.${tool}`, args as never)).failJob, tool).toMatchObject({ outcome: 'none', failure: { code: 'denied' } });
  });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : expect.unreachable('no port');
}
