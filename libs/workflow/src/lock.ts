// What publish locked: the external resources of a definition version, each by the digest of its content.
import { isJsonObject, objectOf, rejection, type Json, type JsonObject, type Rejection } from '@weft/kernel';
import { documentProblems, type WorkflowPorts } from './parse.js';
import { resourcesOf, type ResourceKind, type ResourceReference } from './resources.js';
import { schemaFault } from './schema-problem.js';
import { readSource } from './source.js';

/** A resource as it was when the definition was published. */
export interface LockedResource {
  readonly kind: ResourceKind;
  /** SHA-256 of its bytes, in hex. */
  readonly digest: string;
  /** As its holder named it, without parameters; empty when it named none. */
  readonly mediaType: string;
  /** Of a schema or a function its content as JSON: what the interpreter reads. */
  readonly content?: Json;
}

/** By URI as the document writes it. */
export type ResourceLock = Readonly<Record<string, LockedResource>>;

/** Resources of one definition, all rounds together. */
export const RESOURCES_MAX = 100;
/** How far a function may lead to another one, which leads to another. */
export const RESOURCE_ROUNDS_MAX = 8;

/** The kinds that the interpreter reads: publish fetches and judges them, and no execution without them. */
export const isRead = (kind: ResourceKind): boolean => kind === 'schema' || kind === 'function';

export type ContentReading = { readonly ok: true; readonly content: Json; readonly further: readonly ResourceReference[] } | { readonly ok: false; readonly rejections: readonly Rejection[] };

/**
 * Reads a fetched schema or function and judges it as publish judges what stands in a document. Rejection code: `resource-invalid`.
 * @param document the document that led to it, whose `use` its authentications and catalogues are.
 */
export function readResource(document: JsonObject, reference: ResourceReference, text: string, ports: WorkflowPorts): ContentReading {
  const at = `${reference.uri} (of ${reference.pointer})`;
  const source = readSource(text);
  if (!source.ok) return refused(source.faults.map(({ message }) => `Expected ${reference.kind === 'schema' ? 'a schema' : 'a function'} at ${at} but it cannot be read: ${message}`));
  const content = source.source.value;
  return reference.kind === 'schema' ? readSchema(content, at) : readFunction(content, at, document, ports);
}

function readSchema(content: Json, at: string): ContentReading {
  const fault = schemaFault(content);
  return fault === undefined ? { ok: true, content, further: [] } : refused([`Expected a JSON Schema (draft 2020-12) at ${at} but it cannot be used: ${fault}.`]);
}

/** Name under which a fetched function stands for as long as it is judged. */
const NAME = 'fetched';

function readFunction(content: Json, at: string, document: JsonObject, ports: WorkflowPorts): ContentReading {
  if (!isJsonObject(content)) return refused([`Expected a function, which is a task, at ${at} but found something else.`]);
  // It sees the catalogues and policies of the document that calls it, and none of its functions: what its names mean does not depend on the caller.
  const { extensions: _extensions, ...use } = objectOf(document['use']);
  const alone = { document: objectOf(document['document']), use: { ...use, functions: { [NAME]: content } }, do: [{ call: { call: NAME } }] };
  const own = `/use/functions/${NAME}`;
  const problems = documentProblems(alone, ports).filter(({ pointer }) => pointer === own || pointer.startsWith(`${own}/`));
  if (problems.length > 0) return refused(problems.map(({ message }) => `Expected a function that can be called at ${at}: ${message.replaceAll(own, '#')}.`));
  const further = resourcesOf(alone).filter(({ pointer }) => pointer.startsWith(`${own}/`));
  return { ok: true, content, further };
}

/** What cannot be locked although it must be: a schema or a function is read at publish, so its URI must be fixed. */
export function unfixedProblems(references: readonly ResourceReference[]): readonly Rejection[] {
  return references
    .filter(({ uri, kind }) => uri === undefined && isRead(kind))
    .map(({ pointer, kind }) =>
      rejection('workflow-invalid', `Expected a fixed URI at ${pointer}, as a ${kind} is read when the workflow is published, but it depends on the execution.`, { details: { pointer } }),
    );
}

const refused = (messages: readonly string[]): ContentReading => ({ ok: false, rejections: messages.map((message) => rejection('resource-invalid', message)) });
