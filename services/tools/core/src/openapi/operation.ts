// The operations of an OpenAPI 3.1 document as tools. Source: OpenAPI 3.1.1, sections 4.7 and 4.8.
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import type { EffectClass } from '../effect/effect.events.js';
import type { HttpMethod } from '../registry/tool.js';
import { BODY_PARAMETER } from './body-parameter.js';
import { SchemaClosure } from './closed-schema.js';
import { bareType, FORM, isJsonType } from './media-type.js';
import { followed, type Documents } from './reference.js';

export type ParameterStyle = 'simple' | 'label' | 'matrix' | 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject';

/** How an argument becomes part of a request. */
export interface ParameterWire {
  /** Name of the argument. */
  readonly argument: string;
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  readonly style: ParameterStyle;
  readonly explode: boolean;
  /** The value goes as JSON text. */
  readonly isJson?: boolean;
}

/** Everything that a request is made of besides its arguments: part of what is pinned. */
export interface OperationWire {
  readonly method: HttpMethod;
  /** URL that the path is appended to; relative to the document where it is not absolute. */
  readonly server: string;
  readonly path: string;
  readonly parameters: readonly ParameterWire[];
  readonly body?: { readonly argument: string; readonly mediaType: string };
}

/** One operation. */
export interface Operation {
  /** Its `operationId`, or method and path where it has none. */
  readonly name: string;
  readonly description: string;
  readonly input: JsonObject;
  readonly output?: JsonObject;
  readonly effect: EffectClass;
  /** Name of the parameter that is its body, where its document is of OpenAPI 2.0. */
  readonly bodyParameter?: string;
  readonly wire: OperationWire;
}

/** What a document offers, and which of its operations cannot be used, and why. */
export interface Operations {
  readonly operations: readonly Operation[];
  readonly problems: readonly string[];
}

const METHODS: Readonly<Record<string, { readonly method: HttpMethod; readonly effect: EffectClass }>> = {
  get: { method: 'GET', effect: 'read' },
  head: { method: 'HEAD', effect: 'read' },
  put: { method: 'PUT', effect: 'idempotent-write' },
  delete: { method: 'DELETE', effect: 'idempotent-write' },
  post: { method: 'POST', effect: 'non-idempotent-write' },
  patch: { method: 'PATCH', effect: 'non-idempotent-write' },
};
const OPERATIONS_MAX = 2_000;
const DESCRIPTION_CHARACTERS_MAX = 4_000;

/** Reads every operation of the first document. */
export function operationsOf(documents: Documents): Operations {
  const operations: Operation[] = [];
  const problems: string[] = [];
  for (const place of placesOf(documents)) {
    if (operations.length >= OPERATIONS_MAX) return { operations, problems: [...problems, `the document has more than ${OPERATIONS_MAX} operations: the others are left out`] };
    const read = readOperation(documents, place);
    if (Array.isArray(read)) problems.push(`${place.method} ${place.path}: ${read.join('; ')}`);
    else operations.push(read as Operation);
  }
  return { operations, problems };
}

/** The operation of an id, or a sentence's end that says why there is none: `there is none`. */
export function operationOf(documents: Documents, id: string): Operation | string {
  for (const place of placesOf(documents)) {
    if (place.operation['operationId'] !== id) continue;
    const read = readOperation(documents, place);
    return Array.isArray(read) ? `it cannot be used: ${read.join('; ')}` : (read as Operation);
  }
  return 'there is none';
}

/** Where the operations of the first document are. */
function* placesOf(documents: Documents): Generator<Place> {
  const root = documents[0];
  const paths = isJsonObject(root) && isJsonObject(root['paths']) ? root['paths'] : {};
  for (const [path, entry] of Object.entries(paths)) {
    const item = followed(documents, entry);
    for (const [key, known] of Object.entries(METHODS)) {
      const operation = item && Object.hasOwn(item, key) ? followed(documents, item[key]) : undefined;
      if (item && operation) yield { path, item, operation, ...known };
    }
  }
}

interface Place {
  readonly path: string;
  readonly item: JsonObject;
  readonly operation: JsonObject;
  readonly method: HttpMethod;
  readonly effect: EffectClass;
}

function readOperation(documents: Documents, { path, item, operation, method, effect }: Place): Operation | readonly string[] {
  const closure = new SchemaClosure(documents);
  const problems: string[] = [];
  const parameters = readParameters(documents, [item, operation], closure, problems);
  for (const [, name = ''] of path.matchAll(/\{([^{}]*)\}/g)) {
    if (!parameters.some(({ wire }) => wire.in === 'path' && wire.name === name)) problems.push(`{${name}} of its path is no parameter`);
  }
  const body = operation['requestBody'] === undefined ? undefined : readBody(documents, operation['requestBody'], closure, parameters, problems);
  const output = readOutput(documents, operation['responses']);
  const taken = [
    ...parameters.map(({ wire, schema, isRequired }) => ({ name: wire.argument, schema, isRequired })),
    ...(body ? [{ name: body.argument, schema: body.schema, isRequired: body.isRequired }] : []),
  ];
  problems.push(...closure.problems);
  if (problems.length > 0) return problems;
  const required = taken.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  const input: JsonObject = {
    type: 'object',
    properties: Object.fromEntries(taken.map(({ name, schema }) => [name, schema])),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
    ...closure.definitions,
  };
  return {
    name: nameOf(operation, method, path),
    description: descriptionOf(operation, item, method, path),
    input,
    ...(output ? { output } : {}),
    effect,
    ...(typeof operation[BODY_PARAMETER] === 'string' ? { bodyParameter: operation[BODY_PARAMETER] } : {}),
    wire: {
      method,
      server: serverOf([operation, item, documents[0] as JsonObject]),
      path,
      parameters: parameters.map(({ wire }) => wire),
      ...(body ? { body: { argument: body.argument, mediaType: body.mediaType } } : {}),
    },
  };
}

interface Parameter {
  readonly wire: ParameterWire;
  readonly schema: Json;
  readonly isRequired: boolean;
}

// They belong to the transport: OpenAPI ignores the first three, and Weft sets the others itself.
const IGNORED_HEADERS = new Set(['accept', 'content-type', 'authorization', 'idempotency-key', 'traceparent', 'tracestate']);
const STYLES: Readonly<Record<ParameterWire['in'], readonly ParameterStyle[]>> = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
  cookie: ['form'],
};

function readParameters(documents: Documents, places: readonly JsonObject[], closure: SchemaClosure, problems: string[]): readonly Parameter[] {
  // Those of the operation go before those of its path.
  const found = new Map<string, JsonObject>();
  for (const { parameters } of places as readonly { readonly parameters?: Json }[]) {
    for (const entry of Array.isArray(parameters) ? (parameters as readonly Json[]) : []) {
      const parameter = followed(documents, entry);
      if (!parameter) problems.push('a parameter refers to something that is not there');
      else found.set(`${String(parameter['in'])} ${String(parameter['name'])}`, parameter);
    }
  }
  const names = [...found.values()].map((parameter) => String(parameter['name']));
  const unfit = (problem: string): Parameter[] => {
    problems.push(problem);
    return [];
  };
  return [...found.values()].flatMap((parameter): Parameter[] => {
    const [name, place] = [String(parameter['name']), String(parameter['in']) as ParameterWire['in']];
    if (!Object.hasOwn(STYLES, place)) return unfit(`parameter ${name}: expected path, query, header or cookie as its place`);
    if (place === 'header' && IGNORED_HEADERS.has(name.toLowerCase())) return [];
    const style = (parameter['style'] ?? STYLES[place][0]) as ParameterStyle;
    if (!STYLES[place].includes(style)) return unfit(`parameter ${name}: style ${String(style)} is none of ${place} parameters`);
    const content = isJsonObject(parameter['content']) ? Object.entries(parameter['content'])[0] : undefined;
    if (content && !isJsonType(content[0])) return unfit(`parameter ${name}: ${content[0]} is no format that can be written`);
    const explode = typeof parameter['explode'] === 'boolean' ? parameter['explode'] : style === 'form';
    const schema = content ? (followed(documents, content[1])?.['schema'] ?? true) : (parameter['schema'] ?? true);
    // Two parameters of one name in different places would be one argument.
    const argument = names.filter((other) => other === name).length > 1 ? `${place}_${name}` : name;
    return [
      {
        wire: { argument, name, in: place, style, explode, ...(content ? { isJson: true } : {}) },
        schema: described(closure.take(schema), parameter['description']),
        isRequired: place === 'path' || parameter['required'] === true,
      },
    ];
  });
}

function readBody(documents: Documents, value: Json, closure: SchemaClosure, parameters: readonly Parameter[], problems: string[]) {
  const body = followed(documents, value);
  const content = body && isJsonObject(body['content']) ? Object.entries(body['content']) : [];
  const [mediaType, media] = content.find(([type]) => isJsonType(type)) ?? content.find(([type]) => bareType(type) === FORM) ?? content.find(([type]) => bareType(type) === 'text/plain') ?? [];
  if (mediaType === undefined) {
    problems.push(`its body has none of the formats that can be written (JSON, form, text) but ${content.map(([type]) => type).join(', ') || 'none at all'}`);
    return undefined;
  }
  const schema = followed(documents, media)?.['schema'] ?? true;
  const argument = parameters.some(({ wire }) => wire.argument === 'body') ? 'requestBody' : 'body';
  return { argument, mediaType: mediaType.includes('*') ? 'application/json' : mediaType, schema: described(closure.take(schema), body?.['description']), isRequired: body?.['required'] === true };
}

/** The schema of the first successful answer in JSON. */
function readOutput(documents: Documents, value: Json | undefined): JsonObject | undefined {
  const responses = isJsonObject(value) ? value : {};
  const status = Object.keys(responses)
    .filter((each) => /^2(\d\d|XX)$/.test(each))
    .toSorted()[0];
  const response = status === undefined ? undefined : followed(documents, responses[status]);
  const content = response && isJsonObject(response['content']) ? Object.entries(response['content']).find(([type]) => isJsonType(type)) : undefined;
  const schema = content && followed(documents, content[1])?.['schema'];
  if (!isJsonObject(schema)) return undefined;
  const closure = new SchemaClosure(documents);
  const taken = closure.take(schema);
  // An answer that nobody can check is taken as it is.
  return closure.problems.length > 0 || !isJsonObject(taken) ? undefined : { ...taken, ...closure.definitions };
}

// A reference may have neighbours since JSON Schema 2019-09.
const described = (schema: Json, description: Json | undefined): Json =>
  isJsonObject(schema) && typeof description === 'string' && schema['description'] === undefined ? { ...schema, description: description.slice(0, DESCRIPTION_CHARACTERS_MAX) } : schema;

function nameOf(operation: JsonObject, method: string, path: string): string {
  const id = operation['operationId'];
  const text = typeof id === 'string' && id !== '' ? id : `${method.toLowerCase()}_${path.replace(/[{}]/g, '')}`;
  return text
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/^[^A-Za-z0-9]+|_+$/g, '')
    .slice(0, 128);
}

function descriptionOf(operation: JsonObject, item: JsonObject, method: string, path: string): string {
  const texts = [operation['summary'], operation['description'] ?? item['description'] ?? item['summary']].filter((text): text is string => typeof text === 'string' && text.trim() !== '');
  return (texts.length > 0 ? [...new Set(texts)].join('\n\n') : `${method} ${path}`).slice(0, DESCRIPTION_CHARACTERS_MAX);
}

/** The first server of the nearest place that names one, its variables filled with their defaults. */
function serverOf(places: readonly JsonObject[]): string {
  for (const { servers } of places as readonly { readonly servers?: Json }[]) {
    const server: Json | undefined = Array.isArray(servers) ? (servers as readonly Json[])[0] : undefined;
    if (!isJsonObject(server) || typeof server['url'] !== 'string') continue;
    const variables = isJsonObject(server['variables']) ? server['variables'] : {};
    return server['url'].replace(/\{([^{}]+)\}/g, (whole, name: string) => {
      const variable = variables[name];
      return isJsonObject(variable) && typeof variable['default'] === 'string' ? variable['default'] : whole;
    });
  }
  return '/';
}
