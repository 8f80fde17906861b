import { connect } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adoptProcess, startProcess, type ProcessServer } from './process-server.js';

let root: string;
beforeEach(async () => void (root = await mkdtemp(join(tmpdir(), 'weft-server-'))));
afterEach(() => rm(root, { recursive: true, force: true }));

const freePort = (): number => 20_000 + Math.floor(Math.random() * 20_000);
const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve((socket.destroy(), true)));
    socket.once('error', () => resolve(false));
  });
const server = (port: number, script: string): ProcessServer => ({
  name: 'redis',
  root,
  port,
  file: process.execPath,
  args: ['-e', script, root],
  mark: root,
  isAnswering: () => isListening(port),
  startMs: 10_000,
});
const listen = (port: number): string => `require('net').createServer(s => s.destroy()).listen(${port}, '127.0.0.1')`;

describe('process servers', () => {
  it('start, and are found again by a later start', async () => {
    const given = server(freePort(), listen(0));
    const options = { ...given, args: ['-e', listen(given.port), root] };
    const started = await startProcess(options);
    if (typeof started === 'string') return expect.fail(started);
    const adopted = await adoptProcess(options);
    expect(adopted).toMatchObject({ address: started.address, pid: started.pid });
    await adopted?.stop();
    expect(await isListening(options.port)).toBe(false);
    expect(await adoptProcess(options)).toBeUndefined();
  });

  it('say what they wrote last when they end instead of answering', async () => {
    const given = server(freePort(), "console.error('no such luck'); process.exit(3)");
    expect(await startProcess(given)).toMatch(/exit code 3.*no such luck/);
  });

  it('are stopped when they run on another port than the one asked for', async () => {
    const port = freePort();
    const options = server(port, listen(port));
    const started = await startProcess(options);
    if (typeof started === 'string') return expect.fail(started);
    expect(await adoptProcess({ ...options, port: port + 1 })).toBeUndefined();
    expect(await isListening(port)).toBe(false);
  });
});
