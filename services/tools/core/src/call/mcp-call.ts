// The standard's `call: mcp`. Source: Open Workflow Specification 1.0.3, dsl-reference.md#mcp-call.
import { parseDuration } from '@weft/workflow';
import type { Json, JsonObject } from '@weft/kernel';
import type { EffectClass } from '../effect/effect.events.js';
import { reading, type Fields, type Reading } from './fields.js';

export const MCP_METHODS = ['tools/list', 'tools/call', 'prompts/list', 'prompts/get', 'resources/list', 'resources/read', 'resources/templates/list'] as const;
export type McpMethod = (typeof MCP_METHODS)[number];

/** What is offered to a server where the document names no version. */
export const MCP_PROTOCOL_DEFAULT = '2025-06-18';

/** How a server is reached. */
export type McpTransport =
  | { readonly kind: 'http'; readonly url: string; readonly authentication?: Json; readonly headers: { readonly [name: string]: string } }
  | { readonly kind: 'stdio'; readonly command: string; readonly arguments: readonly string[]; readonly environment: { readonly [name: string]: string } };

export interface McpCall {
  readonly method: McpMethod;
  readonly parameters: JsonObject;
  readonly transport: McpTransport;
  /** The only version that will do; undefined: the default or an older one. */
  readonly protocolVersion: string | undefined;
  readonly client: { readonly name: string; readonly version: string } | undefined;
  /** Milliseconds; undefined: as the deployment sets it. */
  readonly timeoutMs: number | undefined;
  /** A server says nothing reliable about its tools: a call of one may do anything. The other methods only look. */
  readonly effect: EffectClass;
}

export function readMcpCall(args: Json): Reading<McpCall> {
  return reading('an MCP call', args, (fields) => {
    const method = fields.oneOf('method', MCP_METHODS);
    const client = fields.fieldsOr('client');
    return {
      method,
      parameters: fields.record('parameters'),
      transport: transportOf(fields.fields('transport')),
      protocolVersion: fields.textOr('protocolVersion', undefined),
      client: client && { name: client.text('name'), version: client.text('version') },
      timeoutMs: timeoutOf(fields),
      effect: method === 'tools/call' ? 'non-idempotent-write' : 'read',
    };
  });
}

function transportOf(fields: Fields): McpTransport {
  const stdio = fields.fieldsOr('stdio');
  if (stdio) return { kind: 'stdio', command: stdio.text('command'), arguments: stdio.list('arguments'), environment: stdio.texts('environment') };
  const http = fields.fieldsOr('http') ?? fields.fail('http', 'an object beside or instead of stdio');
  const { uri, ...more } = http.endpoint('endpoint');
  return { kind: 'http', url: uri, ...more, headers: http.headers('headers') };
}

function timeoutOf(fields: Fields): number | undefined {
  const given = fields.get('timeout');
  if (given === undefined) return undefined;
  const duration = parseDuration(given);
  return duration.ok ? duration.ms : fields.fail('timeout', 'a duration', given);
}
