// Descriptors as some servers send them, with what compilers write and those leave out. Source: google/protobuf/descriptor.proto, FieldDescriptorProto.
import type { DescriptorProto, FileDescriptorProto } from '@bufbuild/protobuf/wkt';

/** Makes every name of a type in the files absolute, and gives every field its JSON name, in place. A type that is not in the files keeps its name. */
export function completeDescriptors(files: readonly FileDescriptorProto[]): void {
  const known = new Set<string>();
  const collect = (scope: string, message: DescriptorProto): void => {
    const name = `${scope}.${message.name}`;
    known.add(name);
    for (const inner of message.nestedType) collect(name, inner);
    for (const named of message.enumType) known.add(`${name}.${named.name}`);
  };
  for (const file of files) {
    const scope = file.package === '' ? '' : `.${file.package}`;
    for (const message of file.messageType) collect(scope, message);
    for (const named of file.enumType) known.add(`${scope}.${named.name}`);
  }
  // As in C++: the innermost scope first, then those around it.
  const absolute = (name: string, scope: string): string => {
    if (name === '' || name.startsWith('.')) return name;
    for (let around = scope; ; around = around.slice(0, around.lastIndexOf('.'))) {
      if (known.has(`${around}.${name}`)) return `${around}.${name}`;
      if (around === '') return name;
    }
  };
  const fix = (scope: string, message: DescriptorProto): void => {
    const name = `${scope}.${message.name}`;
    for (const field of [...message.field, ...message.extension]) {
      field.typeName = absolute(field.typeName, name);
      field.extendee = absolute(field.extendee, name);
      if (field.jsonName === '') field.jsonName = jsonNameOf(field.name);
    }
    for (const inner of message.nestedType) fix(name, inner);
  };
  for (const file of files) {
    const scope = file.package === '' ? '' : `.${file.package}`;
    for (const message of file.messageType) fix(scope, message);
    for (const field of file.extension) {
      field.typeName = absolute(field.typeName, scope);
      field.extendee = absolute(field.extendee, scope);
    }
    for (const method of file.service.flatMap((service) => service.method)) {
      method.inputType = absolute(method.inputType, scope);
      method.outputType = absolute(method.outputType, scope);
    }
  }
}

/** Underscores go, and what follows one is a capital. */
const jsonNameOf = (name: string): string => name.replace(/_+(.?)/g, (_whole, next: string) => next.toUpperCase());
