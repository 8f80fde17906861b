// The data of server-sent events, as they come. Source: HTML Standard, 9.2.6 "Interpreting an event stream".

/** @returns the data of each event that has some, without those that the stream breaks off in. @throws what the pieces throw. */
export async function* serverSentData(pieces: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8');
  let pending: string[] = [];
  let endsInReturn = false;
  let data: string[] = [];
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
        yield data.join('\n');
        data = [];
      } else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
    }
  }
}
