// What every PayloadStore does.
import { payloadOf } from '@weft/contracts';
import { payloadKey, type PayloadStore } from '@weft/pipeline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

export interface PayloadStoreBinding {
  readonly name: string;
  readonly create: () => Promise<PayloadStore>;
  /** Called once after all tests. */
  readonly destroy?: () => Promise<void>;
}

/** Describes the contract of the PayloadStore port for one adapter. */
export function describePayloadStore({ name, create, destroy }: PayloadStoreBinding): void {
  describe(`PayloadStore: ${name}`, () => {
    let store: PayloadStore;
    beforeAll(async () => {
      store = await create();
    });
    afterAll(async () => destroy?.());

    const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

    it('gives the bytes that it was given, of many at once', async () => {
      const payloads = ['a', 'ünï 🧵', 'x'.repeat(300_000), '\u0000\u0001'].map((text) => payloadOf('default', bytesOf(text)));
      await store.put(payloads);
      const found = await store.get(payloads);
      for (const payload of payloads) expect(Buffer.from(found.get(payloadKey(payload))!).equals(Buffer.from(payload.bytes))).toBe(true);
    });

    it('takes the same payload again, in one batch and in another', async () => {
      const payload = payloadOf('default', bytesOf('again'));
      await store.put([payload, payload]);
      await store.put([payload]);
      expect((await store.get([payload, payload])).size).toBe(1);
    });

    it('leaves out what it has not', async () => {
      const [here, missing] = [payloadOf('default', bytesOf('here')), payloadOf('default', bytesOf('missing'))];
      await store.put([here]);
      expect([...(await store.get([here, missing])).keys()]).toEqual([payloadKey(here)]);
    });

    it('keeps tenants apart: the same bytes of another are not there', async () => {
      const theirs = payloadOf('acme', bytesOf('secret of acme'));
      await store.put([theirs]);
      expect((await store.get([{ tenant: 'default', digest: theirs.digest }])).size).toBe(0);
    });
  });
}
