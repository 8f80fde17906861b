// The counting server as an MCP server: streamable HTTP, of protocol 2026-07-28 and of those with a handshake.
import { createMcpHandler, ProtocolError, Server, type CallToolResult } from '@modelcontextprotocol/server';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyDigest, type EffectReceiver } from './effect-receiver.js';
import { EXPECTED_PLAN, FAULTS, plannedFault, type FaultKind } from './planned-fault.js';

/** Serves one HTTP request. */
export type HttpFace = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Keys of `_meta` that a call carries. */
const META = { key: 'ai.weft/idempotency-key', execution: 'ai.weft/execution', task: 'ai.weft/task', iteration: 'ai.weft/iteration' } as const;
const INVALID_PARAMS = -32_602;
const INTERNAL = -32_603;

const EFFECT_INPUT = {
  type: 'object' as const,
  properties: { n: { type: 'integer' }, fault: { type: 'string', enum: [...FAULTS, 'none'] }, times: { type: 'integer', minimum: 1 }, delayMs: { type: 'number', minimum: 0 } },
};
const TOOLS = [
  { name: 'read', description: 'Leaves nothing behind but its receipt.', inputSchema: EFFECT_INPUT, annotations: { readOnlyHint: true } },
  { name: 'idempotent', description: 'A write that is done once for one key.', inputSchema: EFFECT_INPUT, annotations: { readOnlyHint: false, idempotentHint: true } },
  { name: 'once', description: 'A write that is done each time it is asked.', inputSchema: EFFECT_INPUT, annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false } },
  {
    name: 'happened',
    description: 'Tells by tool and key whether an effect has happened.',
    inputSchema: { type: 'object' as const, required: ['tool', 'key'], properties: { tool: { type: 'string' }, key: { type: 'string' } } },
    annotations: { readOnlyHint: true },
  },
];

export function mcpFace(receiver: EffectReceiver): HttpFace {
  const exchanges = new AsyncLocalStorage<ServerResponse>();
  const handler = createMcpHandler(
    () => {
      const server = new Server({ name: 'counting-server', version: '1.0.0' }, { capabilities: { tools: {} } });
      server.setRequestHandler('tools/list', () => ({ tools: TOOLS }));
      server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
        const { name, arguments: args = {} } = params;
        if (name === 'happened') return resultOf(await receiver.happened(String(args['tool']), String(args['key'])));
        if (!TOOLS.some((tool) => tool.name === name)) throw new ProtocolError(INVALID_PARAMS, `Expected one of ${TOOLS.map((tool) => tool.name).join(', ')}, but got ${name}`);
        const plan = plannedFault(args);
        if (!plan) throw new ProtocolError(INVALID_PARAMS, `${EXPECTED_PLAN}, but got ${JSON.stringify(args)}`);
        const meta = (field: keyof typeof META): string | null => textOf(mcpReq._meta?.[META[field]]);
        const arrival = { face: 'mcp' as const, tool: name, key: meta('key'), execution: meta('execution'), task: meta('task'), iteration: meta('iteration') };
        const { answer, fault } = await receiver.receive({ ...arrival, bodySha256: bodyDigest(JSON.stringify(args)) }, plan);
        if (fault !== null) await play(fault, exchanges.getStore());
        return resultOf(answer);
      });
      return server;
    },
    { keepAliveMs: 0 },
  );
  return (request, response) =>
    exchanges.run(response, async () => {
      const body = request.method === 'POST' ? { body: await textBody(request) } : {};
      const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, String(value)]]));
      const reply = await handler.fetch(new Request(`http://localhost${request.url}`, { method: request.method!, headers, ...body }));
      if (response.destroyed || response.headersSent) return;
      response.writeHead(reply.status, Object.fromEntries(reply.headers));
      for await (const chunk of reply.body ?? []) if (!isOver(response)) response.write(chunk);
      if (!isOver(response)) response.end();
    });
}

/** Does to the exchange what was asked for; comes back only where the answer is to be given after all. */
async function play(fault: FaultKind, response: ServerResponse | undefined): Promise<void> {
  switch (fault) {
    case 'refused':
      throw new ProtocolError(INVALID_PARAMS, 'Refused as planned: nothing was done');
    case 'error':
      throw new ProtocolError(INTERNAL, 'Failed as planned, after the effect');
    case 'lost':
      response?.destroy();
      break;
    case 'garbled':
      if (response && !response.headersSent) response.writeHead(200, { 'content-type': 'application/json' });
      response?.end('{"jsonrpc":"2.0","id":');
      break;
    case 'stall':
      if (response && !response.destroyed) await once(response, 'close');
      break;
  }
  throw new ProtocolError(INTERNAL, 'Nobody hears this: the exchange is over');
}

function resultOf(value: object): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value as Record<string, unknown> };
}

async function textBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

const isOver = (response: ServerResponse): boolean => response.destroyed || response.writableEnded;

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
