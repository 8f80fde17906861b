// Every call and run of the standard that tools carries out. The only place that knows all kinds.
import { lazily, type CallMakers } from './call-making.js';
import { a2aCalls, type A2aPorts } from './a2a-call.js';
import type { AsyncApiPorts } from './asyncapi-call.js';
import { containerCalls, type ContainerPorts } from './container-call.js';
import type { GrpcPorts } from './grpc-call.js';
import { httpCalls } from './http-call.js';
import type { OpenApiPorts } from './openapi-call.js';
import type { McpPorts } from './mcp-call.js';
import { scriptCalls, type ScriptPorts } from './script-call.js';
import { shellCalls, type ShellPorts } from './shell-call.js';

export interface CallPorts extends OpenApiPorts, A2aPorts, AsyncApiPorts, ContainerPorts, GrpcPorts, McpPorts, ScriptPorts, ShellPorts {}

export function callMakers(ports: CallPorts): CallMakers {
  return new Map([
    ['http', httpCalls(ports)],
    ['a2a', a2aCalls(ports)],
    ['asyncapi', lazily(async () => (await import('./asyncapi-call.js')).asyncApiCalls(ports))],
    ['container', containerCalls(ports)],
    ['grpc', lazily(async () => (await import('./grpc-call.js')).grpcCalls(ports))],
    ['openapi', lazily(async () => (await import('./openapi-call.js')).openApiCalls(ports))],
    ['mcp', lazily(async () => (await import('./mcp-call.js')).mcpCalls(ports))],
    ['script', scriptCalls(ports)],
    ['shell', shellCalls(ports)],
  ]);
}
