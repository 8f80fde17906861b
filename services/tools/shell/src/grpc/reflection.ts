// A gRPC server describes itself. Source: grpc.reflection.v1 and v1alpha, which are the same on the wire (grpc/grpc, doc/server-reflection.md).
import { status, type Client, type ClientDuplexStream, type Metadata, type ServiceError } from '@grpc/grpc-js';
import { create, createFileRegistry, fromBinary, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { completeDescriptors } from './complete-descriptors.js';

const METHODS = ['/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo'];
const SERVICES_MAX = 200;
const FILES_MAX = 500;
const BYTES_MAX = 8 * 1024 * 1024;

/** What a server tells about itself. */
export interface Described {
  /** Full names of its services that are wanted. */
  readonly services: readonly string[];
  readonly registry: FileRegistry;
}

/** Asks a server for its services and everything that those consist of that are wanted. @param deadline milliseconds since the Unix epoch. @throws Error saying what went wrong. */
export async function describe(client: Client, metadata: Metadata, deadline: number, isWanted: (service: string) => boolean): Promise<Described> {
  for (const method of METHODS) {
    const asking = new Asking(
      client.makeBidiStreamRequest(
        method,
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        metadata,
        { deadline },
      ),
    );
    try {
      return await everything(asking, isWanted);
    } catch (error) {
      if ((error as Partial<ServiceError>).code !== status.UNIMPLEMENTED || method === METHODS.at(-1)) throw error;
    } finally {
      asking.end();
    }
  }
  throw new Error('unreachable');
}

async function everything(asking: Asking, isWanted: (service: string) => boolean): Promise<Described> {
  const services = (await asking.ask(7, '')).services.filter(isWanted);
  if (services.length > SERVICES_MAX) throw new Error(`it has more than ${SERVICES_MAX} services`);
  const files = new Map<string, FileDescriptorProto>();
  let bytes = 0;
  const keep = (answer: Answer): void => {
    for (const raw of answer.files) {
      bytes += raw.length;
      const file = fromBinary(FileDescriptorProtoSchema, raw);
      files.set(file.name, file);
    }
    if (files.size > FILES_MAX || bytes > BYTES_MAX) throw new Error(`its description is longer than ${FILES_MAX} files or ${BYTES_MAX} bytes`);
  };
  for (const service of services) {
    keep(await asking.ask(4, service));
  }
  for (;;) {
    const missing = [...files.values()].flatMap(({ dependency }) => dependency).find((name) => !files.has(name));
    if (missing === undefined) break;
    keep(await asking.ask(3, missing));
    if (!files.has(missing)) throw new Error(`it does not give its file ${missing}`);
  }
  completeDescriptors([...files.values()]);
  // One file that needs them all: the registry then holds what they need, too.
  const all = create(FileDescriptorProtoSchema, { name: 'weft/all.proto', syntax: 'proto3', dependency: [...files.keys()] });
  return { services, registry: createFileRegistry(all, (name) => files.get(name)) };
}

interface Answer {
  readonly files: readonly Uint8Array[];
  readonly services: readonly string[];
}

/** One stream of questions, each answered before the next. */
class Asking {
  #waiting: { readonly resolve: (answer: Answer) => void; readonly reject: (error: unknown) => void } | undefined;
  #ended: unknown;

  constructor(private readonly stream: ClientDuplexStream<Buffer, Buffer>) {
    stream.on('data', (bytes: Buffer) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      try {
        waiting?.resolve(answerOf(bytes));
      } catch (error) {
        waiting?.reject(error);
      }
    });
    const ended = (error: unknown): void => {
      this.#ended = error;
      this.#waiting?.reject(error);
    };
    stream.on('error', ended);
    stream.on('end', () => ended(new Error('it ended the description')));
  }

  /** @param field 3: a file by its name; 4: the file of a symbol; 7: all services. */
  ask(field: 3 | 4 | 7, text: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      this.#waiting = { resolve, reject };
      this.stream.write(Buffer.from(new BinaryWriter().tag(field, WireType.LengthDelimited).string(text).finish()));
    });
  }

  end(): void {
    this.stream.end();
    this.stream.cancel();
  }
}

function answerOf(bytes: Uint8Array): Answer {
  const files: Uint8Array[] = [];
  const services: string[] = [];
  fields(bytes, (field, reader) => {
    if (field === 4) return fields(reader.bytes(), (inner, part) => (inner === 1 ? void files.push(part.bytes()) : skip));
    if (field === 6) return fields(reader.bytes(), (inner, part) => (inner === 1 ? fields(part.bytes(), (name, text) => (name === 1 ? void services.push(text.string()) : skip)) : skip));
    if (field === 7) {
      let message = '';
      fields(reader.bytes(), (inner, part) => (inner === 2 ? void (message = part.string()) : skip));
      throw new Error(`it does not describe what was asked for: ${message.slice(0, 200)}`);
    }
    return skip;
  });
  return { files, services };
}

const skip = Symbol('skip');

function fields(bytes: Uint8Array, take: (field: number, reader: BinaryReader) => void | typeof skip): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type !== WireType.LengthDelimited || take(field, reader) === skip) reader.skip(type, field);
  }
}
