// A .proto document as a registry of what it describes.
import { create, createFileRegistry, fromBinary, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor/index.js';
import { completeDescriptors } from './complete-descriptors.js';

/** Bytes of a document. */
const TEXT_BYTES_MAX = 1024 * 1024;
const OWN_PACKAGE = 'google.protobuf';

/** @throws Error saying what cannot be read: its syntax, or a file that it imports (only those of google/protobuf are known). */
export function protoRegistry(text: string): FileRegistry {
  if (text.length > TEXT_BYTES_MAX) throw new Error(`it is longer than ${TEXT_BYTES_MAX} bytes`);
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
