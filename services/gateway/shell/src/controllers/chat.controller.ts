// The door for clients of OpenAI's chat API: a completion is a request event of a fixed type, and routing decides what answers it.
import { Controller, HttpCode, Inject, Post, Req, Res, UseFilters } from '@nestjs/common';
import type { RoutingPeer } from '@weft/contracts';
import { refuse, Refused, type JsonObject } from '@weft/kernel';
import type { Response } from 'express';
import { randomUUID } from 'node:crypto';
import { chatCompletion } from '../answer/chat-completion.js';
import { leaving } from '../answer/leaving.js';
import { idempotencyKey } from '../answer/read-event.js';
import { ResultWaiter } from '../answer/result-waiter.js';
import type { GatewaySettings } from '../config.js';
import { bodyObject, checkStorable, textField } from '../http/body.js';
import { leaveCrowd } from '../http/crowd.js';
import type { KnownRequest } from '../http/key.guard.js';
import { OpenAiErrorFilter } from '../http/openai-error.filter.js';
import { ROUTING, SETTINGS } from '../ports.js';

/** Type of the request event: what a route matches to answer chats. */
export const CHAT_TYPE = 'ai.weft.chat.v1';
const SOURCE = '/v1/chat/completions';

@Controller('v1/chat/completions')
@UseFilters(OpenAiErrorFilter)
export class ChatController {
  constructor(
    @Inject(ROUTING) private readonly routing: RoutingPeer,
    @Inject(ResultWaiter) private readonly results: ResultWaiter,
    @Inject(SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  /** Answers a chat with the output of the workflow that the route table names. The model's name is data: it names no route. */
  @Post()
  @HttpCode(200)
  async complete(@Req() request: KnownRequest, @Res({ passthrough: true }) response: Response): Promise<object> {
    const body = bodyObject(request, 'a chat completion request');
    checkStorable(body, 'a chat completion request');
    const model = textField(body, 'model');
    checkMessages(body);
    if (body['stream'] !== undefined && body['stream'] !== null && body['stream'] !== false) refuse('request-invalid', 'Expected `stream` to be false: answers are sent whole, not streamed.');
    const context = { ...request.context, purpose: CHAT_TYPE };
    const id = idempotencyKey(request) ?? randomUUID();
    // An answer that nobody can wait for would be asked for again, and carried out for nothing.
    if (!this.results.hasRoom) throw new Refused(this.results.refusal());
    const accepted = await this.routing.accept({ id, source: SOURCE, type: CHAT_TYPE, subject: '', dataJson: JSON.stringify(body) }, context);
    leaveCrowd(response);
    response.location(`/v1/executions/${accepted.executionId}`);
    const waitMs = this.settings.WEFT_CHAT_WAIT_MS;
    const outcome = await this.results.wait(accepted.executionId, context, waitMs, leaving(response));
    if (!outcome) refuse('timeout', `Expected execution ${accepted.executionId} to end within ${waitMs} ms but it goes on; its answer will be at /v1/executions/${accepted.executionId}.`);
    return chatCompletion(accepted, model, outcome);
  }
}

function checkMessages({ messages }: JsonObject): void {
  const isMessage = (message: unknown): boolean => typeof message === 'object' && message !== null && typeof (message as { role?: unknown }).role === 'string';
  if (!Array.isArray(messages) || messages.length === 0 || !messages.every(isMessage)) refuse('request-invalid', 'Expected `messages` to be a list of at least one message with a `role`.');
}
