// Every call and run of the standard that tools carries out. The only place that knows all kinds.
import { lazily, type CallMakers } from './call-making.js';
import { httpCalls } from './http-call.js';
import type { HttpPorts } from '../carry-out/http-work.js';
import type { McpPorts } from './mcp-call.js';
import { scriptCalls, type ScriptPorts } from './script-call.js';
import { shellCalls, type ShellPorts } from './shell-call.js';

export interface CallPorts extends HttpPorts, McpPorts, ScriptPorts, ShellPorts {
  /** For an endpoint to answer, milliseconds. */
  readonly callTimeoutMs: number;
}

export function callMakers(ports: CallPorts): CallMakers {
  return new Map([
    ['http', httpCalls(ports, ports.callTimeoutMs)],
    ['mcp', lazily(async () => (await import('./mcp-call.js')).mcpCalls(ports))],
    ['script', scriptCalls(ports)],
    ['shell', shellCalls(ports)],
  ]);
}
