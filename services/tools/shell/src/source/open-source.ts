// A declared source made ready to be asked. The only place that knows all kinds.
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Json } from '@weft/kernel';
import { logFor } from '@weft/nest-platform';
import type { EgressClient } from '../egress/egress-client.js';
import type { McpEndpoint } from '../mcp/mcp-connection.js';
import { filledValues, type DeclaredValue } from '../secret/filled-values.js';
import type { Secrets } from '../secret/secrets.js';
import type { Workers } from '../workers/workers.js';
import { LazySource } from './lazy-source.js';
import type { GrpcDeclaration, McpDeclaration, OpenApiDeclaration, SourceDeclaration } from './source-declaration.js';
import type { ToolSource } from './tool-source.js';

export interface SourcePorts {
  readonly egress: EgressClient;
  readonly secrets: Secrets;
  readonly workers: Workers;
  /** Folder that relative paths of declarations are taken from: that of the tools file. */
  readonly folder: string;
  /** Variables of this process, of which a child gets a few. */
  readonly environment: Environment;
}

export type Environment = { readonly [name: string]: string | undefined };

/** Nothing is connected yet. */
export function openSource(declaration: SourceDeclaration, ports: SourcePorts): ToolSource {
  const { name, mcp, openapi, grpc, worker } = declaration;
  if (mcp) return mcpSource(name, mcp, ports);
  if (worker) return ports.workers.source(name, worker);
  if (grpc) return grpcSource(name, grpc, ports);
  if (openapi) return openApiSource(name, openapi, ports);
  throw new Error(`Expected a kind of source for ${name} but there is none.`);
}

function mcpSource(name: string, mcp: McpDeclaration, ports: SourcePorts): ToolSource {
  const options = { name, identity: mcpIdentity(mcp), endpoint: mcpEndpoint(name, mcp, ports), protocol: mcp.protocol };
  return new LazySource(name, options.identity, async () => new (await import('../mcp/mcp-source.js')).McpSource(options));
}

/** What makes it this server: how it is started or where it is, without secrets. */
function mcpIdentity(mcp: McpDeclaration): Json {
  return 'command' in mcp ? { mcp: { command: mcp.command, args: mcp.args } } : { mcp: { url: mcp.url } };
}

// What a child needs to start at all; everything else it gets by name.
const HANDED_ON = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'SystemRoot'];

/** The variables of this process that a child process may have. */
export const handedOn = (environment: Environment): { readonly [name: string]: string } =>
  Object.fromEntries(HANDED_ON.flatMap((variable) => (environment[variable] === undefined ? [] : [[variable, environment[variable]]])));

function mcpEndpoint(name: string, mcp: McpDeclaration, { egress, secrets, folder, environment }: SourcePorts): McpEndpoint {
  const filled = (values: { readonly [name: string]: DeclaredValue }): { readonly [name: string]: string } => filledValues(name, values, secrets);
  if ('url' in mcp)
    return { kind: 'http', url: mcp.url, egress, sender: { name: `source ${name}`, origins: [new URL(mcp.url).origin], mayGoAnywherePublic: false }, headersOf: () => filled(mcp.headers) };
  const inherited = handedOn(environment);
  return {
    kind: 'stdio',
    command: mcp.command,
    args: mcp.args,
    envOf: () => ({ TMPDIR: tmpdir(), ...inherited, ...filled(mcp.env) }),
    cwd: resolve(folder, mcp.cwd ?? '.'),
  };
}

function openApiSource(name: string, { document, server, headers, query }: OpenApiDeclaration, { egress, secrets, folder }: SourcePorts): ToolSource {
  const options = {
    name,
    document: /^https?:\/\//.test(document) ? new URL(document) : pathToFileURL(resolve(folder, document)),
    server,
    headersOf: () => filledValues(name, headers, secrets),
    queryOf: () => filledValues(name, query, secrets),
    egress,
    log: logFor('tools'),
  };
  const file = options.document.protocol === 'file:' ? (options.document.pathname.split('/').at(-1) ?? '') : options.document.href;
  const identity = { openapi: { document: file, ...(server === undefined ? {} : { server }) } };
  return new LazySource(name, identity, async () => new (await import('../openapi/openapi-source.js')).OpenApiSource({ ...options, identity }));
}

function grpcSource(name: string, { target, tls, ca, metadata, services }: GrpcDeclaration, { egress, secrets, folder }: SourcePorts): ToolSource {
  const options = {
    source: name,
    identity: { grpc: { target, tls } },
    target,
    tls,
    caFile: ca === undefined ? undefined : resolve(folder, ca),
    services,
    metadataOf: () => filledValues(name, metadata, secrets),
    egress,
  };
  return new LazySource(name, options.identity, async () => new (await import('../grpc/grpc-source.js')).GrpcSource(options));
}
