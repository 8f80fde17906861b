import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shopMigrations } from '../fixtures/shop.migrations.js';
import { openPool } from './pool.js';
import { openScratchStore, type ScratchStore } from './scratch-store.js';

describe('openScratchStore', () => {
  let stores: ScratchStore[];

  beforeAll(async () => {
    stores = await Promise.all([openScratchStore([shopMigrations]), openScratchStore([shopMigrations]), openScratchStore([])]);
  });

  afterAll(() => Promise.all(stores.map((store) => store.close())));

  it('gives each caller a database of its own on one server', async () => {
    expect(new Set(stores.map(({ address }) => address.host)).size).toBe(1);
    const [one, other] = stores.slice(0, 2).map((store) => openPool(store.address, { applicationName: 'spec', role: 'weft_shop_engine' }));
    await one!.query(`insert into shop.counters values ('n', 1)`);
    expect((await other!.query('select from shop.counters')).rowCount).toBe(0);
    await Promise.all([one!.end(), other!.end()]);
  });

  it('removes a database although somebody is still connected', async () => {
    const store = await openScratchStore([]);
    const pool = openPool(store.address, { applicationName: 'spec' });
    await pool.query('select 1');
    await store.close();
    await expect(pool.query('select 1')).rejects.toThrow();
    await pool.end();
  });

  it.each(['SIGKILL', 'exit'])('leaves nothing behind when its process ends by %s', async (way) => {
    const script = `import { openScratchStore } from ${JSON.stringify(fileURLToPath(new URL('../dist/index.js', import.meta.url)))};
      console.log((await openScratchStore([])).address.host);
      if (process.argv[1] === 'exit') await new Promise((resolve) => process.stdin.resume().once('end', resolve));
      else setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, way], { stdio: ['pipe', 'pipe', 'inherit'] });
    const socket = await new Promise<string>((resolve) => child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())));
    expect(existsSync(socket)).toBe(true);
    if (way === 'exit') child.stdin.end();
    else child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    await expect.poll(() => existsSync(dirname(socket)), { timeout: 10_000 }).toBe(false);
  });
});
