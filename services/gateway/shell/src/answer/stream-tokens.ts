// Tokens of an execution as server-sent events, for readers that know what a restart is. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
import type { TokenChunk } from '@weft/pipeline';
import type { Response } from 'express';
import type { Outcome } from './result-waiter.js';
import { UNREAD_BYTES_MAX } from './stream-chat.js';

const HEARTBEAT_MS = 15_000;

export interface TokenStreaming {
  readonly executionId: string;
  /** Begins to read; answers how to leave. */
  readonly subscribe: (onChunk: (chunk: TokenChunk) => void) => Promise<() => void>;
  /** The end of the execution; undefined when the time is up, or the reader has left. */
  readonly outcome: Promise<Outcome | undefined>;
}

/** Streams events `token`, `restart` and `whole` of every task that streams, then `end` with the status of the execution. Lossy: numbers have gaps where something was lost. */
export async function streamTokens(response: Response, { executionId, subscribe, outcome }: TokenStreaming): Promise<void> {
  // Whoever cannot be told of tokens is answered so before anything is sent.
  const early: TokenChunk[] = [];
  let write = (chunk: TokenChunk): void => void early.push(chunk);
  const leave = await subscribe((chunk) => write(chunk));
  response.status(200).set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
  response.flushHeaders();
  // Numbers tell a slow reader what it has missed.
  write = (chunk) => {
    if (response.writableLength < UNREAD_BYTES_MAX) response.write(eventText(chunk));
  };
  early.forEach((chunk) => write(chunk));
  const heartbeat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT_MS);
  try {
    const ended = await outcome;
    if (ended) response.write(`event: end\ndata: ${JSON.stringify({ executionId, status: ended.status })}\n\n`);
  } finally {
    clearInterval(heartbeat);
    leave();
    response.end();
  }
}

const EVENTS = { text: 'token', restart: 'restart', end: 'whole' } as const;

const eventText = ({ source, run, number, kind, text }: TokenChunk): string => `event: ${EVENTS[kind]}\ndata: ${JSON.stringify({ task: source, run, number, text })}\n\n`;
