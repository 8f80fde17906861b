// `call: mcp` made ready: a connection of its own for each call, over HTTP or to a process that the operator lets it start.
import { tmpdir } from 'node:os';
import type { CallToolResult } from '@modelcontextprotocol/client';
import type { Job } from '@weft/contracts';
import { rejection, type Failure, type Json, type JsonObject } from '@weft/kernel';
import { MCP_PROTOCOL_DEFAULT, readMcpCall, type McpCall, type Target } from '@weft/tools/core';
import { notMade, PAST_DEADLINE, STOPPED, type Sending, type Sent } from '../carry-out/work.js';
import type { EgressClient } from '../egress/egress-client.js';
import { outcomeOfError, reported } from '../mcp/mcp-answer.js';
import { HANDSHAKE_VERSIONS, McpConnection, type McpEndpoint, type McpProtocol } from '../mcp/mcp-connection.js';
import { callWatch, type CallWatch } from '../mcp/mcp-fetch.js';
import { metaOf } from '../mcp/mcp-meta.js';
import type { Withheld } from '../secret/withheld.js';
import { credentialHeaders, type CredentialPorts } from './call-credentials.js';
import { callSender, notMakeable, type CallMaker } from './call-making.js';

export interface McpPorts extends CredentialPorts {
  readonly egress: EgressClient;
  /** Commands that may be started as servers. */
  readonly mcpCommands: readonly string[];
  /** What every process outside finds in its environment. */
  readonly inherited: { readonly [name: string]: string };
  readonly callTimeoutMs: number;
}

export function mcpCalls(ports: McpPorts): CallMaker {
  return (job, args, { withheld }) => {
    const read = readMcpCall(args);
    if (!read.ok) return notMakeable({ action: 'mcp', url: '', method: '', effect: 'read' }, read.failure);
    const call = read.value;
    const { transport, method, effect } = call;
    const on: Target = { action: 'mcp', url: transport.kind === 'http' ? transport.url : `stdio:${transport.command}`, method, effect };
    if (transport.kind === 'stdio' && !ports.mcpCommands.includes(transport.command)) return notMakeable(on, commandRefused(transport.command));
    return {
      on,
      made: {
        ok: true,
        work: {
          job,
          name: 'call:mcp',
          effect,
          timeoutMs: call.timeoutMs ?? ports.callTimeoutMs,
          request: { server: on.url, method, parameters: call.parameters },
          attributes: {},
          taint: [`mcp:${transport.kind === 'http' ? new URL(transport.url).host : transport.command}`],
          send: (sending) => send(ports, job, call, withheld, sending),
        },
      },
    };
  };
}

const commandRefused = (command: string): Failure =>
  rejection('not-configured', `Expected an MCP server that may be started but ${JSON.stringify(command)} is not: list it in WEFT_MCP_STDIO, or reach the server over HTTP.`);

async function send(ports: McpPorts, job: Job, call: McpCall, withheld: Withheld, sending: Sending): Promise<Sent> {
  const leftMs = (): number => Math.floor(sending.untilMs - performance.now());
  if (leftMs() <= 0 || sending.halted?.aborted) return notMade(PAST_DEADLINE);
  const endpoint = await endpointOf(ports, job, call, withheld, leftMs());
  if ('failure' in endpoint) return notMade(endpoint.failure);
  let connection: McpConnection;
  try {
    connection = await McpConnection.open(endpoint, protocolOf(call), { timeoutMs: leftMs(), client: call.client, onEnd: () => undefined, onChange: () => undefined });
  } catch (error) {
    return notMade(rejection('unreachable', `Expected a connection to the MCP server but ${(error as Error).message.replace(/\.$/, '')}.`, { retryable: true }));
  }
  try {
    if (sending.halted?.aborted) return notMade(STOPPED);
    return await ask(connection, job, call, sending);
  } finally {
    await connection.close().catch(() => undefined);
  }
}

async function ask(connection: McpConnection, job: Job, { method, parameters, effect }: McpCall, sending: Sending): Promise<Sent> {
  const evidence: JsonObject = { protocol: connection.protocol };
  const watch: CallWatch = { mayRepeat: effect === 'read', signal: sending.signal, untilMs: sending.untilMs, discards: [] };
  const timeout = Math.max(1, Math.floor(sending.untilMs - performance.now()));
  const params = method === 'tools/call' ? { ...parameters, _meta: { ...(parameters['_meta'] as JsonObject | undefined), ...metaOf(job, sending) } } : parameters;
  try {
    const result = await connection.use((client) =>
      callWatch.run(watch, () => client.request({ method, params }, ANY_RESULT, { timeout, maxTotalTimeout: timeout, ...(sending.signal ? { signal: sending.signal } : {}) })),
    );
    // What a tool reports as its own error is the failure that the standard means: the server is taken at its word.
    if (method === 'tools/call' && (result as JsonObject)['isError'] === true) return { outcome: reported(result as unknown as CallToolResult, effect, 'failed'), evidence };
    return { outcome: { kind: 'confirmed' }, evidence, answer: { output: result as Json } };
  } catch (error) {
    return { outcome: outcomeOfError(error, { effect, onError: 'failed' }, watch, true), evidence };
  } finally {
    for (const discard of watch.discards) discard();
  }
}

// The output is the result as it came, whatever a later version of the protocol adds to it.
const ANY_RESULT = { '~standard': { version: 1 as const, vendor: 'weft', validate: (value: unknown): { readonly value: Json } => ({ value: value as Json }) } };

async function endpointOf(ports: McpPorts, job: Job, { transport }: McpCall, withheld: Withheld, timeoutMs: number): Promise<McpEndpoint | { readonly failure: Failure }> {
  const { egress, inherited } = ports;
  if (transport.kind === 'http') {
    const sender = callSender('call:mcp', job);
    const credentials = await credentialHeaders(ports, job, transport.authentication, { sender, withheld, timeoutMs });
    return credentials.ok ? { kind: 'http', url: transport.url, egress, sender, headersOf: () => ({ ...transport.headers, ...credentials.headers }) } : credentials;
  }
  const { command, arguments: args, environment } = transport;
  return { kind: 'stdio', command, args, envOf: () => ({ TMPDIR: tmpdir(), ...inherited, ...environment }), cwd: tmpdir() };
}

/** A version that is named is spoken, or nothing is; without one, the standard's own or an older one that the server has. */
function protocolOf({ protocolVersion }: McpCall): McpProtocol {
  if (protocolVersion === '2026-07-28') return protocolVersion;
  if (protocolVersion !== undefined) return { offered: [protocolVersion] };
  return { offered: [MCP_PROTOCOL_DEFAULT, ...HANDSHAKE_VERSIONS.filter((version) => version !== MCP_PROTOCOL_DEFAULT)] };
}
