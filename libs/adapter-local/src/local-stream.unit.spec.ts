import { STREAM_CHUNKS_KEPT, STREAM_KEPT_MS, type TokenChunk } from '@weft/pipeline';
import { describe, expect, it } from 'vitest';
import { LocalStream } from './local-stream.js';

const chunk = (number: number): TokenChunk => ({ source: '/do/0/a', run: 'r', number, kind: 'text', text: 'x' });

function stream() {
  let time = 0;
  const made = new LocalStream(() => time);
  const key = (executionId: string) => ({ tenant: 'default', executionId });
  const remembered = async (executionId: string): Promise<number> => {
    let count = 0;
    (await made.subscribe(key(executionId), () => count++))();
    return count;
  };
  return {
    publish: (executionId: string, number = 0) => made.publish(key(executionId), chunk(number)),
    read: (executionId: string) => made.subscribe(key(executionId), () => undefined),
    remembered,
    pass: (ms: number) => void (time += ms),
  };
}

describe('what a stream in a process remembers', () => {
  it('is forgotten after a minute, whoever still reads an older execution', async () => {
    const { publish, read, remembered, pass } = stream();
    await read('waits-long');
    publish('waits-long');
    publish('over');
    pass(STREAM_KEPT_MS + 1);
    publish('new');
    expect([await remembered('over'), await remembered('waits-long'), await remembered('new')]).toEqual([0, 1, 1]);
  });

  it('is half a million tokens at most, the latest ones', async () => {
    const { publish, remembered } = stream();
    const executions = Math.ceil(500_000 / STREAM_CHUNKS_KEPT) + 2;
    for (let execution = 0; execution < executions; execution++) for (let number = 0; number < STREAM_CHUNKS_KEPT; number++) publish(`e${execution}`, number);
    expect([await remembered('e0'), await remembered(`e${executions - 1}`)]).toEqual([0, STREAM_CHUNKS_KEPT]);
  });
});
