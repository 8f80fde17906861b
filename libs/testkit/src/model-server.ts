// A scripted model behind the wire protocol of OpenAI, over real HTTP: what a test or the demo meets is the network, not a mock.
import { appendFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isJsonObject, type Json, type JsonObject } from '@weft/kernel';
import { completionBody, completionEvents, embeddingsBody, errorBody, tokensOf, type CompletionSubject, type GivenAnswer } from './model-answer.js';
import { messageBody, messageEvents, messagesSubject } from './model-anthropic.js';
import { modelRules, replyInText, type ModelReply, type ModelRules, type ModelScript, type ModelSubject } from './model-script.js';
import { sendBody, sendEvents } from './model-sending.js';
import { parseModelScript } from './read-model-script.js';

/** What happened to a request. */
export type ModelOutcome = 'answered' | 'status' | 'bad-json' | 'hang' | 'cut' | 'stall' | 'error' | 'endless' | 'unmatched';

/** A request for a chat completion or embeddings as the server received it. */
export interface ModelRequest {
  /** From 1, in order of arrival. */
  readonly number: number;
  readonly model: string;
  /** All text of the messages, joined by new lines. */
  readonly text: string;
  /** How many messages of the assistant it holds. */
  readonly turn: number;
  /** Names of the tools that it offers. */
  readonly tools: readonly string[];
  /** Its headers `weft-execution` and `idempotency-key`; empty where there is none. */
  readonly execution: string;
  readonly idempotencyKey: string;
  readonly stream: boolean;
  /** Place of the rule that answered, or null when none matched. */
  readonly rule: number | null;
  readonly outcome: ModelOutcome;
  /** Text of the content that was handed to the connection so far, and whether the answer went out whole. */
  readonly sent: string;
  readonly isWhole: boolean;
  /** What a provider would bill: tokens of the request, and of what was sent. */
  readonly inputTokens: number;
  readonly outputTokens: number;
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
  /** Asked before the script: what is to happen at this request, or undefined for what the script says. */
  readonly reply?: (subject: ModelSubject) => ModelReply | undefined;
  /** A file that gets a line of JSON for each request when it is over. */
  readonly recordFile?: string;
  /** TCP port on 127.0.0.1; default 0: a free one. */
  readonly port?: number;
}

const EMBEDDING_DIMENSIONS = 64;
const REQUESTS_KEPT_MAX = 10_000;
const BODY_BYTES_MAX = 16 * 1024 * 1024;

interface Running {
  script: ModelScript;
  rules: ModelRules;
  readonly reply: ModelServerOptions['reply'];
  readonly recordFile: string | undefined;
  readonly log: Recorded[];
  readonly countByModel: Map<string, number>;
  received: number;
}

type Recorded = { -readonly [field in keyof ModelRequest]: ModelRequest[field] };

/**
 * Starts the server on 127.0.0.1: `POST /v1/chat/completions` (streamed when asked), `POST /v1/messages` (Anthropic's), `POST /v1/embeddings`, `GET /v1/models`, `GET /__requests` (total, count by
 * model, the requests kept, or the latest of them with `?kept=N`), `PUT /__script` (another script from now on). A request that no rule matches is answered 400, so that clients do not try it again.
 * Every answer carries `x-weft-simulated: true`. Rejects when the port is taken.
 */
export async function startModelServer({ script, reply, recordFile, port = 0 }: ModelServerOptions): Promise<ModelServer> {
  const running: Running = { script, rules: modelRules(script), reply, recordFile, log: [], countByModel: new Map(), received: 0 };
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
    requests: () => running.log.map((request) => ({ ...request })),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

async function handle(running: Running, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('x-weft-simulated', 'true');
  const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const route = `${request.method} ${path}`;
  if (route === 'GET /v1/models') return sendJson(response, 200, modelList(running.script));
  if (route === 'GET /__requests') return sendJson(response, 200, JSON.stringify(requestCounts(running, Number(searchParams.get('kept') ?? REQUESTS_KEPT_MAX))));
  const isEmbedding = route === 'POST /v1/embeddings';
  const isAnthropic = route === 'POST /v1/messages';
  if (!isEmbedding && !isAnthropic && route !== 'POST /v1/chat/completions' && route !== 'PUT /__script')
    return sendJson(response, 404, errorBody(`Expected a path of the simulated model, but got ${route}`, 'invalid_request_error'));
  const body = await readJson(request);
  if (typeof body === 'string') return sendJson(response, 400, errorBody(body, 'invalid_request_error'));
  if (route === 'PUT /__script') return replaceScript(running, body, response);
  const subject = isEmbedding ? embeddingSubject(body) : isAnthropic ? messagesSubject(body) : chatSubject(body);
  const { record, found } = take(running, request, body, subject);
  response.once('close', () => {
    if (running.recordFile !== undefined) appendFileSync(running.recordFile, `${JSON.stringify(record)}\n`);
  });
  if (!found) {
    const message = `Expected a rule for model ${JSON.stringify(subject.model)} and these messages, but none of ${running.script.rules.length} matched or is left`;
    return sendJson(response, 400, errorBody(message, 'invalid_request_error', 'no_rule'));
  }
  if (typeof found === 'string') return sendJson(response, 400, errorBody(found, 'invalid_request_error', 'no_turns'));
  const { delayMs = 0, fault } = found;
  if (delayMs > 0) await sleep(delayMs);
  if (response.destroyed || (fault && 'hang' in fault)) return;
  if (fault && 'status' in fault) {
    if (fault.retryAfterSeconds !== undefined) response.setHeader('retry-after', String(fault.retryAfterSeconds));
    const limited = fault.status === 429;
    return sendJson(response, fault.status, errorBody(fault.message ?? `simulated status ${fault.status}`, limited ? 'rate_limit_error' : 'server_error', limited ? 'rate_limit_exceeded' : null));
  }
  record.inputTokens = tokensOf(subject.text);
  if (isEmbedding) {
    const dimensions = Number.isInteger(body['dimensions']) ? (body['dimensions'] as number) : EMBEDDING_DIMENSIONS;
    sendBody(response, embeddingsBody(inputTexts(body), subject.model, dimensions), fault);
    record.isWhole = fault === undefined;
    return;
  }
  await complete(record, body, subject, found, response, isAnthropic);
}

/** What a request gets: a reply, a sentence that says what is wrong with its own script, or nothing. */
function take(running: Running, { headers }: IncomingMessage, body: JsonObject, subject: ModelSubject): { readonly record: Recorded; readonly found: ModelReply | string | undefined } {
  const own = running.reply?.(subject);
  const ruled = own ? undefined : running.rules.take(subject);
  const named = own ?? ruled?.rule;
  const found = named?.answer && 'fromRequest' in named.answer ? replyInText(subject.text, subject.turn) : named;
  const number = ++running.received;
  running.countByModel.set(subject.model, (running.countByModel.get(subject.model) ?? 0) + 1);
  const { model, text, turn, tools } = subject;
  const record: Recorded = {
    number,
    model,
    text,
    turn,
    tools,
    execution: String(headers['weft-execution'] ?? ''),
    idempotencyKey: String(headers['idempotency-key'] ?? ''),
    stream: body['stream'] === true,
    rule: ruled?.index ?? null,
    outcome: typeof found === 'object' ? outcomeOf(found) : 'unmatched',
    sent: '',
    isWhole: false,
    inputTokens: 0,
    outputTokens: 0,
  };
  running.log.push(record);
  if (running.log.length > REQUESTS_KEPT_MAX) running.log.shift();
  return { record, found };
}

async function complete(record: Recorded, body: JsonObject, { model, text }: ModelSubject, reply: ModelReply, response: ServerResponse, isAnthropic: boolean): Promise<void> {
  const answer = (reply.answer ?? { content: 'ok' }) as GivenAnswer;
  const subject: CompletionSubject = { number: record.number, model, promptText: text, createdSeconds: Math.floor(Date.now() / 1_000) };
  const fault = reply.fault as Parameters<typeof sendBody>[2];
  if (!record.stream) {
    record.sent = contentOf(answer);
    record.outputTokens = tokensOf(record.sent);
    record.isWhole = fault === undefined;
    return sendBody(response, isAnthropic ? messageBody(answer, subject) : completionBody(answer, subject, reply.usage), fault);
  }
  const options = body['stream_options'];
  const wantsUsage = isJsonObject(options) && options['include_usage'] === true;
  const events = isAnthropic ? messageEvents(answer, subject) : completionEvents(answer, subject, wantsUsage, reply.usage);
  await sendEvents(response, events, reply, (piece) => {
    record.sent += piece;
    record.outputTokens = tokensOf(record.sent);
  });
  if (fault === undefined && response.writableEnded) {
    record.sent = contentOf(answer);
    record.outputTokens = tokensOf(record.sent);
    record.isWhole = true;
  }
}

/** What an answer says: its content, then its calls. */
function contentOf(answer: GivenAnswer): string {
  if ('json' in answer) return JSON.stringify(answer.json);
  if (!('toolCalls' in answer)) return answer.content;
  return (answer.content ?? '') + answer.toolCalls.map((call) => call.name + (call.argumentsText ?? JSON.stringify(call.arguments))).join('');
}

function replaceScript(running: Running, body: JsonObject, response: ServerResponse): void {
  try {
    running.script = parseModelScript(body);
  } catch (error) {
    return sendJson(response, 400, errorBody(error instanceof Error ? error.message : String(error), 'invalid_request_error'));
  }
  running.rules = modelRules(running.script);
  sendJson(response, 200, JSON.stringify({ rules: running.script.rules.length }));
}

function outcomeOf({ fault }: ModelReply): ModelOutcome {
  if (!fault) return 'answered';
  if ('status' in fault) return 'status';
  if ('hang' in fault) return 'hang';
  if ('errorBody' in fault) return 'error';
  if ('endless' in fault) return 'endless';
  if ('badJson' in fault) return 'bad-json';
  return 'closeAfterBytes' in fault ? 'cut' : fault.then === 'bad-chunk' ? 'bad-json' : fault.then;
}

function chatSubject(body: JsonObject): ModelSubject {
  const messages = Array.isArray(body['messages']) ? (body['messages'] as readonly Json[]) : [];
  const tools = Array.isArray(body['tools']) ? (body['tools'] as readonly Json[]) : [];
  return {
    model: String(body['model'] ?? ''),
    text: textOf(body['messages']),
    lastText: textOf(messages.slice(-1)),
    turn: messages.filter((message) => isJsonObject(message) && message['role'] === 'assistant').length,
    tools: tools.flatMap((tool) => {
      const definition = isJsonObject(tool) ? tool['function'] : undefined;
      return isJsonObject(definition) && typeof definition['name'] === 'string' ? [definition['name']] : [];
    }),
  };
}

function embeddingSubject(body: JsonObject): ModelSubject {
  const texts = inputTexts(body);
  return { model: String(body['model'] ?? ''), text: texts.join('\n'), lastText: texts.at(-1) ?? '', turn: 0, tools: [] };
}

function inputTexts({ input }: JsonObject): readonly string[] {
  return typeof input === 'string' ? [input] : Array.isArray(input) ? input.map(String) : [];
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

function requestCounts({ received, countByModel, log }: Running, kept: number): object {
  return { total: received, byModel: Object.fromEntries(countByModel), requests: kept === 0 ? [] : log.slice(-kept) };
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
