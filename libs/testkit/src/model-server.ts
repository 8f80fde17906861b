// A scripted model behind the wire protocol of OpenAI's chat completions, over real HTTP: what a test or the demo meets is the network, not a mock.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { completionBody, completionEvents, errorBody, type CompletionSubject } from './model-answer.js';
import { modelRules, type ModelRule, type ModelRules, type ModelScript } from './model-script.js';

/** What happened to a request. */
export type ModelOutcome = 'answered' | 'status' | 'bad-json' | 'hang' | 'cut' | 'unmatched';

/** A chat completion as the server received it. */
export interface ModelRequest {
  /** From 1, in order of arrival. */
  readonly number: number;
  readonly model: string;
  /** All text of the messages, joined by new lines. */
  readonly text: string;
  readonly stream: boolean;
  /** Place of the rule that answered, or null when none matched. */
  readonly rule: number | null;
  readonly outcome: ModelOutcome;
}

/** A model server that runs. */
export interface ModelServer {
  /** Without a path, e.g. `http://127.0.0.1:40123`; clients of the protocol take it with `/v1`. */
  readonly url: string;
  /** The latest requests, oldest first; at most 10,000 are kept. */
  readonly requests: () => readonly ModelRequest[];
  /** Stops listening and cuts every connection, hanging ones included. */
  readonly close: () => Promise<void>;
}

/** How to start a model server. */
export interface ModelServerOptions {
  readonly script: ModelScript;
  /** TCP port on 127.0.0.1; default 0: a free one. */
  readonly port?: number;
}

const REQUESTS_KEPT_MAX = 10_000;
const BODY_BYTES_MAX = 16 * 1024 * 1024;

interface Running {
  readonly script: ModelScript;
  readonly rules: ModelRules;
  readonly log: ModelRequest[];
  readonly countByModel: Map<string, number>;
  received: number;
}

/**
 * Starts the server on 127.0.0.1: `POST /v1/chat/completions` (streamed when asked), `GET /v1/models`, `GET /__requests` (total, count by model, the requests kept).
 * A request that no rule matches is answered 400, so that clients do not try it again. Every answer carries `x-weft-simulated: true`.
 * Rejects when the port is taken.
 */
export async function startModelServer({ script, port = 0 }: ModelServerOptions): Promise<ModelServer> {
  const running: Running = { script, rules: modelRules(script), log: [], countByModel: new Map(), received: 0 };
  const server = createServer((request, response) => {
    handle(running, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, errorBody(String(error), 'simulator_error'));
    });
  });
  // A connection closed while idle would look to a client like a fault that the script does not name.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => [...running.log],
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

async function handle(running: Running, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('x-weft-simulated', 'true');
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  const route = `${request.method} ${path}`;
  if (route === 'GET /v1/models') return sendJson(response, 200, modelList(running.script));
  if (route === 'GET /__requests') return sendJson(response, 200, JSON.stringify(requestCounts(running)));
  if (route !== 'POST /v1/chat/completions') return sendJson(response, 404, errorBody(`Expected a path of the simulated model, but got ${route}`, 'invalid_request_error'));
  const body = await readJson(request);
  if (typeof body === 'string') return sendJson(response, 400, errorBody(body, 'invalid_request_error'));
  await complete(running, body, response);
}

async function complete(running: Running, body: JsonObject, response: ServerResponse): Promise<void> {
  const model = String(body['model'] ?? '');
  const text = textOf(body['messages']);
  const stream = body['stream'] === true;
  const found = running.rules.take(model, text);
  const number = ++running.received;
  running.countByModel.set(model, (running.countByModel.get(model) ?? 0) + 1);
  running.log.push({ number, model, text, stream, rule: found?.index ?? null, outcome: found ? outcomeOf(found.rule) : 'unmatched' });
  if (running.log.length > REQUESTS_KEPT_MAX) running.log.shift();
  if (!found) {
    const message = `Expected a rule for model ${JSON.stringify(model)} and these messages, but none of ${running.script.rules.length} matched or is left`;
    return sendJson(response, 400, errorBody(message, 'invalid_request_error', 'no_rule'));
  }
  const { delayMs = 0, answer = { content: 'ok' }, fault } = found.rule;
  if (delayMs > 0) await sleep(delayMs);
  if (response.destroyed || (fault && 'hang' in fault)) return;
  if (fault && 'status' in fault) {
    if (fault.retryAfterSeconds !== undefined) response.setHeader('retry-after', String(fault.retryAfterSeconds));
    const limited = fault.status === 429;
    return sendJson(response, fault.status, errorBody(fault.message ?? `simulated status ${fault.status}`, limited ? 'rate_limit_error' : 'server_error', limited ? 'rate_limit_exceeded' : null));
  }
  const subject: CompletionSubject = { number, model, promptText: text, createdSeconds: Math.floor(Date.now() / 1_000) };
  const options = body['stream_options'];
  const events = stream ? completionEvents(answer, subject, isJsonObject(options) && options['include_usage'] === true) : [completionBody(answer, subject)];
  response.statusCode = 200;
  response.setHeader('content-type', stream ? 'text/event-stream; charset=utf-8' : 'application/json');
  if (fault && 'badJson' in fault) return void response.end(brokenBody(events[0]!, stream));
  if (fault) return cutAfter(response, Buffer.from(events.join('')), fault.closeAfterBytes);
  for (const event of events) response.write(event);
  response.end();
}

function outcomeOf({ fault }: ModelRule): ModelOutcome {
  if (!fault) return 'answered';
  if ('status' in fault) return 'status';
  if ('hang' in fault) return 'hang';
  return 'badJson' in fault ? 'bad-json' : 'cut';
}

/** Half of a body: it starts as JSON and never ends. A stream stays well formed around its broken event. */
const brokenBody = (body: string, stream: boolean): string => body.trimEnd().slice(0, body.length / 2) + (stream ? '\n\ndata: [DONE]\n\n' : '');

function cutAfter(response: ServerResponse, body: Buffer, bytes: number): void {
  // The announced length is that of the whole body: a client can tell a cut from an end.
  response.setHeader('content-length', body.length);
  response.flushHeaders();
  response.write(body.subarray(0, bytes), () => response.destroy());
}

/** The text of messages: contents that are text, or lists of parts with text, as the protocol allows both. */
function textOf(messages: Json | undefined): string {
  if (!Array.isArray(messages)) return '';
  return messages
    .flatMap((message: Json) => {
      const content = isJsonObject(message) ? message['content'] : undefined;
      if (typeof content === 'string') return [content];
      return Array.isArray(content) ? content.flatMap((part: Json) => (isJsonObject(part) && typeof part['text'] === 'string' ? [part['text']] : [])) : [];
    })
    .join('\n');
}

function modelList(script: ModelScript): string {
  const names = new Set(script.rules.flatMap((rule) => rule.model ?? []));
  return JSON.stringify({ object: 'list', data: [...names].map((id) => ({ id, object: 'model', created: 0, owned_by: 'weft-simulated' })) });
}

function requestCounts({ received, countByModel, log }: Running): object {
  return { total: received, byModel: Object.fromEntries(countByModel), requests: log };
}

/** The body as a JSON object, or a sentence that says what is wrong with it. */
async function readJson(request: IncomingMessage): Promise<JsonObject | string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return `Expected at most ${BODY_BYTES_MAX} bytes, but the body is longer`;
    chunks.push(chunk);
  }
  try {
    const value = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Json;
    return isJsonObject(value) ? value : 'Expected a JSON object, but the body is another value';
  } catch (error) {
    return `Expected a JSON object, but the body does not parse: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function sendJson(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}
