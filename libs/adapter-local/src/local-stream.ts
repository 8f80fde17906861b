import { STREAM_CHUNKS_KEPT, STREAM_KEPT_MS, type StreamKey, type TokenChunk, type TokenStream } from '@weft/pipeline';

const EXECUTIONS_MAX = 2_000;
/** Chunks of all executions together, above which those without a reader are forgotten, oldest first. */
const CHUNKS_MAX = 500_000;

interface Kept {
  readonly chunks: TokenChunk[];
  readonly readers: Set<(chunk: TokenChunk) => void>;
  latestAt: number;
}

/** Tokens within this process. */
export class LocalStream implements TokenStream {
  readonly #executions = new Map<string, Kept>();

  #chunks = 0;

  /** @param now milliseconds, monotonic. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  publish(stream: StreamKey, chunk: TokenChunk): void {
    const kept = this.#of(stream);
    kept.latestAt = this.now();
    kept.chunks.push(chunk);
    if (kept.chunks.length > STREAM_CHUNKS_KEPT) kept.chunks.shift();
    else this.#chunks++;
    for (const read of kept.readers) read(chunk);
  }

  async subscribe(stream: StreamKey, onChunk: (chunk: TokenChunk) => void): Promise<() => void> {
    const kept = this.#of(stream);
    for (const chunk of kept.chunks) onChunk(chunk);
    kept.readers.add(onChunk);
    return () => {
      kept.readers.delete(onChunk);
    };
  }

  async close(): Promise<void> {
    this.#executions.clear();
    this.#chunks = 0;
  }

  /** The latest executions come last, so that the first ones are those to forget. */
  #of({ tenant, executionId }: StreamKey): Kept {
    const key = `${tenant}/${executionId}`;
    const known = this.#executions.get(key) ?? { chunks: [], readers: new Set(), latestAt: this.now() };
    this.#executions.delete(key);
    this.#executions.set(key, known);
    const now = this.now();
    for (const [other, first] of this.#executions) {
      const isOld = now - first.latestAt > STREAM_KEPT_MS || this.#executions.size > EXECUTIONS_MAX || this.#chunks > CHUNKS_MAX;
      if (!isOld || other === key) break;
      this.#executions.delete(other);
      // Whoever reads keeps this one, and must not keep those behind it.
      if (first.readers.size > 0) this.#executions.set(other, Object.assign(first, { latestAt: now }));
      else this.#chunks -= first.chunks.length;
    }
    return known;
  }
}
