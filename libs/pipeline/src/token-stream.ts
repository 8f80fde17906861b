/** The Stream port: what a model says, while it says it. Lossy and numbered: a reader that misses something knows it, and the truth is the recorded answer. */
export interface TokenStream {
  /** Tells whoever reads the execution. Never waits and never throws: what cannot be told is lost. */
  publish(stream: StreamKey, chunk: TokenChunk): void;
  /**
   * Reads an execution from where it is still remembered (its beginning, when it began less than about a minute ago), each chunk once and in order.
   * @returns how to leave. Rejects with a Fault when the stream cannot be reached; chunks that are lost later are just missing.
   */
  subscribe(stream: StreamKey, onChunk: (chunk: TokenChunk) => void): Promise<() => void>;
  close(): Promise<void>;
}

export interface StreamKey {
  readonly tenant: string;
  readonly executionId: string;
}

export interface TokenChunk {
  /** Whose answer it is: pointer of the task, then `#` and its iteration where it has one. */
  readonly source: string;
  /** One carrying out of the job. A job that is carried out again, after a crash, begins its answer anew under another one. */
  readonly run: string;
  /** From 0 in each run, without gaps unless something was lost. */
  readonly number: number;
  /** text: the next piece of the answer; restart: all before is void, and the answer begins anew; end: the answer is whole. */
  readonly kind: 'text' | 'restart' | 'end';
  /** The piece; of a restart why. */
  readonly text: string;
}

/** How long after its latest chunk an execution is remembered, milliseconds. */
export const STREAM_KEPT_MS = 60_000;
/** Chunks of one execution that are remembered; a reader that comes later has lost its beginning, and knows it. */
export const STREAM_CHUNKS_KEPT = 8_192;

/** Lets each chunk of a run through once and in order, whatever comes twice or late. */
export class ChunkOrder {
  readonly #last = new Map<string, number>();

  isNext({ run, number }: TokenChunk): boolean {
    if (number <= (this.#last.get(run) ?? -1)) return false;
    this.#last.set(run, number);
    return true;
  }
}
