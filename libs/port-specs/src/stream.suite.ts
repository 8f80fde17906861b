// What every TokenStream does.
import { randomUUID } from 'node:crypto';
import type { StreamKey, TokenChunk, TokenStream } from '@weft/pipeline';
import { afterAll, expect, it, vi } from 'vitest';
import { describeAgainst, type ServerUnderTest } from './server-under-test.js';

export interface StreamBinding {
  readonly name: string;
  /** The server the adapter needs; none for one that lives in the process. */
  readonly server?: ServerUnderTest;
  /** Both ends of a stream: who publishes and who reads may be different processes. The suite closes them. */
  readonly create: () => Promise<{ readonly writer: TokenStream; readonly reader: TokenStream }>;
  /** Called once after all tests. */
  readonly destroy?: () => Promise<void>;
}

/** Describes the contract of the Stream port for one adapter. */
export function describeStream({ name, server, create, destroy }: StreamBinding): void {
  describeAgainst(server, `TokenStream: ${name}`, () => {
    afterAll(async () => destroy?.());

    const execution = (tenant = 'default', executionId: string = randomUUID()): StreamKey => ({ tenant, executionId });
    const chunk = (number: number, run = 'r1'): TokenChunk => ({ source: '/do/0/ask', run, number, kind: 'text', text: `piece ${number}` });
    const numbers = (chunks: readonly TokenChunk[]): readonly number[] => chunks.map(({ number }) => number);

    const on = (title: string, test: (writer: TokenStream, reader: TokenStream) => Promise<void>): void =>
      it(title, async () => {
        const { writer, reader } = await create();
        try {
          await test(writer, reader);
        } finally {
          await Promise.all([writer.close(), reader.close()]);
        }
      });

    on('tells a reader what was said before it came and what comes, once and in order', async (writer, reader) => {
      const stream = execution();
      const read: TokenChunk[] = [];
      for (let n = 0; n < 3; n++) writer.publish(stream, chunk(n));
      const leave = await reader.subscribe(stream, (one) => read.push(one));
      for (let n = 3; n < 50; n++) writer.publish(stream, chunk(n));
      writer.publish(stream, { ...chunk(0, 'r2'), kind: 'restart', text: 'it was lost' });
      await vi.waitFor(() => expect(read).toHaveLength(51), { timeout: 3_000 });
      expect(numbers(read)).toEqual([...Array.from({ length: 50 }, (_, n) => n), 0]);
      expect(read.at(-1)).toEqual({ source: '/do/0/ask', run: 'r2', number: 0, kind: 'restart', text: 'it was lost' });
      leave();
    });

    on('tells each reader of the execution, and nobody of another one or another tenant', async (writer, reader) => {
      const stream = execution();
      const [one, two, other, stranger]: TokenChunk[][] = [[], [], [], []];
      await reader.subscribe(stream, (read) => one!.push(read));
      await reader.subscribe(stream, (read) => two!.push(read));
      await reader.subscribe(execution(), (read) => other!.push(read));
      await reader.subscribe(execution('acme', stream.executionId), (read) => stranger!.push(read));
      writer.publish(stream, chunk(0));
      await vi.waitFor(() => expect([numbers(one!), numbers(two!)]).toEqual([[0], [0]]), { timeout: 3_000 });
      expect([other, stranger]).toEqual([[], []]);
    });

    on('tells nobody who has left', async (writer, reader) => {
      const stream = execution();
      const [stayed, left]: TokenChunk[][] = [[], []];
      await reader.subscribe(stream, (read) => stayed!.push(read));
      const leave = await reader.subscribe(stream, (read) => left!.push(read));
      leave();
      writer.publish(stream, chunk(0));
      await vi.waitFor(() => expect(numbers(stayed!)).toEqual([0]), { timeout: 3_000 });
      expect(left).toEqual([]);
    });
  });
}
