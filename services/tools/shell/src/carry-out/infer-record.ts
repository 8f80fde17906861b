// What happened in one model job: whom it asked, what that used, and what came of it. It is the evidence of the job.
import type { Job, ModelCandidate, Usage } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { addUsage, estimateInputTokens, NO_USAGE, type InferEvidence, type InferInput, type ModelAttempt, type ModelUsage, type RejectedCandidate, type ToolOffer } from '@weft/tools/core';

/** Usage as it is billed. */
export const wireUsage = ({ inputTokens, outputTokens, moneyMicros, estimated }: ModelUsage, calls: number): Usage => ({ inputTokens, outputTokens, moneyMicros, calls, estimated });

export class InferRecord {
  readonly rejected: RejectedCandidate[];
  readonly attempts: ModelAttempt[] = [];
  /** Tokens of the request, as counted here. */
  readonly inputTokens: number;
  #spent = NO_USAGE;
  #calls = 0;
  #started = 0;
  #answer: ModelAttempt['usage'];
  #stream: { readonly restarts: number; readonly continuations: number } | undefined;

  /** @param denied candidates that policies left out. */
  constructor(
    private readonly job: Job,
    private readonly input: InferInput,
    private readonly offer: ToolOffer,
    denied: readonly RejectedCandidate[],
  ) {
    this.rejected = [...denied];
    this.inputTokens = estimateInputTokens(input.messages, offer.offered);
  }

  /** Of all calls together, those without an answer included. */
  get spent(): ModelUsage {
    return this.#spent;
  }

  /** Calls that have used something. */
  get calls(): number {
    return this.#calls;
  }

  /** Candidates that may have answered, whatever it was. */
  get asked(): readonly string[] {
    return [...new Set(this.attempts.map(({ candidate }) => candidate))];
  }

  /** Number of a call that begins, from 1. */
  begin(): number {
    return ++this.#started;
  }

  /** @param goesOn whether it goes on with what the call before has said: then the answer is made of both. */
  add(attempt: ModelAttempt, goesOn = false): void {
    this.attempts.push(attempt);
    if (!attempt.usage) return;
    const { doubt: _, ...usage } = attempt.usage;
    this.#spent = addUsage(this.#spent, usage);
    this.#calls++;
    if (attempt.outcome === 'cancelled') return;
    const before = goesOn ? this.#answer : undefined;
    this.#answer = before ? { ...attempt.usage, ...addUsage(before, attempt.usage) } : attempt.usage;
  }

  /** Tells how often the answer that was shown began anew, or was gone on with. */
  stream({ restarts, continuations }: { readonly restarts: number; readonly continuations: number }): void {
    this.#stream = { restarts, continuations };
  }

  evidence(candidate: ModelCandidate): Json {
    const { id, model, endpoint, simulated, reason, terms } = candidate;
    const tried = new Set([...this.attempts.map((attempt) => attempt.candidate), ...this.rejected.map((one) => one.candidate)]);
    const evidence: InferEvidence = {
      candidate: id,
      model,
      catalogue: terms?.digest ?? '',
      chosen: reason,
      endpoint: URL.canParse(endpoint) ? new URL(endpoint).host : '',
      simulated,
      usage: this.#answer ?? NO_USAGE,
      spent: this.#spent,
      rejected: this.rejected,
      attempts: this.attempts,
      untried: this.job.models.flatMap((one) => (tried.has(one.id) ? [] : [one.id])),
      ...this.#offered(),
      ...this.#streamed(),
    };
    return evidence as unknown as Json;
  }

  failureEvidence(): Json {
    return { rejected: this.rejected, attempts: this.attempts, ...this.#offered(), ...this.#streamed() } as unknown as Json;
  }

  #streamed(): Pick<InferEvidence, 'stream'> {
    return this.input.stream && this.#stream ? { stream: { onFailure: this.input.stream.onFailure, ...this.#stream } } : {};
  }

  #offered(): Pick<InferEvidence, 'tools'> {
    return this.input.tools ? { tools: { offered: this.offer.offered.map(({ name }) => name), withheld: this.offer.withheld } } : {};
  }
}
