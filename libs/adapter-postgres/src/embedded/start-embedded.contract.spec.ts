import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StoreAddress } from '../store-address.js';
import { findBinaries } from './binaries.js';
import { postmasterOf } from './postmaster.js';
import { runningEmbedded, startEmbedded, stopEmbedded, type Embedded } from './start-embedded.js';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));
const isRoot = process.getuid?.() === 0;

let folder: string;
let root: string;

beforeAll(() => {
  // Children start from what is built, as the product does.
  expect(existsSync(join(PACKAGE, 'dist', 'index.js')), 'the package is built').toBe(true);
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-spec-'));
  chmodSync(folder, 0o755);
  root = join(folder, 'postgres');
});

afterEach(async () => {
  await stopEmbedded(root);
  rmSync(folder, { recursive: true, force: true });
});

async function ask<R extends object>(address: StoreAddress, text: string): Promise<R[]> {
  const client = new pg.Client({ host: address.host, port: address.port, user: address.user, database: address.database });
  await client.connect();
  try {
    return (await client.query<R>(text)).rows;
  } finally {
    await client.end();
  }
}

/** A process that starts the server, says where, and waits to be killed. */
function parentProcess(user: { readonly uid?: number; readonly gid?: number } = {}): {
  readonly child: ChildProcess;
  readonly started: Promise<Pick<Embedded, 'address' | 'postmasterPid' | 'adopted'>>;
} {
  const script = `import { startEmbedded } from ${JSON.stringify(join(PACKAGE, 'dist', 'index.js'))};
    console.log(JSON.stringify(await startEmbedded({ root: process.argv[1] })));
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, root], { ...user, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
  const started = new Promise<Embedded>((resolve, reject) => {
    let [said, complained] = ['', ''];
    child.stderr!.on('data', (chunk: Buffer) => (complained += chunk.toString()));
    child.stdout!.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('\n')) resolve(JSON.parse(said) as Embedded);
    });
    child.once('exit', () => reject(new Error(`the parent ended: ${complained}`)));
  });
  return { child, started };
}

/** initdb wants its user to have an account; these two exist on every Unix. */
function accountOf(name: string): { readonly uid: number; readonly gid: number } {
  const id = (flag: string): number => Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

describe('startEmbedded', () => {
  it('creates a store, keeps what was committed over a stop, and says that it is durable', async () => {
    const first = await startEmbedded({ root });
    expect(first).toMatchObject({ adopted: false, address: { database: 'weft', user: 'postgres' } });
    await ask(first.address, 'create table kept as select 7 as n');
    expect(await ask(first.address, `select string_agg(setting, ' ' order by name) as s from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums')`)).toEqual(
      [{ s: 'on on on on' }],
    );
    expect(await ask(first.address, `select lower('ÄÉ') as folded, 'Z' < 'a' as bytewise, getdatabaseencoding() as encoding`)).toEqual([{ folded: 'äé', bytewise: true, encoding: 'UTF8' }]);
    await first.stop();
    await first.stop();
    expect(runningEmbedded(root)).toBeUndefined();
    const second = await startEmbedded({ root });
    expect(await ask(second.address, 'select n from kept')).toEqual([{ n: 7 }]);
  });

  it('lets nobody else in: no TCP, a socket in a folder of its own', async () => {
    const { address } = await startEmbedded({ root });
    expect(await ask(address, 'show listen_addresses')).toEqual([{ listen_addresses: '' }]);
    expect(statSync(address.host).mode & 0o777).toBe(0o700);
    expect(statSync(root).mode & 0o777).toBe(0o700);
  });

  it('takes over the server of a process that was killed with -9', async () => {
    const { child, started } = parentProcess();
    const { address, postmasterPid } = await started;
    await ask(address, 'create table kept as select 7 as n');
    await kill(child);
    const next = await startEmbedded({ root });
    expect(next).toMatchObject({ adopted: true, postmasterPid });
    expect(await ask(next.address, 'select n from kept')).toEqual([{ n: 7 }]);
    await next.stop();
    expect(postmasterOf(join(root, 'data'))).toBeUndefined();
  });

  it('gives several starters the same server, from an empty folder on', async () => {
    const parents = [parentProcess(), parentProcess()];
    const [here, ...there] = await Promise.all([startEmbedded({ root }), ...parents.map(({ started }) => started)]);
    expect(new Set([here.postmasterPid, ...there.map((one) => one.postmasterPid)])).toHaveProperty('size', 1);
    expect([here, ...there].filter((one) => !one.adopted)).toHaveLength(1);
    await Promise.all(parents.map(({ child }) => kill(child)));
  });

  it('keeps what was committed when the server is killed, over and over', async () => {
    let server = await startEmbedded({ root });
    await ask(server.address, 'create table kept (n int)');
    for (let turn = 1; turn <= 3; turn++) {
      await ask(server.address, `insert into kept values (${turn})`);
      process.kill(server.postmasterPid, 'SIGKILL');
      server = await startEmbedded({ root });
      expect(server.adopted).toBe(false);
      expect(await ask(server.address, 'select count(*)::int as n from kept')).toEqual([{ n: turn }]);
    }
  });

  it('starts over after an initdb that did not finish, and keeps what it found aside', async () => {
    mkdirSync(join(root, 'data', 'base'), { recursive: true });
    writeFileSync(join(root, 'data', 'postgresql.conf'), '');
    expect(await ask((await startEmbedded({ root })).address, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(existsSync(join(root, 'unfinished'))).toBe(true);
  });

  it('refuses data of another major version, and leaves it alone', async () => {
    mkdirSync(join(root, 'data'), { recursive: true });
    writeFileSync(join(root, 'data', 'PG_VERSION'), '16\n');
    await expect(startEmbedded({ root })).rejects.toMatchObject({ name: 'Fault', retryable: false, message: expect.stringMatching(/^Expected data of PostgreSQL 18 .* version 16/) });
    expect(readFileSync(join(root, 'data', 'PG_VERSION'), 'utf8')).toBe('16\n');
  });

  it('is not misled by a pid file that names a process of somebody else', async () => {
    await (await startEmbedded({ root })).stop();
    writeFileSync(join(root, 'data', 'postmaster.pid'), `${process.pid}\n${join(root, 'data')}\n`);
    expect(runningEmbedded(root)).toBeUndefined();
    expect((await startEmbedded({ root })).adopted).toBe(false);
  });

  it('finds the same server through a link', async () => {
    const { postmasterPid } = await startEmbedded({ root });
    const link = join(folder, 'link');
    symlinkSync(root, link);
    expect(runningEmbedded(link)?.postmasterPid).toBe(postmasterPid);
  });

  it('puts the socket elsewhere when its path would be too long', async () => {
    root = join(folder, 'long-'.repeat(20), 'postgres');
    const { address } = await startEmbedded({ root });
    expect(address.host.startsWith(root)).toBe(false);
    expect(statSync(address.host).mode & 0o777).toBe(0o700);
    expect(await ask(address, 'select 1 as one')).toEqual([{ one: 1 }]);
    rmSync(address.host, { recursive: true, force: true });
  });

  it('says what the server says when it does not start', async () => {
    await expect(startEmbedded({ root, settings: { max_connections: 'many' } })).rejects.toMatchObject({
      name: 'Fault',
      message: expect.stringMatching(/Expected the embedded PostgreSQL to start.*max_connections/s),
    });
  });

  it.runIf(isRoot)('works for an ordinary user; root then runs that store as its owner', async () => {
    const [user, other] = [accountOf('daemon'), accountOf('bin')];
    chmodSync(folder, 0o777);
    const { child, started } = parentProcess(user);
    const { postmasterPid, address } = await started;
    expect(statSync(join(root, 'data'))).toMatchObject(user);
    await ask(address, 'create table kept as select 7 as n');
    await kill(child);
    await (await startEmbedded({ root })).stop();
    const again = await startEmbedded({ root });
    expect(again.postmasterPid).not.toBe(postmasterPid);
    expect(await ask(again.address, 'select n from kept')).toEqual([{ n: 7 }]);
    expect(statSync(join(root, 'data'))).toMatchObject(user);
    const stranger = parentProcess(other);
    await expect(stranger.started).rejects.toThrow(/Fault: Expected .* to belong to uid/);
  });
});

describe.runIf(isRoot)('findBinaries', () => {
  it("copies the binaries to where the server's user reaches them, whole and once", () => {
    const installed = findBinaries({}, folder);
    const closed = join(folder, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    cpSync(dirname(dirname(installed.postgres)), join(closed, 'native'), { recursive: true, verbatimSymlinks: true });
    const native = { path: join(closed, 'native'), version: '18.0' };
    const nobody = { uid: 65_534, gid: 65_534 };
    const copied = findBinaries(nobody, folder, native);
    expect(copied.postgres).toBe(join(folder, 'native-18.0', 'bin', 'postgres'));
    const { mtimeMs } = statSync(copied.postgres);
    expect(statSync(findBinaries(nobody, folder, native).postgres).mtimeMs).toBe(mtimeMs);
    expect(spawnSync(copied.initdb, ['--version'], { ...nobody, cwd: '/' }).status).toBe(0);
  });
});
