import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byteaArray, intArray, smallintArray, textArray, uuidArray } from './binary-array.js';
import { openPool, type Pool } from './pool.js';
import { openScratchStore, type ScratchStore } from './scratch-store.js';

let store: ScratchStore;
let pool: Pool;

beforeAll(async () => {
  store = await openScratchStore([]);
  pool = openPool(store.address, { applicationName: 'spec arrays' });
});

afterAll(async () => {
  await pool.end();
  await store.close();
});

const told = async (type: string, value: Buffer): Promise<unknown> => (await pool.query<{ told: unknown }>(`select $1::${type}[] as told`, [value])).rows[0]?.told;

describe('an array in binary form', () => {
  it.each([[[]], [['']], [['a', 'b"c', '{x,y}', 'NULL', '\\', 'größer', '日本語', '𝄞', 'x'.repeat(100_000)]]])('arrives as the texts that it was made of', async (values: string[]) => {
    expect(await told('text', textArray(values))).toEqual(values);
  });

  it('arrives as the UUIDs, numbers and bytes that it was made of', async () => {
    const uuids = [randomUUID(), '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'];
    expect(await told('uuid', uuidArray(uuids))).toEqual(uuids);
    expect(await told('int', intArray([0, -1, 2 ** 31 - 1, -(2 ** 31)]))).toEqual([0, -1, 2 ** 31 - 1, -(2 ** 31)]);
    expect(await told('smallint', smallintArray([0, 4095, -32_768]))).toEqual([0, 4095, -32_768]);
    expect(await told('bytea', byteaArray([Buffer.from([0, 1]), Buffer.from([255, 254])], 2))).toEqual([Buffer.from([0, 1]), Buffer.from([255, 254])]);
    expect(await told('uuid', uuidArray([]))).toEqual([]);
  });

  it('is refused by the server when a text holds a NUL character', async () => {
    await expect(told('text', textArray(['a\0b']))).rejects.toMatchObject({ code: '22021' });
  });
});
