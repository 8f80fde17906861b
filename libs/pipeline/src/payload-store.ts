// The PayloadStore port: bytes that are too large for messages, by tenant and digest. PostgreSQL in the mesh; standalone needs none.
import type { Payload, PayloadName } from '@weft/contracts';

export interface PayloadStore {
  /** Stores payloads in one statement; what is there already is kept, and counts as used now. @throws Fault */
  put(payloads: readonly Payload[]): Promise<void>;
  /** The bytes of these payloads, in one query, by `payloadKey`; those that are not there, or not whole, are left out. @throws Fault */
  get(names: readonly PayloadName[]): Promise<ReadonlyMap<string, Uint8Array>>;
}

/** A payload's name as one text. */
export const payloadKey = ({ tenant, digest }: PayloadName): string => `${tenant}/${digest}`;
