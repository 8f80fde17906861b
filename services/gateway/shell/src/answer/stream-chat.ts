// A chat completion as server-sent events, in the form of OpenAI: tokens as they come, the rest from the recorded answer.
import { once } from 'node:events';
import type { Accepted } from '@weft/contracts';
import { problemOfThrown } from '@weft/nest-platform';
import type { TokenChunk, TokenStream } from '@weft/pipeline';
import { refuse } from '@weft/kernel';
import type { Response } from 'express';
import { openAiError } from '../http/openai-error.filter.js';
import { chatAnswer, type ChatAnswer, type ChatUsage } from './chat-completion.js';
import { ChatRelay, type RelayPiece } from './chat-relay.js';
import type { Outcome } from './result-waiter.js';

export interface ChatStreaming {
  readonly accepted: Accepted;
  readonly tenant: string;
  /** The model's name as the client gave it. */
  readonly model: string;
  /** Whether a last chunk says what was used. */
  readonly includesUsage: boolean;
  readonly tellsRestarts: boolean;
  readonly tokens: TokenStream;
  /** The end of the execution; undefined when the time is up, or the client has left. */
  readonly outcome: Promise<Outcome | undefined>;
  /** What the answer has used, where its output does not say. */
  readonly usage: () => Promise<ChatUsage | undefined>;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

const HEARTBEAT_MS = 15_000;
/** What may wait for a reader that is slow. */
export const UNREAD_BYTES_MAX = 1024 * 1024;

/** Streams until the execution has ended. What goes wrong after the first byte is an error event. */
export async function streamChat(response: Response, streaming: ChatStreaming): Promise<void> {
  const { accepted, model, includesUsage, signal } = streaming;
  response.status(200).set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
  response.flushHeaders();
  const head = { id: `chatcmpl-${accepted.executionId}`, object: 'chat.completion.chunk', created: Math.floor(accepted.acceptedAtMs / 1000), model };
  const chunk = (delta: object, finish: string | null = null, more: object = {}): string =>
    `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...(includesUsage && { usage: null }), ...more })}\n\n`;
  const pieceText = (piece: RelayPiece): string => (piece.kind === 'text' ? chunk({ content: piece.text }) : chunk({}, null, { weft: { event: 'restart', reason: piece.reason } }));
  const relay = new ChatRelay(streaming.tellsRestarts);
  const heartbeat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT_MS);
  let leave: (() => void) | undefined;
  try {
    response.write(chunk({ role: 'assistant', content: '' }));
    leave = await subscribed(streaming, (one) => {
      // What a slow reader is not told is lost, as on any other way, and comes with the recorded answer.
      if (response.writableLength < UNREAD_BYTES_MAX) relay.take(one).forEach((piece) => response.write(pieceText(piece)));
    });
    const outcome = await streaming.outcome;
    leave?.();
    if (signal.aborted) return;
    if (!outcome) refuse('timeout', `Expected execution ${accepted.executionId} to end within ${streaming.waitMs} ms but it goes on; its answer will be at /v1/executions/${accepted.executionId}.`);
    const answer = chatAnswer(accepted, outcome);
    const end = relay.end(answer.content);
    if (!end.ok) refuse('stream-broken', `Expected the answer to go on as it began but ${end.reason}. The whole answer is at /v1/executions/${accepted.executionId}.`);
    for (const piece of end.pieces) response.write(pieceText(piece));
    response.write(chunk({}, answer.finishReason));
    if (includesUsage) response.write(usageText(head, answer.usage ?? (await streaming.usage())));
    await write(response, 'data: [DONE]\n\n', signal);
  } catch (thrown) {
    if (signal.aborted) return;
    const { problem } = problemOfThrown(thrown, { method: 'POST', path: '/v1/chat/completions' });
    await write(response, `data: ${JSON.stringify(openAiError(problem))}\n\n`, signal);
  } finally {
    clearInterval(heartbeat);
    leave?.();
    response.end();
  }
}

/** Without the stream there is the recorded answer: who cannot follow it is answered all the same. */
async function subscribed({ tokens, tenant, accepted }: ChatStreaming, onChunk: (chunk: TokenChunk) => void): Promise<(() => void) | undefined> {
  try {
    return await tokens.subscribe({ tenant, executionId: accepted.executionId }, onChunk);
  } catch {
    return undefined;
  }
}

function usageText(head: object, usage: ChatAnswer['usage']): string {
  const { prompt_tokens = 0, completion_tokens = 0, total_tokens = 0 } = usage ?? {};
  return `data: ${JSON.stringify({ ...head, choices: [], usage: { prompt_tokens, completion_tokens, total_tokens } })}\n\n`;
}

async function write(response: Response, text: string, signal: AbortSignal): Promise<void> {
  if (!response.write(text)) await once(response, 'drain', { signal });
}
