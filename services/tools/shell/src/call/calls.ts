// Every call and run of the standard that tools carries out. The only place that knows all kinds.
import { lazily, type CallMakers } from './call-making.js';
import { httpCalls } from './http-call.js';
import type { ExchangePorts } from './exchange-work.js';
import type { McpPorts } from './mcp-call.js';
import { scriptCalls, type ScriptPorts } from './script-call.js';
import { shellCalls, type ShellPorts } from './shell-call.js';

export interface CallPorts extends ExchangePorts, McpPorts, ScriptPorts, ShellPorts {}

export function callMakers(ports: CallPorts): CallMakers {
  return new Map([
    ['http', httpCalls(ports)],
    ['mcp', lazily(async () => (await import('./mcp-call.js')).mcpCalls(ports))],
    ['script', scriptCalls(ports)],
    ['shell', shellCalls(ports)],
  ]);
}
