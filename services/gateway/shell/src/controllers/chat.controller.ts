// The door for clients of OpenAI's chat API: a completion is a request event of a fixed type, and routing decides what answers it.
import { Controller, Inject, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { Accepted, Context, OrchestrationPeer, RoutingPeer } from '@weft/contracts';
import { isJsonObject, refuse, Refused, type JsonObject } from '@weft/kernel';
import type { TokenStream } from '@weft/pipeline';
import type { Response } from 'express';
import { randomUUID } from 'node:crypto';
import { chatCompletion, usageIn, type ChatUsage } from '../answer/chat-completion.js';
import { leaving } from '../answer/leaving.js';
import { idempotencyKey } from '../answer/read-event.js';
import { ResultWaiter } from '../answer/result-waiter.js';
import { streamChat } from '../answer/stream-chat.js';
import type { GatewaySettings } from '../config.js';
import { bodyObject, checkStorable, textField } from '../http/body.js';
import { leaveCrowd } from '../http/crowd.js';
import type { KnownRequest } from '../http/key.guard.js';
import { OpenAiErrorFilter } from '../http/openai-error.filter.js';
import { ORCHESTRATION, ROUTING, SETTINGS, TOKENS } from '../ports.js';

/** Type of the request event: what a route matches to answer chats. */
export const CHAT_TYPE = 'ai.weft.chat.v1';
const SOURCE = '/v1/chat/completions';

@Controller('v1/chat/completions')
@UseFilters(OpenAiErrorFilter)
export class ChatController {
  constructor(
    @Inject(ROUTING) private readonly routing: RoutingPeer,
    @Inject(ORCHESTRATION) private readonly orchestration: Pick<OrchestrationPeer, 'getTimeline'>,
    @Inject(ResultWaiter) private readonly results: ResultWaiter,
    @Inject(TOKENS) private readonly tokens: TokenStream,
    @Inject(SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  /** Answers a chat with the output of the workflow that the route table names, as it comes when asked to. The model's name is data: it names no route. */
  @Post()
  async complete(@Req() request: KnownRequest, @Res() response: Response): Promise<void> {
    const body = bodyObject(request, 'a chat completion request');
    checkStorable(body, 'a chat completion request');
    const model = textField(body, 'model');
    checkMessages(body);
    checkTools(body);
    const wish = streamWish(body);
    const context = { ...request.context, purpose: CHAT_TYPE };
    const id = idempotencyKey(request) ?? randomUUID();
    // An answer that nobody can wait for would be asked for again, and carried out for nothing.
    if (!this.results.hasRoom) throw new Refused(this.results.refusal());
    const accepted = await this.routing.accept({ id, source: SOURCE, type: CHAT_TYPE, subject: '', dataJson: JSON.stringify(body) }, context);
    leaveCrowd(response);
    response.location(`/v1/executions/${accepted.executionId}`);
    const waitMs = this.settings.WEFT_CHAT_WAIT_MS;
    const signal = leaving(response);
    const usage = (): Promise<ChatUsage | undefined> => this.#usage(accepted, context);
    const outcome = this.results.wait(accepted.executionId, context, waitMs, signal);
    if (wish) return streamChat(response, { accepted, tenant: context.tenant, model, ...wish, tokens: this.tokens, outcome, usage, waitMs, signal });
    const ended = await outcome;
    if (!ended) refuse('timeout', `Expected execution ${accepted.executionId} to end within ${waitMs} ms but it goes on; its answer will be at /v1/executions/${accepted.executionId}.`);
    response.status(200).json(await chatCompletion(accepted, model, ended, usage));
  }

  /** What the models of an execution have used, by its history; undefined where that cannot be read now. */
  async #usage({ executionId }: Accepted, context: Context): Promise<ChatUsage | undefined> {
    try {
      return usageIn(await this.orchestration.getTimeline({ executionId, afterVersion: 0 }, context));
    } catch {
      return undefined;
    }
  }
}

/** How the client wants it streamed; undefined: whole. */
function streamWish(body: JsonObject): { readonly includesUsage: boolean; readonly tellsRestarts: boolean } | undefined {
  const { stream, stream_options: options } = body;
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean') refuse('request-invalid', 'Expected `stream` to be true or false.');
  if (options !== undefined && options !== null && !isJsonObject(options)) refuse('request-invalid', 'Expected `stream_options` to be an object.');
  if (stream !== true) return undefined;
  const wishes = isJsonObject(options) ? options : {};
  return { includesUsage: wishes['include_usage'] === true, tellsRestarts: wishes['weft_restarts'] === true };
}

/** A client whose tools are passed over would wait for calls that never come. */
function checkTools({ tools, functions }: JsonObject): void {
  const isGiven = [tools, functions].some((given) => Array.isArray(given) && given.length > 0);
  if (isGiven)
    refuse(
      'request-invalid',
      'Expected a chat without `tools` and `functions`: calls are not handed to clients here. A workflow answers, and calls the tools that are declared to Weft; let its `infer` or `agent` name them.',
    );
}

function checkMessages({ messages }: JsonObject): void {
  const isMessage = (message: unknown): boolean => typeof message === 'object' && message !== null && typeof (message as { role?: unknown }).role === 'string';
  if (!Array.isArray(messages) || messages.length === 0 || !messages.every(isMessage)) refuse('request-invalid', 'Expected `messages` to be a list of at least one message with a `role`.');
}
