// Server-sent events, as they come. Source: HTML Standard, 9.2.6 "Interpreting an event stream".

export interface ServerSentEvent {
  readonly data: string;
  /** Of this event or the last one that had one: where a connection that is made anew goes on. */
  readonly lastEventId?: string;
}

/** @returns each event that has data, without one that the stream breaks off in. @throws what the pieces throw. */
export async function* serverSentEvents(pieces: AsyncIterable<Buffer>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder('utf-8');
  let pending: string[] = [];
  let endsInReturn = false;
  let data: string[] = [];
  let id: string | undefined;
  for await (const piece of pieces) {
    const text = decoder.decode(piece, { stream: true });
    pending.push(text);
    // A line that comes in many pieces is put together once.
    if (!/[\r\n]/.test(text) && !endsInReturn) continue;
    const known = pending.join('');
    endsInReturn = known.endsWith('\r');
    // A line break that may be the first half of one is kept until the other half is there.
    const lines = known.split(/\r\n|\n|\r(?!$)/);
    pending = [lines.pop() ?? ''];
    for (const line of lines) {
      if (line === '' && data.length > 0) {
        yield { data: data.join('\n'), ...(id === undefined ? {} : { lastEventId: id }) };
        data = [];
      } else if (line.startsWith('data:')) data.push(valueOf(line));
      else if (line.startsWith('id:') && isSendable(valueOf(line))) id = valueOf(line);
    }
  }
}

/** The same without what numbers them. */
export async function* serverSentData(pieces: AsyncIterable<Buffer>): AsyncGenerator<string> {
  for await (const { data } of serverSentEvents(pieces)) yield data;
}

/** An id goes back in a header: one that cannot, as one that is endless, is none. */
const isSendable = (id: string): boolean => /^[^\p{Cc}]{0,1024}$/u.test(id);

function valueOf(line: string): string {
  const value = line.slice(line.indexOf(':') + 1);
  return value.startsWith(' ') ? value.slice(1) : value;
}
