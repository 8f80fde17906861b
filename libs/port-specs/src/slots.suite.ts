// What all Slots do.
import { randomUUID } from 'node:crypto';
import type { Slots } from '@weft/pipeline';
import { afterAll, expect, it, vi } from 'vitest';
import { describeAgainst, type ServerUnderTest } from './server-under-test.js';

export interface SlotsBinding {
  readonly name: string;
  /** The server the adapter needs; none for one that lives in the process. */
  readonly server?: ServerUnderTest;
  readonly create: () => Promise<Slots>;
  /** Called once after all tests. */
  readonly destroy?: () => Promise<void>;
}

/** Describes the contract of the Slots port for one adapter. */
export function describeSlots({ name, server, create, destroy }: SlotsBinding): void {
  describeAgainst(server, `Slots: ${name}`, () => {
    afterAll(async () => destroy?.());

    it('gives as many places as there are, however many ask at once, each key by itself', async () => {
      const slots = await create();
      const key = randomUUID();
      const taken = await Promise.all(Array.from({ length: 20 }, () => slots.take(key, 3)));
      expect(taken.filter((release) => release !== undefined)).toHaveLength(3);
      expect(await slots.take(randomUUID(), 1)).toBeDefined();
    });

    it('gives a place again that was given back, and once alone when it is given back twice', async () => {
      const slots = await create();
      const key = randomUUID();
      const [first] = [await slots.take(key, 2), await slots.take(key, 2)];
      first!();
      first!();
      await vi.waitFor(async () => expect(await slots.take(key, 2)).toBeDefined(), { timeout: 3_000 });
      expect(await slots.take(key, 2)).toBeUndefined();
    });
  });
}
