// A client of the chat API that reads server-sent events as the standard says, and forgets what it is told to.
import type { Connection } from '../client/connection.js';
import type { StreamCase } from './streams-cases.js';

export interface ChatSeen {
  readonly id: string;
  readonly execution: string;
  readonly text: string;
  readonly restarts: number;
  readonly error: string;
  readonly usage: object | null;
}

interface Chunk {
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null } }[];
  readonly usage?: object | null;
  readonly error?: { readonly code?: string };
  readonly weft?: { readonly event?: string };
}

const CHAT_MS_MAX = 60_000;

/** Asks for one chat and reads it to its end. Never rejects: what goes wrong is its error. */
export async function readChat({ url, apiKey }: Connection, { id, wantsRestarts }: StreamCase): Promise<ChatSeen> {
  let seen: ChatSeen = { id, execution: '', text: '', restarts: 0, error: '', usage: null };
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: id,
        messages: [{ role: 'user', content: `Say something (${id}).` }],
        stream: true,
        stream_options: { include_usage: true, ...(wantsRestarts ? { weft_restarts: true } : {}) },
      }),
      signal: AbortSignal.timeout(CHAT_MS_MAX),
    });
    seen = { ...seen, execution: response.headers.get('location')?.split('/').at(-1) ?? '' };
    if (response.status !== 200) return { ...seen, error: `HTTP ${response.status}` };
    let isDone = false;
    for await (const data of eventsOf(response)) {
      if (data === '[DONE]') isDone = true;
      else seen = after(seen, JSON.parse(data) as Chunk);
    }
    return isDone || seen.error !== '' ? seen : { ...seen, error: 'it ended without an end' };
  } catch (fault) {
    return { ...seen, error: fault instanceof Error ? fault.message : String(fault) };
  }
}

function after(seen: ChatSeen, { choices, usage, error, weft }: Chunk): ChatSeen {
  if (error) return { ...seen, error: error.code ?? 'no code' };
  if (weft?.event === 'restart') return { ...seen, text: '', restarts: seen.restarts + 1 };
  return { ...seen, text: seen.text + (choices?.[0]?.delta?.content ?? ''), usage: usage ?? seen.usage };
}

async function* eventsOf(response: Response): AsyncGenerator<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(bytes, { stream: true });
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) if (event.startsWith('data: ')) yield event.slice('data: '.length);
  }
}
