// The external resources of a document: schemas, descriptions of services, scripts and functions that lie elsewhere.
import { isJsonObject, objectOf, type Json, type JsonObject } from '@weft/kernel';
import { callTargetOf, type CallTarget } from './call-target.js';
import { iteratorOf, placedTasks, type PlacedTask } from './tasks.js';

/** What a resource is for. Schemas and functions are read by the interpreter, all others by the worker of the call. */
export type ResourceKind = 'schema' | 'openapi' | 'asyncapi' | 'proto' | 'agentCard' | 'script' | 'function';

/** A place that names a resource. */
export interface ResourceReference {
  /** JSON Pointer of the place. */
  readonly pointer: string;
  readonly kind: ResourceKind;
  /** As the document writes it; undefined when it is an expression or has placeholders, so that only an execution knows it. */
  readonly uri: string | undefined;
  /** The authentication policy itself, where the endpoint has one. */
  readonly authentication?: JsonObject;
}

/** Resources of a document in its order, one for each place that names one. */
export function resourcesOf(document: JsonObject): readonly ResourceReference[] {
  const use = objectOf(document['use']);
  return [...schemasOf(document, '', ['input', 'output'], use), ...placedTasks(document).flatMap((task) => resourcesOfTask(task, use))];
}

/** Where the function lies that a call names, when it lies elsewhere. A catalogue has `functions/NAME/VERSION/function.yaml` below its endpoint. */
export function functionUriOf(target: CallTarget, use: JsonObject): string | undefined {
  if (target.kind === 'uri') return target.uri;
  if (target.kind !== 'catalogued') return undefined;
  const root = uriOf(objectOf(objectOf(use['catalogs'])[target.catalog])['endpoint']);
  return root === undefined ? undefined : `${root.replace(/\/+$/, '')}/functions/${encodeURIComponent(target.name)}/${encodeURIComponent(target.version)}/function.yaml`;
}

function resourcesOfTask({ pointer, task, kind }: PlacedTask, use: JsonObject): readonly ResourceReference[] {
  const iterator = iteratorOf(task);
  return [
    ...schemasOf(task, pointer, ['input', 'output', 'export'], use),
    ...(iterator ? schemasOf(iterator.fields, `${pointer}/${iterator.at}`, ['output', 'export'], use) : []),
    ...(kind === 'call' && typeof task['call'] === 'string' ? resourcesOfCall(task['call'], objectOf(task['with']), pointer, use) : []),
    ...resource(objectOf(objectOf(task['run'])['script'])['source'], 'script', `${pointer}/run/script/source`, use),
  ];
}

/** Where calls and scripts name the document that their worker needs: field and kind by what is called or run. */
const NEEDED: Readonly<Record<string, readonly [field: string, kind: ResourceKind]>> = {
  openapi: ['document', 'openapi'],
  asyncapi: ['document', 'asyncapi'],
  grpc: ['proto', 'proto'],
  a2a: ['agentCard', 'agentCard'],
  script: ['source', 'script'],
};

const neededBy = (what: string): readonly [field?: string, kind?: ResourceKind] => (Object.hasOwn(NEEDED, what) ? NEEDED[what]! : []);

/** The URI of the document that the worker of a call (or of a `script`) needs, when its arguments alone say it. */
export function neededUriOf(what: string, args: JsonObject): string | undefined {
  const [field] = neededBy(what);
  return field === undefined ? undefined : resourceUriOf(args[field]);
}

function resourcesOfCall(call: string, args: JsonObject, pointer: string, use: JsonObject): readonly ResourceReference[] {
  const [field, kind] = neededBy(call);
  if (field !== undefined && call !== 'script') return resource(args[field], kind!, `${pointer}/with/${field}`, use);
  const target = callTargetOf(call, use);
  if (target?.kind === 'uri') return [{ pointer: `${pointer}/call`, kind: 'function', uri: target.uri }];
  if (target?.kind !== 'catalogued') return [];
  const { endpoint } = objectOf(objectOf(use['catalogs'])[target.catalog]);
  return [{ pointer: `${pointer}/call`, kind: 'function', uri: functionUriOf(target, use), ...authenticationOf(endpoint, use) }];
}

const schemasOf = (holder: JsonObject, pointer: string, fields: readonly string[], use: JsonObject): readonly ResourceReference[] =>
  fields.flatMap((field) => resource(objectOf(objectOf(holder[field])['schema'])['resource'], 'schema', `${pointer}/${field}/schema/resource`, use));

function resource(given: Json | undefined, kind: ResourceKind, pointer: string, use: JsonObject): readonly ResourceReference[] {
  if (!isJsonObject(given)) return [];
  const { endpoint } = given;
  return [{ pointer, kind, uri: uriOf(endpoint), ...authenticationOf(endpoint, use) }];
}

/** The URI of an endpoint or of an external resource's, when the document alone says it. */
function uriOf(endpoint: Json | undefined): string | undefined {
  const uri = isJsonObject(endpoint) ? endpoint['uri'] : endpoint;
  return typeof uri === 'string' && !/[{}]/.test(uri) ? uri : undefined;
}

function authenticationOf(endpoint: Json | undefined, use: JsonObject): { readonly authentication?: JsonObject } {
  const given = objectOf(endpoint)['authentication'];
  if (!isJsonObject(given)) return {};
  const policy = typeof given['use'] === 'string' ? objectOf(use['authentications'])[given['use']] : given;
  return isJsonObject(policy) ? { authentication: policy } : {};
}

/** The URI of a resource as the interpreter looks it up, from the `resource` of a schema or a call. */
export const resourceUriOf = (given: Json | undefined): string | undefined => (isJsonObject(given) ? uriOf(given['endpoint']) : undefined);
