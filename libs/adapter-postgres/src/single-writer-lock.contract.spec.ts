import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPool, type Pool } from './pool.js';
import { openScratchStore, type ScratchStore } from './scratch-store.js';
import { singleWriterLock } from './single-writer-lock.js';

let store: ScratchStore;
let admin: Pool;

beforeAll(async () => {
  store = await openScratchStore([]);
  admin = openPool(store.address, { applicationName: 'spec admin' });
});

afterAll(async () => {
  await admin.end();
  await store.close();
});

describe('singleWriterLock', () => {
  it('lets one in, says so to the next, and lets that in afterwards', async () => {
    const holder = await singleWriterLock(store.address, 'store', { applicationName: 'weft up' });
    expect(await singleWriterLock(store.address, 'store')).toBeUndefined();
    const told: unknown[] = [];
    const waiting = singleWriterLock(store.address, 'store', { waitMs: Infinity, onWait: (by) => told.push(by?.application) });
    await expect.poll(() => told).toEqual(['weft up']);
    await holder!.release();
    await (await waiting)!.release();
  });

  it('waits no longer than it was told, or until it is called off', async () => {
    const holder = await singleWriterLock(store.address, 'store');
    const from = Date.now();
    expect(await singleWriterLock(store.address, 'store', { waitMs: 250 })).toBeUndefined();
    expect(Date.now() - from).toBeGreaterThanOrEqual(250);
    expect(await singleWriterLock(store.address, 'store', { waitMs: Infinity, signal: AbortSignal.timeout(150) })).toBeUndefined();
    await holder!.release();
  });

  it('keeps locks of other names apart', async () => {
    const [one, other] = [await singleWriterLock(store.address, 'one'), await singleWriterLock(store.address, 'other')];
    expect(other).toBeDefined();
    await Promise.all([one!.release(), other!.release()]);
  });

  it('tells of a lock that was lost, and not of one that was given back', async () => {
    const lost = await singleWriterLock(store.address, 'store', { applicationName: 'to be cut' });
    await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'to be cut'`);
    await lost!.lost;
    const given = await singleWriterLock(store.address, 'store');
    await given!.release();
    expect(await Promise.race([given!.lost.then(() => 'lost'), new Promise((resolve) => setTimeout(resolve, 100, 'kept'))])).toBe('kept');
  });

  it('faults when there is no store', async () => {
    await expect(singleWriterLock({ ...store.address, host: '127.0.0.1', port: 1 }, 'store')).rejects.toMatchObject({ name: 'Fault', retryable: true });
  });
});
