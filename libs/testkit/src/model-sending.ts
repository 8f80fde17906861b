// How an answer leaves the model server, with what the script lets go wrong on the way.
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorBody, type CompletionEvent } from './model-answer.js';
import type { ModelFault, ModelReply } from './model-script.js';

/** Called with every piece of the content that was handed to the connection. */
export type OnPiece = (piece: string) => void;

/** Faults that strike while an answer with status 200 is sent. */
type SendingFault = Exclude<ModelFault, { readonly status: number } | { readonly hang: true }>;

/** Sends a body that is not streamed. Resolves when nothing more will be sent. */
export function sendBody(response: ServerResponse, body: string, fault: SendingFault | undefined): void {
  response.statusCode = 200;
  response.setHeader('content-type', 'application/json');
  if (!fault || 'endless' in fault) return void response.end(body);
  if ('errorBody' in fault) return void response.end(errorBody(fault.errorBody, 'server_error'));
  if ('badJson' in fault) return void response.end(half(body));
  if ('closeAfterBytes' in fault) return cutAfter(response, Buffer.from(body), fault.closeAfterBytes);
  switch (fault.then) {
    case 'error':
      return void response.end(errorBody('the model failed', 'server_error'));
    case 'bad-chunk':
      return void response.end(half(body));
    case 'cut':
      return cutAfter(response, Buffer.from(body), Math.floor(body.length / 2));
    case 'stall':
      response.write(half(body));
  }
}

/** Sends the events of a streamed answer. Resolves when nothing more will be sent, or the client is gone. */
export async function sendEvents(response: ServerResponse, events: readonly CompletionEvent[], { fault, pieceDelayMs = 0 }: ModelReply, onPiece: OnPiece): Promise<void> {
  response.statusCode = 200;
  response.setHeader('content-type', 'text/event-stream; charset=utf-8');
  response.flushHeaders();
  if (fault && 'badJson' in fault) return void response.end(`${half(events[0]!.text.trimEnd())}\n\ndata: [DONE]\n\n`);
  if (fault && 'errorBody' in fault) return void response.end(`data: ${errorBody(fault.errorBody, 'server_error')}\n\n`);
  if (fault && 'closeAfterBytes' in fault) return void response.write(Buffer.from(events.map(({ text }) => text).join('')).subarray(0, fault.closeAfterBytes), () => response.destroy());
  const breakAfter = fault && 'afterPieces' in fault ? fault.afterPieces : Infinity;
  const isEndless = fault !== undefined && 'endless' in fault;
  let pieces = 0;
  for (let at = 0; at < events.length; at++) {
    const event = events[at]!;
    const isPiece = event.piece !== undefined;
    if (pieces >= breakAfter && fault && 'then' in fault) {
      if (fault.then === 'stall') return;
      if (fault.then === 'error') return void response.end(`data: ${errorBody('the model failed', 'server_error')}\n\n`);
      if (fault.then === 'cut') return cutNow(response);
      response.write('data: {"id": "broken\n\n');
      pieces = -Infinity;
    }
    if (isPiece && (pieceDelayMs > 0 || isEndless)) await sleep(Math.max(1, pieceDelayMs));
    if (response.destroyed) return;
    if (!response.write(event.text)) await drained(response);
    if (event.piece !== undefined) {
      pieces++;
      onPiece(event.piece);
      if (isEndless && events[at + 1]?.piece === undefined) at = events.findIndex(({ piece }) => piece !== undefined) - 1;
    }
  }
  response.end();
}

const half = (text: string): string => text.slice(0, text.length / 2);

/** What was written before reaches the client: then the connection is gone. */
function cutNow(response: ServerResponse): void {
  response.write('\n', () => response.destroy());
}

const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    response.once('drain', resolve);
    response.once('close', resolve);
  });

function cutAfter(response: ServerResponse, body: Buffer, bytes: number): void {
  // The announced length is that of the whole body: a client can tell a cut from an end.
  response.setHeader('content-length', body.length);
  response.flushHeaders();
  response.write(body.subarray(0, bytes), () => response.destroy());
}
