import { describe, expect, it } from 'vitest';
import { serverSentData, serverSentEvents } from './server-sent-events.js';

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string, size = text.length): Promise<string[]> {
  const found: string[] = [];
  for await (const data of serverSentData(inPieces(Buffer.from(text), size))) found.push(data);
  return found;
}

describe('server-sent events', () => {
  const text = ': hello\nevent: x\ndata: {"a":"ä"}\nid: 1\n\ndata:one\r\ndata: two\r\n\r\nretry: 5\n\ndata: cut';

  it('gives the data of each event, lines joined, and nothing of what was broken off', async () => {
    expect(await read(text)).toEqual(['{"a":"ä"}', 'one\ntwo']);
  });

  it('reads a line that comes in many pieces once', async () => {
    const text = `data: ${'x'.repeat(2_000_000)}\n\n`;
    const before = performance.now();
    expect(await read(text, 16)).toHaveLength(1);
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  it('does not care where the pieces end', async () => {
    for (let size = 1; size < 12; size++) expect(await read(text, size)).toEqual(['{"a":"ä"}', 'one\ntwo']);
  });

  it('says the id of each event, which is that of the one before where it has none', async () => {
    const ids: (string | undefined)[] = [];
    for await (const { lastEventId } of serverSentEvents(inPieces(Buffer.from('data: a\n\nid: 7\ndata: b\n\ndata: c\n\nid:\ndata: d\n\n'), 5))) ids.push(lastEventId);
    expect(ids).toEqual([undefined, '7', '7', '']);
  });

  it('takes no id that a header could not carry back', async () => {
    const ids: (string | undefined)[] = [];
    for await (const { lastEventId } of serverSentEvents(inPieces(Buffer.from(`id: a\u0007\ndata: a\n\nid: ${'x'.repeat(2_000)}\ndata: b\n\nid: \u00fc\u6f22\ndata: c\n\n`), 7))) ids.push(lastEventId);
    expect(ids).toEqual([undefined, undefined, '\u00fc\u6f22']);
  });
});
