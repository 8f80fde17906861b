// What of a job's answer has been shown to whoever reads along, and what a break of it means.
import { randomUUID } from 'node:crypto';
import type { Job, ModelCandidate } from '@weft/contracts';
import type { TokenChunk, TokenStream } from '@weft/pipeline';
import type { InferInput, ModelProblem } from '@weft/tools/core';

/** How the next call is to begin: with what has been shown, or with nothing. */
export interface Beginning {
  readonly prefix: string;
}

export class JobTokens {
  readonly #run = randomUUID();
  readonly #source: string;
  #number = 0;
  #shown = '';
  #break: ModelProblem | undefined;
  restarts = 0;
  continuations = 0;

  constructor(
    private readonly stream: TokenStream,
    private readonly job: Job,
    private readonly input: InferInput & Required<Pick<InferInput, 'stream'>>,
  ) {
    this.#source = job.iteration === '' ? job.pointer : `${job.pointer}#${job.iteration}`;
  }

  /** The answer broke after a part of it was shown, and the workflow wants no other one. */
  get isAborted(): boolean {
    return this.#break !== undefined && this.#shown !== '' && this.input.stream.onFailure === 'abort';
  }

  /** A call begins. Where a part was shown it goes on with that, if it is meant to and the candidate can; else the answer begins anew, and readers are told. */
  begin(candidate: ModelCandidate): Beginning {
    if (this.#shown === '') return { prefix: '' };
    if (this.#canGoOn(candidate)) {
      this.continuations++;
      return { prefix: this.#shown };
    }
    this.restarts++;
    this.#shown = '';
    this.#publish('restart', this.#break ? `${candidate.id} answers instead` : '');
    return { prefix: '' };
  }

  text(piece: string): void {
    this.#shown += piece;
    this.#publish('text', piece);
  }

  failed(problem: ModelProblem): void {
    this.#break = problem;
  }

  end(): void {
    this.#publish('end', '');
  }

  /** Only a text that was cut can be gone on with: one that did not fit would not fit either. */
  #canGoOn(candidate: ModelCandidate): boolean {
    const { stream, schema, tools } = this.input;
    return stream.onFailure === 'continue-from-prefix' && this.#break?.kind === 'broken' && !schema && !tools && (candidate.terms?.capabilities.includes('prefill') ?? false);
  }

  #publish(kind: TokenChunk['kind'], text: string): void {
    const { tenant = '' } = this.job.context ?? {};
    this.stream.publish({ tenant, executionId: this.job.executionId }, { source: this.#source, run: this.#run, number: this.#number++, kind, text });
  }
}
