// Weft as an MCP server: one instance a request, for the caller of that request. Nothing of it outlives the answer; executions do.
import { fromJsonSchema, McpServer, type CallToolResult, type ServerContext } from '@modelcontextprotocol/server';
import { REQUEST_LIMITS, type Context, type OrchestrationPeer, type RoutingPeer } from '@weft/contracts';
import { isUuid, refuse, Refused, type Json, type JsonObject } from '@weft/kernel';
import { Fault } from '@weft/pipeline';
import { randomUUID } from 'node:crypto';
import type { ResultWaiter } from '../answer/result-waiter.js';
import { checkStorable } from '../http/body.js';
import { FOLLOWING, type ExposedTool } from './exposed-tools.js';
import { asJson, endedResult, executionResult, refusedResult, runningResult } from './mcp-answers.js';

/** `_meta` key by which a client names a call: the same key again is answered by the first one's execution. */
export const IDEMPOTENCY_META = 'ai.weft/idempotency-key';

/** CloudEvents source of requests that MCP clients make. */
export const MCP_SOURCE = '/mcp';

const NAME = 'weft';
const VERSION = '0.1.0';
const PROGRESS_MS = 2_000;

export interface McpPorts {
  readonly routing: Pick<RoutingPeer, 'accept'>;
  readonly orchestration: Pick<OrchestrationPeer, 'getExecution' | 'operate'>;
  readonly results: Pick<ResultWaiter, 'wait' | 'hasRoom'>;
  readonly tools: readonly ExposedTool[];
  /** How long a call waits for its execution before it is answered with a handle, milliseconds. */
  readonly waitMs: number;
}

/** Who asks, for one request. */
export interface McpCaller {
  readonly context: Context;
  /** The call is accepted: another may come in its place. */
  readonly onAccepted: () => void;
}

type Schema = ReturnType<typeof fromJsonSchema<JsonObject>>;

const GET = fromJsonSchema<JsonObject>({ type: 'object', required: ['executionId'], properties: { executionId: { type: 'string' } } });
const CANCEL = fromJsonSchema<JsonObject>({ type: 'object', required: ['executionId'], properties: { executionId: { type: 'string' }, reason: { type: 'string', maxLength: 1_000 } } });

/** Makes servers for callers. Schemas are compiled once. */
export function mcpServers(ports: McpPorts): (caller: McpCaller) => McpServer {
  const schemas = new Map<ExposedTool, Schema>(ports.tools.map((tool) => [tool, fromJsonSchema<JsonObject>(tool.input as Parameters<typeof fromJsonSchema>[0])]));
  return (caller) => {
    const server = new McpServer({ name: NAME, version: VERSION }, { capabilities: { tools: {} } });
    for (const [tool, inputSchema] of schemas) {
      if (tool.tenants?.includes(caller.context.tenant) === false) continue;
      server.registerTool(tool.name, { description: tool.description, inputSchema }, (args, call) => answered(() => start(ports, caller, tool, args, call)));
    }
    const follow = { description: 'Tells how an execution of Weft stands: its status, and its output or error when it has ended.', inputSchema: GET, annotations: { readOnlyHint: true } };
    server.registerTool(FOLLOWING.get, follow, ({ executionId }) => answered(async () => executionResult(await ports.orchestration.getExecution({ executionId: idOf(executionId) }, caller.context))));
    const cancel = { description: 'Cancels an execution of Weft that has not ended.', inputSchema: CANCEL, annotations: { destructiveHint: true, idempotentHint: true } };
    server.registerTool(FOLLOWING.cancel, cancel, ({ executionId, reason = '' }) =>
      answered(async () => {
        const operated = await ports.orchestration.operate({ executionId: idOf(executionId), operation: 'cancel', operationId: randomUUID(), reason: String(reason), task: '' }, caller.context);
        return asJson({ executionId: idOf(executionId), changed: operated.changed, status: operated.execution?.status ?? '' });
      }),
    );
    return server;
  };
}

async function start({ routing, results, waitMs }: McpPorts, { context, onAccepted }: McpCaller, { name, type }: ExposedTool, args: JsonObject, call: ServerContext): Promise<CallToolResult> {
  checkStorable(args, 'arguments');
  const dataJson = JSON.stringify(args);
  if (Buffer.byteLength(dataJson) > REQUEST_LIMITS.bytesMax) refuse('request-too-large', `Expected arguments of at most ${REQUEST_LIMITS.bytesMax} bytes but they are longer.`);
  const known = { ...context, purpose: type };
  const { executionId } = await routing.accept({ id: idOfCall(name, call), source: MCP_SOURCE, type, subject: '', dataJson }, known);
  onAccepted();
  const untilMs = performance.now() + waitMs;
  let isQuiet = !results.hasRoom;
  for (let progress = 1; !isQuiet; progress++) {
    await tellProgress(call, progress, executionId);
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) isQuiet = true;
    const outcome = await results.wait(executionId, known, Math.min(PROGRESS_MS, Math.max(0, leftMs)), call.mcpReq.signal);
    if (outcome) return endedResult(executionId, outcome);
    isQuiet ||= call.mcpReq.signal.aborted;
  }
  return runningResult(executionId, 'running', FOLLOWING.get);
}

/** The request's id. One that the client named stands for the tool and the arguments that it first came with. */
function idOfCall(tool: string, call: ServerContext): string {
  const key = call.mcpReq._meta?.[IDEMPOTENCY_META];
  if (key === undefined) return randomUUID();
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(key)) refuse('request-invalid', `Expected \`${IDEMPOTENCY_META}\` in _meta to be 1 to 200 printable characters without spaces.`);
  return `${tool}/${key}`;
}

async function tellProgress(call: ServerContext, progress: number, executionId: string): Promise<void> {
  const progressToken = call.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  const message = progress === 1 ? `accepted as execution ${executionId}` : `execution ${executionId} goes on`;
  await call.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, message } });
}

function idOf(executionId: Json | undefined): string {
  if (typeof executionId !== 'string' || !isUuid(executionId)) refuse('not-found', 'Expected the id of an execution but there is none of that name.');
  return executionId;
}

/** Refusals become results that a model can read; what is no refusal is an error of the protocol. */
async function answered(ask: () => Promise<CallToolResult>): Promise<CallToolResult> {
  try {
    return await ask();
  } catch (thrown) {
    if (thrown instanceof Refused) return refusedResult(thrown.rejection.code, thrown.rejection.message);
    if (thrown instanceof Fault) return refusedResult('unavailable', 'Expected Weft to answer but a part of it cannot be reached right now: call again with the same idempotency key.');
    throw thrown;
  }
}
