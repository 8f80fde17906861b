// Where a message of an AsyncAPI document goes or comes from. Source: AsyncAPI 2.6.0 and 3.0.0.
import { isJsonObject, objectOf, type Json, type JsonObject } from '@weft/kernel';
import type { AsyncApiCall } from './asyncapi-call.js';

/** A place that speaks one of the protocols. */
export interface AsyncApiPlace {
  readonly protocol: string;
  /** `host:port`, or for HTTP the URL of the server without a slash at its end. */
  readonly server: string;
  /** The topic, or the path with its slash. */
  readonly address: string;
  /** Of HTTP. */
  readonly method: string;
  readonly isSecure: boolean;
}

class Unusable extends Error {}

/** @returns the place, or what keeps the document from telling it. */
export function asyncApiPlace(document: Json, call: AsyncApiCall): AsyncApiPlace | string {
  try {
    if (!isJsonObject(document)) throw new Unusable('it is no object');
    const version = String(document['asyncapi'] ?? '');
    if (version.startsWith('3.')) return placeOf3(document, call);
    if (version.startsWith('2.')) return placeOf2(document, call);
    throw new Unusable(`it names version ${JSON.stringify(version)} of AsyncAPI, not 2.x or 3.x`);
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    return error.message;
  }
}

function placeOf2(document: JsonObject, call: AsyncApiCall): AsyncApiPlace {
  const name = call.channel ?? nothing('a `channel`, by which a document of AsyncAPI 2 is asked');
  const channel = resolved(document, member(document, 'channels', name));
  const servers = Array.isArray(channel['servers']) ? (channel['servers'] as readonly Json[]).map(String) : Object.keys(objectOf(document['servers']));
  const operation = objectOf(channel[call.direction]);
  const server = chosen(document, call, servers);
  const [, scheme = '', rest = ''] = /^(?:([a-z][\w+.-]*):\/\/)?(.*)$/i.exec(filled(String(server['url'] ?? ''), server, call)) ?? [];
  const protocol = String(server['protocol'] ?? scheme);
  return placed(protocol, rest, bound(channel, operation, protocol, name), operation);
}

function placeOf3(document: JsonObject, call: AsyncApiCall): AsyncApiPlace {
  const name = call.operation ?? nothing('an `operation`, by which a document of AsyncAPI 3 is asked');
  const operation = resolved(document, member(document, 'operations', name));
  const channel = resolved(document, operation['channel']);
  const listed = Array.isArray(channel['servers'])
    ? (channel['servers'] as readonly Json[]).map(
        (one) =>
          String(objectOf(one)['$ref'] ?? '')
            .split('/')
            .at(-1) ?? '',
      )
    : [];
  const server = chosen(document, call, listed.length > 0 ? listed : Object.keys(objectOf(document['servers'])));
  const protocol = String(server['protocol'] ?? '');
  const host = filled(`${String(server['host'] ?? '')}${String(server['pathname'] ?? '')}`, server, call);
  return placed(protocol, host, bound(channel, operation, protocol, String(channel['address'] ?? name)), operation);
}

function placed(protocol: string, host: string, address: string, operation: JsonObject): AsyncApiPlace {
  const isSecure = protocol === 'https' || protocol === 'kafka-secure';
  if (protocol === 'kafka' || protocol === 'kafka-secure') return { protocol: 'kafka', server: host.split('/')[0] ?? '', address, method: '', isSecure };
  const method = String(objectOf(objectOf(operation['bindings'])['http'])['method'] ?? '').toUpperCase();
  return {
    protocol: protocol === 'https' ? 'http' : protocol,
    server: `${isSecure ? 'https' : 'http'}://${host.replace(/\/$/, '')}`,
    address: address.startsWith('/') ? address : `/${address}`,
    method,
    isSecure,
  };
}

/** The server that the call names, else the first that speaks its protocol, else the first. */
function chosen(document: JsonObject, { server, protocol }: AsyncApiCall, names: readonly string[]): JsonObject {
  if (server) return resolved(document, member(document, 'servers', server.name));
  const servers = names.map((name) => resolved(document, member(document, 'servers', name)));
  const speaks = ({ protocol: spoken }: JsonObject): boolean => protocol === undefined || spoken === protocol || spoken === `${protocol}-secure` || spoken === `${protocol}s`;
  return servers.find(speaks) ?? nothing(protocol === undefined ? 'a server' : `a server that speaks ${protocol}`);
}

/** A topic may have another name than its channel. */
function bound(channel: JsonObject, operation: JsonObject, protocol: string, otherwise: string): string {
  if (!protocol.startsWith('kafka')) return otherwise;
  const topic = objectOf(objectOf(channel['bindings'])['kafka'])['topic'] ?? objectOf(objectOf(operation['bindings'])['kafka'])['topic'];
  return typeof topic === 'string' ? topic : otherwise;
}

/** The variables of a server, as the call gives them or as the document presets them. */
function filled(text: string, server: JsonObject, call: AsyncApiCall): string {
  const declared = objectOf(server['variables']);
  return text.replaceAll(/\{([^{}]+)\}/g, (_whole, name: string) => String(call.server?.variables[name] ?? objectOf(declared[name])['default'] ?? nothing(`a value of the server's variable ${name}`)));
}

function resolved(document: JsonObject, value: Json | undefined): JsonObject {
  let at = value;
  for (let steps = 0; steps < 10; steps++) {
    const reference = objectOf(at)['$ref'];
    if (typeof reference !== 'string') return objectOf(at);
    if (!reference.startsWith('#/')) nothing(`a reference within itself in place of ${reference}`);
    at = reference
      .slice(2)
      .split('/')
      .reduce<Json | undefined>((inside, part) => objectOf(inside)[part.replaceAll('~1', '/').replaceAll('~0', '~')], document);
  }
  return nothing('references that end');
}

function member(document: JsonObject, field: string, name: string): Json {
  const members = objectOf(document[field]);
  return members[name] ?? nothing(`${field}/${name}; it has ${Object.keys(members).slice(0, 20).join(', ') || 'none'}`);
}

function nothing(what: string): never {
  throw new Unusable(`there is not ${what}`);
}
