// A .proto document as a registry of what it describes.
import { create, createFileRegistry, fromBinary, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor/index.js';
import { completeDescriptors } from './complete-descriptors.js';

/** Bytes of a document. */
const TEXT_BYTES_MAX = 1024 * 1024;
/** Statements of a document: the parser compares each field with all others of its message, and holds up everything else meanwhile. */
const STATEMENTS_MAX = 5_000;
// What a semicolon stands for nothing in.
const QUOTED = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|$)|'[^'\\]*(?:\\.[^'\\]*)*(?:'|$)|\/\/.*|\/\*[\s\S]*?(?:\*\/|$)/g;
const KEPT_MAX = 50;
const kept = new Map<string, FileRegistry>();
const OWN_PACKAGE = 'google.protobuf';

/** @throws Error saying what cannot be read: its syntax, or a file that it imports (only those of google/protobuf are known). */
export function protoRegistry(text: string): FileRegistry {
  const known = kept.get(text);
  if (known) return known;
  const registry = read(text);
  if (kept.size >= KEPT_MAX) kept.clear();
  kept.set(text, registry);
  return registry;
}

function read(text: string): FileRegistry {
  if (text.length > TEXT_BYTES_MAX) throw new Error(`it is longer than ${TEXT_BYTES_MAX} bytes`);
  if (text.replaceAll(QUOTED, '').split(';').length > STATEMENTS_MAX) throw new Error(`it has more than ${STATEMENTS_MAX} statements`);
  const root = new protobuf.Root();
  const { imports = [] } = protobuf.parse(text, root, { keepCase: true });
  for (const file of imports) {
    const known = protobuf.common.get(file);
    if (!known) throw new Error(`it imports ${file}, and a document stands alone: only files of google/protobuf may be imported`);
    root.addJSON(known.nested ?? {});
  }
  root.resolveAll();
  const { file: files } = fromBinary(FileDescriptorSetSchema, descriptor.FileDescriptorSet.encode(root.toDescriptor(syntaxOf(text))).finish());
  completeDescriptors(files);
  return registryOf(files);
}

const syntaxOf = (text: string): string => (/^\s*syntax\s*=\s*["']proto3["']/m.test(text) ? 'proto3' : 'proto2');

/** One file a package is what the library makes of it; which of them needs which, it does not say. */
function registryOf(files: readonly FileDescriptorProto[]): FileRegistry {
  const own = files.filter((file) => file.package === OWN_PACKAGE).map(({ name }) => name);
  for (const file of files) file.dependency = own.includes(file.name) ? [] : own;
  const all = create(FileDescriptorProtoSchema, { name: 'weft/all.proto', syntax: 'proto3', dependency: files.map(({ name }) => name) });
  return createFileRegistry(all, (name) => files.find((file) => file.name === name));
}
