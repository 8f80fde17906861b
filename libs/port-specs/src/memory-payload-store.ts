import type { Payload, PayloadName } from '@weft/contracts';
import { payloadKey, type PayloadStore } from '@weft/pipeline';

/** A PayloadStore in memory, for specs: it also tells how it was asked. */
export class MemoryPayloadStore implements PayloadStore {
  readonly bytes = new Map<string, Uint8Array>();
  puts = 0;
  gets = 0;

  async put(payloads: readonly Payload[]): Promise<void> {
    this.puts++;
    for (const payload of payloads) this.bytes.set(payloadKey(payload), payload.bytes);
  }

  async get(names: readonly PayloadName[]): Promise<ReadonlyMap<string, Uint8Array>> {
    this.gets++;
    return new Map(names.map(payloadKey).flatMap((key) => (this.bytes.has(key) ? [[key, this.bytes.get(key)!] as const] : [])));
  }
}
