import { All, Controller, Inject, Req, Res } from '@nestjs/common';
import type { OrchestrationPeer, RoutingPeer } from '@weft/contracts';
import { refuse } from '@weft/kernel';
import type { Response as Outgoing } from 'express';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ResultWaiter } from '../answer/result-waiter.js';
import { leaving } from '../answer/leaving.js';
import type { GatewaySettings } from '../config.js';
import { bodyBytes } from '../http/body.js';
import { leaveCrowd } from '../http/crowd.js';
import type { KnownRequest } from '../http/key.guard.js';
import type { ExposedTool } from '../mcp/exposed-tools.js';
import type { McpCaller, McpPorts } from '../mcp/mcp-server.js';
import { EXPOSED, ORCHESTRATION, ROUTING, SETTINGS } from '../ports.js';

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

@Controller('mcp')
export class McpController {
  readonly #ports: McpPorts;
  #loading: ReturnType<typeof loadServer> | undefined;

  constructor(
    @Inject(ROUTING) routing: RoutingPeer,
    @Inject(ORCHESTRATION) orchestration: OrchestrationPeer,
    @Inject(ResultWaiter) results: ResultWaiter,
    @Inject(EXPOSED) tools: readonly ExposedTool[],
    @Inject(SETTINGS) private readonly settings: GatewaySettings,
  ) {
    this.#ports = { routing, orchestration, results, tools, waitMs: settings.WEFT_MCP_WAIT_MS };
  }

  /** MCP over streamable HTTP, of 2026-07-28 and of the revisions of 2025: each request is answered by itself, no session is kept. */
  @All()
  async serve(@Req() request: KnownRequest, @Res() response: Outgoing): Promise<void> {
    checkOrigin(request, this.settings.WEFT_MCP_ORIGINS);
    const caller: McpCaller = { context: request.context, onAccepted: () => leaveCrowd(response) };
    const signal = leaving(response);
    const { createMcpHandler, serverFor } = await (this.#loading ??= loadServer(this.#ports));
    const handler = createMcpHandler(() => serverFor(caller), { maxRequestBodySize: this.settings.WEFT_REQUEST_BYTES_MAX });
    const body = bodyBytes(request);
    const incoming = new Request(new URL(request.originalUrl, 'http://weft.invalid'), {
      method: request.method,
      // The key ends here: nothing behind the door is shown it.
      headers: Object.entries(request.headers).flatMap(([name, value]): [string, string][] => (typeof value === 'string' && name !== 'authorization' ? [[name, value]] : [])),
      ...(body.length === 0 || request.method === 'GET' || request.method === 'HEAD' ? {} : { body: new Uint8Array(body) }),
      signal,
    });
    try {
      await answer(response, await handler.fetch(incoming));
    } finally {
      await handler.close();
    }
  }
}

/** Loaded by the first request: a process that nobody asks this way does not pay for it. */
async function loadServer(ports: McpPorts) {
  const [{ createMcpHandler }, { mcpServers }] = await Promise.all([import('@modelcontextprotocol/server'), import('../mcp/mcp-server.js')]);
  return { createMcpHandler, serverFor: mcpServers(ports) };
}

/** A browser says which page asks. Only pages that the operator lists may, and those of this machine. */
function checkOrigin(request: KnownRequest, listed: readonly string[]): void {
  const origin = request.get('origin');
  if (origin === undefined || listed.includes(origin)) return;
  if (URL.canParse(origin) && LOOPBACK.test(new URL(origin).hostname)) return;
  refuse('denied', `Expected a page that may ask but got ${JSON.stringify(origin.slice(0, 200))}: to allow it, list it in WEFT_MCP_ORIGINS.`);
}

async function answer(response: Outgoing, made: Response): Promise<void> {
  response.status(made.status);
  for (const [name, value] of made.headers) response.setHeader(name, value);
  if (made.body === null) return void response.end();
  response.flushHeaders();
  // A reader that leaves is no error of ours.
  await pipeline(Readable.fromWeb(made.body as Parameters<typeof Readable.fromWeb>[0]), response).catch(() => undefined);
}
