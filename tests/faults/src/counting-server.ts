// The outside world of a fault run: does effects and remembers each one, in its own process and file. Shares no code with what it judges.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EffectReceiver } from './effect-receiver.js';
import type { HttpFace } from './mcp-face.js';
import { EXPECTED_PLAN, plannedFault, type FaultKind } from './planned-fault.js';
import { openReceiptFile, type ReceiptFile } from './receipt-file.js';

/** How the server behaves. */
export interface CountingServerOptions {
  /** The receipt file; created when absent, continued when present. */
  readonly file: string;
  /** TCP port on 127.0.0.1; default 0: a free one. */
  readonly port?: number;
  /** Tools that answer a repeated key with their first answer. The others do the effect again. */
  readonly idempotent?: readonly string[];
  /** Wait between the effect and its answer, in milliseconds; default 0. A request overrides it with `?delayMs=`. */
  readonly delayMs?: number;
  /** Share of effects whose connection is cut instead of an answer, 0 to 1; default 0. A request overrides it with `?lostAnswer=`. */
  readonly lostAnswer?: number;
  /** Chooses which answers get lost; default 1. */
  readonly seed?: number;
  /** Whether it is an MCP server too, at `/mcp`; default false. */
  readonly mcp?: boolean;
  /** Port of its gRPC face on 127.0.0.1, 0: a free one; default: it has none. */
  readonly grpcPort?: number;
}

/** A counting server that runs. */
export interface CountingServer {
  /** Without a path, e.g. `http://127.0.0.1:40123`. */
  readonly url: string;
  /** Address of the gRPC face, host:port, if it has one. */
  readonly grpc?: string;
  /** Receipts so far, those of earlier runs on the same file included. */
  readonly receipts: () => number;
  /** Stops listening, stores what is under way, cuts every connection. */
  readonly close: () => Promise<void>;
}

/** Tools of the MCP and gRPC faces that do a repeated key once. */
const FACE_IDEMPOTENT = ['idempotent'];

/**
 * Starts the server on 127.0.0.1:
 * `POST /effects/:tool` stores a receipt and answers 200 with an `EffectAnswer`; `?fault=` asks for a fault, `&times=` for how many arrivals of a key;
 * `GET /effects/:tool/:key` answers `{happened, answer?}` for who has lost an answer (the key may hold slashes, plain or encoded);
 * `GET /health` answers `{ok, receipts}`;
 * `POST /mcp` and the gRPC service `counting.v1.Effects` offer the tools read, idempotent, once and happened.
 * Rejects when a port is taken or the file holds something else.
 * @param openFile how the file is opened; another one stands in where a test decides when a receipt is on the disk.
 */
export async function startCountingServer(options: CountingServerOptions, openFile: (path: string) => Promise<ReceiptFile> = openReceiptFile): Promise<CountingServer> {
  const file = await openFile(options.file);
  const hasFaces = options.mcp === true || options.grpcPort !== undefined;
  const receiver = new EffectReceiver(file, { idempotent: [...(options.idempotent ?? []), ...(hasFaces ? FACE_IDEMPOTENT : [])], lostAnswer: options.lostAnswer ?? 0, seed: options.seed ?? 1 });
  // Loaded only when asked for: a plain server starts in no time.
  const mcp = options.mcp ? (await import('./mcp-face.js')).mcpFace(receiver) : undefined;
  const server = createServer((request, response) => {
    handle({ receiver, options, mcp }, request, response).catch((error: unknown) => {
      if (!response.headersSent) send(response, error instanceof URIError ? 400 : 500, { error: error instanceof Error ? error.message : String(error) });
    });
  });
  // A connection closed while idle would lose answers that nobody asked to lose.
  server.keepAliveTimeout = 600_000;
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve));
    const grpc = options.grpcPort === undefined ? undefined : await (await import('./grpc-face.js')).startGrpcFace(receiver, options.grpcPort);
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      ...(grpc ? { grpc: grpc.address } : {}),
      receipts: () => receiver.received,
      close: async () => {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        server.closeAllConnections();
        await Promise.all([closed, grpc?.close()]);
        await file.close();
      },
    };
  } catch (error) {
    server.close();
    await file.close();
    throw error;
  }
}

interface Serving {
  readonly receiver: EffectReceiver;
  readonly options: CountingServerOptions;
  readonly mcp: HttpFace | undefined;
}

async function handle(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { receiver, mcp } = serving;
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (mcp && url.pathname === '/mcp') return mcp(request, response);
  const [root, tool, ...key] = url.pathname.slice(1).split('/').map(decodeURIComponent);
  if (request.method === 'GET' && url.pathname === '/health') return send(response, 200, { ok: true, receipts: receiver.received });
  if (root === 'effects' && tool && request.method === 'POST' && key.length === 0) return effect(serving, tool, url.searchParams, request, response);
  if (root === 'effects' && tool && request.method === 'GET' && key.length > 0) return send(response, 200, await receiver.happened(tool, key.join('/')));
  send(response, 404, { error: `Expected POST /effects/TOOL, GET /effects/TOOL/KEY or GET /health, but got ${request.method} ${url.pathname}` });
}

async function effect({ receiver, options }: Serving, tool: string, query: URLSearchParams, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const plan = plannedFault({ fault: query.get('fault'), times: query.get('times'), delayMs: query.get('delayMs') ?? undefined }, options.delayMs);
  const lostAnswer = query.has('lostAnswer') ? Number(query.get('lostAnswer')) : undefined;
  if (!plan || (lostAnswer !== undefined && !(lostAnswer >= 0 && lostAnswer <= 1))) {
    return send(response, 400, { error: `${EXPECTED_PLAN}, and lostAnswer from 0 to 1, but got ?${query.toString()}` });
  }
  const body = createHash('sha256');
  for await (const chunk of request as AsyncIterable<Buffer>) body.update(chunk);
  const arrival = {
    face: 'http' as const,
    tool,
    key: header(request, 'idempotency-key'),
    execution: header(request, 'weft-execution'),
    task: header(request, 'weft-task'),
    iteration: header(request, 'weft-iteration'),
    bodySha256: body.digest('hex'),
  };
  const { answer, fault } = await receiver.receive(arrival, plan, lostAnswer);
  if (fault === null) send(response, 200, answer);
  else play(fault, response);
}

function play(fault: FaultKind, response: ServerResponse): void {
  switch (fault) {
    case 'refused':
      return send(response, 422, { error: 'Refused as planned: nothing was done' });
    case 'error':
      return send(response, 500, { error: 'Failed as planned, after the effect' });
    case 'garbled':
      return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"receipt":');
    case 'lost':
      return void response.destroy();
    case 'stall':
      return;
  }
}

function header(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
