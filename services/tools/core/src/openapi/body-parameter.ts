// In OpenAPI 2.0 a body is a parameter with a name, which later versions do not have.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';

/** Field of an operation that keeps the name of its body. */
export const BODY_PARAMETER = 'x-weft-body-parameter';

const LOCAL = '#/parameters/';

/**
 * A document whose operations keep the names of their bodies when it is brought to a later version; any other document as it is. Shared bodies
 * stand in place: who brings documents to a later version loses them otherwise.
 */
export function withBodyParameters(document: Json): Json {
  if (!isJsonObject(document) || document['swagger'] === undefined || !isJsonObject(document['paths'])) return document;
  const shared = isJsonObject(document['parameters']) ? document['parameters'] : {};
  return { ...document, paths: mapped(document['paths'], (item) => mapped(item, (operation) => named(operation, shared))) };
}

function named(operation: Json, shared: JsonObject): Json {
  const parameters = isJsonObject(operation) ? operation['parameters'] : undefined;
  if (!isJsonObject(operation) || !Array.isArray(parameters)) return operation;
  const inPlace = (parameters as readonly Json[]).map((parameter) => (isBody(sharedIn(shared, parameter)) ? sharedIn(shared, parameter) : parameter));
  const body = inPlace.find((parameter) => isJsonObject(parameter) && parameter['in'] === 'body');
  return { ...operation, parameters: inPlace, ...(isJsonObject(body) && typeof body['name'] === 'string' ? { [BODY_PARAMETER]: body['name'] } : {}) };
}

/** What a reference to a shared parameter means; anything else as it is. */
function sharedIn(shared: JsonObject, parameter: Json): Json {
  const reference = isJsonObject(parameter) ? parameter['$ref'] : undefined;
  return typeof reference === 'string' && reference.startsWith(LOCAL) ? (shared[reference.slice(LOCAL.length)] ?? null) : parameter;
}

const isBody = (parameter: Json): boolean => isJsonObject(parameter) && (parameter['in'] === 'body' || parameter['in'] === 'formData');

const mapped = (value: Json, change: (part: Json) => Json): Json => (isJsonObject(value) ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, change(part)])) : value);
