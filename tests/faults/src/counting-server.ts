// The outside world of a fault run: does effects and remembers each one, in its own process and file. Shares no code with what it judges.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { openReceiptFile, type Receipt, type ReceiptFile } from './receipt-file.js';

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
}

/** A counting server that runs. */
export interface CountingServer {
  /** Without a path, e.g. `http://127.0.0.1:40123`. */
  readonly url: string;
  /** Receipts so far, those of earlier runs on the same file included. */
  readonly receipts: () => number;
  /** Stops listening, stores what is under way, cuts every connection. */
  readonly close: () => Promise<void>;
}

/** What a caller gets for an effect. */
export interface EffectAnswer {
  readonly receipt: number;
  readonly tool: string;
  readonly key: string | null;
}

interface Effect {
  readonly answer: EffectAnswer;
  /** Settles when the receipt is on the disk. */
  readonly stored: Promise<void>;
}

interface Running {
  readonly options: CountingServerOptions;
  readonly file: ReceiptFile;
  /** The first effect of each (tool, key). One entry per effect of the run. */
  readonly firstEffects: Map<string, Effect>;
  received: number;
}

/**
 * Starts the server on 127.0.0.1:
 * `POST /effects/:tool` stores a receipt and answers 200 with an `EffectAnswer`;
 * `GET /effects/:tool/:key` answers `{happened, answer?}` for who has lost an answer (the key may hold slashes, plain or encoded);
 * `GET /health` answers `{ok, receipts}`.
 * Rejects when the port is taken or the file holds something else.
 * @param openFile how the file is opened; another one stands in where a test decides when a receipt is on the disk.
 */
export async function startCountingServer(options: CountingServerOptions, openFile: (path: string) => Promise<ReceiptFile> = openReceiptFile): Promise<CountingServer> {
  const file = await openFile(options.file);
  const running: Running = { options, file, firstEffects: new Map(), received: file.receipts.at(-1)?.receipt ?? 0 };
  for (const receipt of file.receipts) remember(running, receipt, Promise.resolve());
  const server = createServer((request, response) => {
    handle(running, request, response).catch((error: unknown) => {
      if (!response.headersSent) send(response, error instanceof URIError ? 400 : 500, { error: error instanceof Error ? error.message : String(error) });
    });
  });
  // A connection closed while idle would lose answers that nobody asked to lose.
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  }).catch(async (error: unknown) => {
    await file.close();
    throw error;
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    receipts: () => running.received,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await file.close();
    },
  };
}

async function handle(running: Running, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const [root, tool, ...key] = url.pathname.slice(1).split('/').map(decodeURIComponent);
  if (request.method === 'GET' && url.pathname === '/health') return send(response, 200, { ok: true, receipts: running.received });
  if (root === 'effects' && tool && request.method === 'POST' && key.length === 0) return effect(running, tool, url.searchParams, request, response);
  if (root === 'effects' && tool && request.method === 'GET' && key.length > 0) return reconcile(running, tool, key.join('/'), response);
  send(response, 404, { error: `Expected POST /effects/TOOL, GET /effects/TOOL/KEY or GET /health, but got ${request.method} ${url.pathname}` });
}

async function effect(running: Running, tool: string, query: URLSearchParams, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { options } = running;
  const delayMs = Number(query.get('delayMs') ?? options.delayMs ?? 0);
  const lostAnswer = Number(query.get('lostAnswer') ?? options.lostAnswer ?? 0);
  if (!(delayMs >= 0) || !(lostAnswer >= 0 && lostAnswer <= 1)) {
    return send(response, 400, { error: `Expected delayMs >= 0 and lostAnswer from 0 to 1, but got ?${query.toString()}` });
  }
  const body = createHash('sha256');
  for await (const chunk of request as AsyncIterable<Buffer>) body.update(chunk);

  // From here to `append` nothing waits: numbers in the file stand in their order, and whoever asks for the key from now on finds it.
  const receipt: Receipt = {
    receipt: ++running.received,
    at: { monotonicNs: process.hrtime.bigint().toString(), wallMs: Date.now() },
    tool,
    key: header(request, 'idempotency-key'),
    execution: header(request, 'weft-execution'),
    task: header(request, 'weft-task'),
    iteration: header(request, 'weft-iteration'),
    bodySha256: body.digest('hex'),
  };
  const stored = running.file.append(receipt);
  const first = remember(running, receipt, stored);
  await stored;

  if (delayMs > 0) await sleep(delayMs);
  if (isLost(lostAnswer, options.seed ?? 1, receipt.receipt)) return void response.destroy();
  send(response, 200, options.idempotent?.includes(tool) ? first.answer : answerOf(receipt));
}

async function reconcile(running: Running, tool: string, key: string, response: ServerResponse): Promise<void> {
  const found = running.firstEffects.get(nameOf(tool, key));
  // An effect under way has happened for whoever asks: answering "no" now would invite a second one.
  await found?.stored;
  send(response, 200, found ? { happened: true, answer: found.answer } : { happened: false });
}

function remember(running: Running, receipt: Receipt, stored: Promise<void>): Effect {
  const effect = { answer: answerOf(receipt), stored };
  if (receipt.key === null) return effect;
  const name = nameOf(receipt.tool, receipt.key);
  const first = running.firstEffects.get(name);
  if (first) return first;
  running.firstEffects.set(name, effect);
  return effect;
}

const nameOf = (tool: string, key: string): string => JSON.stringify([tool, key]);

const answerOf = ({ receipt, tool, key }: Receipt): EffectAnswer => ({ receipt, tool, key });

/** Decided by seed and receipt number alone, so that one run loses what another with the same seed loses. */
function isLost(rate: number, seed: number, receipt: number): boolean {
  if (rate <= 0) return false;
  return createHash('sha256').update(`${seed}:${receipt}`).digest().readUInt32BE() / 2 ** 32 < rate;
}

function header(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
