// A declared source made ready to be asked. The only place that knows all kinds.
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import type { Json } from '@weft/kernel';
import type { EgressClient } from '../egress/egress-client.js';
import type { McpEndpoint } from '../mcp/mcp-connection.js';
import { McpSource } from '../mcp/mcp-source.js';
import { secretMissing, type Secrets } from '../secret/secrets.js';
import type { McpDeclaration, SourceDeclaration } from './source-declaration.js';
import { SourceUnavailable, type ToolSource } from './tool-source.js';

export interface SourcePorts {
  readonly egress: EgressClient;
  readonly secrets: Secrets;
  /** Folder that relative paths of declarations are taken from: that of the tools file. */
  readonly folder: string;
  /** Variables of this process, of which a child gets a few. */
  readonly environment: Environment;
}

export type Environment = { readonly [name: string]: string | undefined };

/** Nothing is connected yet. */
export function openSource(declaration: SourceDeclaration, ports: SourcePorts): ToolSource {
  const { name, mcp } = declaration;
  if (mcp) return new McpSource({ name, identity: mcpIdentity(mcp), endpoint: mcpEndpoint(name, mcp, ports), protocol: mcp.protocol });
  throw new Error(`Expected a kind of source for ${name} but there is none.`);
}

/** What makes it this server: how it is started or where it is, without secrets. */
function mcpIdentity(mcp: McpDeclaration): Json {
  return 'command' in mcp ? { mcp: { command: mcp.command, args: mcp.args } } : { mcp: { url: mcp.url } };
}

// What a child needs to start at all; everything else it gets by name.
const HANDED_ON = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'SystemRoot'];

function mcpEndpoint(name: string, mcp: McpDeclaration, { egress, secrets, folder, environment }: SourcePorts): McpEndpoint {
  const valueOf = (value: string | { readonly secret: string; readonly prefix?: string | undefined }): string => {
    if (typeof value === 'string') return value;
    const secret = secrets(value.secret);
    if (secret === undefined) throw new SourceUnavailable(`${secretMissing(value.secret).message} Source ${name} needs it.`);
    return `${value.prefix ?? ''}${secret}`;
  };
  const filled = (values: { readonly [name: string]: Parameters<typeof valueOf>[0] }): { readonly [name: string]: string } =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, valueOf(value)]));
  if ('url' in mcp) return { kind: 'http', url: mcp.url, egress, headersOf: () => filled(mcp.headers) };
  const inherited = Object.fromEntries(HANDED_ON.flatMap((variable) => (environment[variable] === undefined ? [] : [[variable, environment[variable]]])));
  return {
    kind: 'stdio',
    command: mcp.command,
    args: mcp.args,
    envOf: () => ({ TMPDIR: tmpdir(), ...inherited, ...filled(mcp.env) }),
    cwd: resolve(folder, mcp.cwd ?? '.'),
  };
}
