// Arrays as parameters in PostgreSQL's binary form: nothing is escaped here and nothing is parsed there.
// Source: array_recv and the `*recv` functions of the element types in PostgreSQL's src/backend/utils/adt.

const OID = { bytea: 17, int2: 21, int4: 23, text: 25, uuid: 2950 } as const;
const HEAD_BYTES = 20;
const LENGTH_BYTES = 4;

/** `text[]`. A NUL character in a text is refused by the server, as everywhere. */
export function textArray(values: readonly string[]): Buffer {
  let bytes = HEAD_BYTES;
  const lengths = values.map((value) => {
    const length = Buffer.byteLength(value);
    bytes += LENGTH_BYTES + length;
    return length;
  });
  const buffer = head(bytes, OID.text, values.length);
  let at = HEAD_BYTES;
  for (let index = 0; index < values.length; index++) {
    const length = lengths[index]!;
    at = buffer.writeInt32BE(length, at);
    // Much of what is stored is ASCII, and short: the one-byte writer is the faster one then.
    at += buffer.write(values[index]!, at, length, length === values[index]!.length ? 'latin1' : 'utf8');
  }
  return buffer;
}

/** `uuid[]`, from UUIDs in their text form. */
export const uuidArray = (values: readonly string[]): Buffer => fixed(OID.uuid, 16, values, (buffer, value, at) => buffer.write(value.replaceAll('-', ''), at, 16, 'hex'));

/** `int[]`, each from -2^31 to 2^31 - 1. */
export const intArray = (values: readonly number[]): Buffer => fixed(OID.int4, 4, values, (buffer, value, at) => buffer.writeInt32BE(value, at));

/** `smallint[]`, each from -2^15 to 2^15 - 1. */
export const smallintArray = (values: readonly number[]): Buffer => fixed(OID.int2, 2, values, (buffer, value, at) => buffer.writeInt16BE(value, at));

/** `bytea[]` of values that all have the same length, in bytes. */
export const byteaArray = (values: readonly Uint8Array[], length: number): Buffer => fixed(OID.bytea, length, values, (buffer, value, at) => buffer.set(value, at));

function fixed<T>(oid: number, length: number, values: readonly T[], write: (buffer: Buffer, value: T, at: number) => unknown): Buffer {
  const buffer = head(HEAD_BYTES + values.length * (LENGTH_BYTES + length), oid, values.length);
  let at = HEAD_BYTES;
  for (const value of values) {
    at = buffer.writeInt32BE(length, at);
    write(buffer, value, at);
    at += length;
  }
  return buffer;
}

/** One dimension without nulls, counted from 1; an empty array has no dimension. */
function head(bytes: number, oid: number, count: number): Buffer {
  const buffer = Buffer.allocUnsafe(count === 0 ? 12 : bytes);
  buffer.writeInt32BE(count === 0 ? 0 : 1, 0);
  buffer.writeInt32BE(0, 4);
  buffer.writeInt32BE(oid, 8);
  if (count > 0) {
    buffer.writeInt32BE(count, 12);
    buffer.writeInt32BE(1, 16);
  }
  return buffer;
}
