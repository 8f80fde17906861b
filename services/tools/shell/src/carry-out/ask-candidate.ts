// One call of one candidate within a model job: leave to make it, the call, and what it has used.
import type { Job, ModelCandidate } from '@weft/contracts';
import { forbidden } from '@weft/contracts';
import type { Json } from '@weft/kernel';
import { estimateTokens, identityHeaders, moneyOf, rejectedCandidate, usageOf, type ModelProblem } from '@weft/tools/core';
import type { JobTokens } from '../infer/job-tokens.js';
import { callModel, type ModelAnswer, type ModelCall } from '../infer/model-call.js';
import type { InferPorts } from './carry-out-infer.js';
import type { InferRecord } from './infer-record.js';

/** An answer that fits. */
export interface Answered {
  readonly candidate: ModelCandidate;
  readonly output: Json;
}

export type Asked = { readonly ok: true; readonly value: Answered } | { readonly ok: false; /** Absent: another candidate was first. */ readonly problem?: ModelProblem };

export interface Asking extends Omit<ModelCall, 'headers' | 'stream'> {
  readonly job: Job;
  /** Present: the answer is shown while it comes. */
  readonly tokens: JobTokens | undefined;
}

/** Tokens that an answer is thought to take where its length is not bounded. */
const OUTPUT_TOKENS_GUESS = 500;

/** Asks once, and records it. @throws Fault when nothing can be reserved, or settled, now. */
export async function askCandidate(ports: InferPorts, asking: Asking, record: InferRecord, hedge: string | undefined): Promise<Asked> {
  const { job, candidate, input, signal, tokens } = asking;
  const outputTokens = input.embeds ? 0 : (input.tokensMax ?? OUTPUT_TOKENS_GUESS);
  const guess = record.inputTokens + outputTokens;
  const passage = await ports.traffic.enter(candidate, guess);
  if ('kind' in passage) {
    record.rejected.push(rejectedCandidate(candidate.id, passage));
    return { ok: false, problem: passage };
  }
  const estimate = { moneyMicros: moneyOf(record.inputTokens, outputTokens, candidate.terms?.price), tokens: guess, calls: 1 };
  const drawn = await ports.draw(job, { tool: '', model: candidate.id, estimate, isRecorded: false, timeoutMs: asking.timeoutMs }).catch((fault: unknown) => {
    passage.leave('cancelled');
    throw fault;
  });
  if (!drawn.ok) {
    passage.leave('cancelled');
    const problem = { kind: 'overBudget' as const, failure: drawn.failure };
    record.rejected.push(rejectedCandidate(candidate.id, problem));
    return { ok: false, problem };
  }
  const attempt = record.begin();
  const startedAt = performance.now();
  const stream = tokens && { ...tokens.begin(candidate), onText: (text: string) => tokens.text(text), stallMs: ports.modelStallMs };
  const answer = judged(await ports.gate.run(() => callModel(ports.egress, ports.secrets, { ...asking, headers: headersOf(job, attempt), ...(stream && { stream }) })));
  if (!answer.ok) tokens?.failed(answer.problem);
  const isCancelled = signal.aborted && !answer.ok;
  passage.leave(answer.ok ? 'answered' : isCancelled ? 'cancelled' : answer.problem);
  const rejected = answer.ok || isCancelled ? undefined : rejectedCandidate(candidate.id, answer.problem);
  const usage = usedBy(answer, isCancelled, candidate, record.inputTokens, stream?.prefix ?? '');
  await drawn.settle(usage && { moneyMicros: usage.moneyMicros, tokens: usage.inputTokens + usage.outputTokens, calls: 1 });
  record.add(
    {
      candidate: candidate.id,
      attempt,
      outcome: answer.ok && !signal.aborted ? 'answered' : isCancelled || signal.aborted ? 'cancelled' : 'failed',
      ms: Math.round(performance.now() - startedAt),
      ...(rejected && { reason: rejected.reason }),
      ...(hedge === undefined ? {} : { hedge }),
      ...(usage && { usage }),
    },
    (stream?.prefix ?? '') !== '',
  );
  if (rejected) record.rejected.push(rejected);
  if (answer.ok) return { ok: true, value: { candidate, output: answer.output } };
  return isCancelled ? { ok: false } : { ok: false, problem: answer.problem };
}

/** What cannot be kept is no answer. */
function judged(answer: ModelAnswer): ModelAnswer {
  const unfit = answer.ok ? forbidden(answer.output, '', 0) : undefined;
  return answer.ok && unfit !== undefined ? { ok: false, problem: { kind: 'schema', message: unfit }, turn: answer.turn, reported: answer.reported } : answer;
}

/** A call that was refused or never arrived has used nothing; one that was broken off has, and nobody reports it. What another call had said before was its request. */
function usedBy(answer: ModelAnswer, isCancelled: boolean, candidate: ModelCandidate, inputTokens: number, prefix: string): ReturnType<typeof usageOf> | undefined {
  const { turn } = answer;
  if (!turn && !isCancelled) return undefined;
  const said = turn && (turn.text.startsWith(prefix) ? turn.text.slice(prefix.length) : turn.text) + (turn.toolCalls.length > 0 ? JSON.stringify(turn.toolCalls) : '');
  return usageOf(answer.reported, { inputTokens: inputTokens + estimateTokens(prefix), outputTokens: estimateTokens(said ?? '') }, candidate.terms?.price);
}

/** The same key for all calls of a job would make a provider that knows it answer the first one's failure again. */
const headersOf = (job: Job, attempt: number): { readonly [name: string]: string } => identityHeaders({ ...job, idempotencyKey: `${job.idempotencyKey}/call-${attempt}` });
