// A model call: candidates in the order that routing chose, until one gives an answer that fits.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command, Job } from '@weft/contracts';
import { rejection, type Failure, type Json } from '@weft/kernel';
import type { TokenStream } from '@weft/pipeline';
import {
  completion,
  failureReport,
  jitterOf,
  modelUnavailable,
  nextRound,
  readEmbedInput,
  readInferInput,
  unfitness,
  wireNames,
  withOwnTools,
  type FailedCandidate,
  type RejectedCandidate,
  type ToolOffer,
} from '@weft/tools/core';
import type { EgressClient } from '../egress/egress-client.js';
import { JobTokens } from '../infer/job-tokens.js';
import type { ModelTraffic } from '../infer/model-traffic.js';
import type { SchemaCache } from '../registry/schemas.js';
import type { Secrets } from '../secret/secrets.js';
import type { Drawing, Drawn } from './budget-step.js';
import type { Gate } from './gate.js';
import { InferRecord, wireUsage } from './infer-record.js';
import { runRound } from './infer-round.js';
import { askCandidate, type Answered } from './ask-candidate.js';

export interface InferPorts {
  readonly egress: EgressClient;
  readonly gate: Gate;
  readonly secrets: Secrets;
  readonly schemas: SchemaCache;
  readonly traffic: ModelTraffic;
  /** Reserves what one call may spend. */
  readonly draw: (job: Job, drawing: Drawing) => Promise<Drawn>;
  /** Which of the tools that are asked for a model may be told of. */
  readonly offer: (job: Job, wanted: readonly string[]) => ToolOffer;
  /** Where answers are shown while they come. */
  readonly tokens: TokenStream;
  /** Time for one candidate, milliseconds. */
  readonly modelTimeoutMs: number;
  /** Longest silence within an answer that streams, milliseconds. */
  readonly modelStallMs: number;
}

const NO_OFFER: ToolOffer = { offered: [], withheld: [] };

/** What a model job begins with. */
export interface InferStart {
  /** Candidates that policies left out. */
  readonly denied: readonly RejectedCandidate[];
  /** Aborted when a kill switch ends the job: calls are cut off, and the job is reported by whoever aborted it. */
  readonly signal: AbortSignal;
}

const BEGINS: InferStart = { denied: [], signal: new AbortController().signal };

/** Carries out a job of kind `infer` or `embed`. Failure codes: `input-invalid`, `budget-exceeded` (for every candidate), `timeout` (the execution's deadline), `stream-broken`, `model-unavailable` with every reason. */
export async function carryOutInfer(ports: InferPorts, given: Job, args: Json, { denied, signal: stop }: InferStart = BEGINS): Promise<Command> {
  const reading = given.kind === 'embed' ? readEmbedInput(args) : readInferInput(args);
  if (!reading.ok) return failureReport(given, reading.failure, 'none');
  const { input } = reading;
  const { job, unfit } = fitting(given, input.embeds ?? false);
  const check = input.schema && ports.schemas.checkFor(input.schema);
  if (check instanceof Error) return failureReport(job, rejection('input-invalid', `Expected schema to be a JSON Schema but ${check.message}.`), 'none');
  const offer = input.tools ? withOwnTools(ports.offer(job, input.tools), input.ownTools) : NO_OFFER;
  const record = new InferRecord(job, input, offer, [...denied, ...unfit]);
  const wires = wireNames(offer.offered.map(({ name }) => name));
  const { stream } = input;
  const tokens = stream && new JobTokens(ports.tokens, job, { ...input, stream });
  let isLate = false;
  const failed = new Map<number, FailedCandidate>();
  const ask = async (index: number, signal: AbortSignal, hedge: string | undefined) => {
    const candidate = job.models[index]!;
    const timeoutMs = Math.min(ports.modelTimeoutMs, leftMs(job));
    if (timeoutMs <= 0 || stop.aborted) {
      isLate = true;
      return { ok: false as const, isLast: true };
    }
    const answer = await askCandidate(ports, { job, candidate, input, check, offered: offer.offered, wires, timeoutMs, signal, tokens }, record, hedge);
    if (answer.ok) return { ok: true as const, value: answer.value };
    if (answer.problem) failed.set(index, { index, problem: answer.problem, at: Date.now() });
    return { ok: false as const, isLast: tokens?.isAborted ?? false };
  };
  let indexes: readonly number[] = job.models.map((_, index) => index);
  for (let round = 1; ; round++) {
    failed.clear();
    const answered = await runRound<Answered>(indexes, { ask, stop, hedgeAfterMs: (index) => (input.stream ? undefined : ports.traffic.hedgeAfterMs(job.models[index]!)) });
    if (tokens) record.stream(tokens);
    if (answered) {
      tokens?.end();
      return completed(job, record, answered);
    }
    if (tokens?.isAborted) return failedWith(job, record, streamBroken(record.rejected.at(-1)?.reason ?? ''));
    if (isLate) return failedWith(job, record, rejection('timeout', 'Expected an answer before the deadline of the execution but it has passed.'));
    const overBudget = [...failed.values()].map(({ problem }) => (problem.kind === 'overBudget' ? problem.failure : undefined));
    if (overBudget[0] && overBudget.every((failure) => failure !== undefined)) return failedWith(job, record, overBudget[0]);
    const next = nextRound([...failed.values()], round, Date.now(), jitterOf(`${job.idempotencyKey} ${round}`));
    if (!next || next.waitMs >= leftMs(job)) return failedWith(job, record, modelUnavailable(record.rejected));
    await sleep(next.waitMs);
    indexes = next.indexes;
  }
}

/** Leaves out candidates that cannot be asked for this at all. */
function fitting(job: Job, wantsEmbeddings: boolean): { readonly job: Job; readonly unfit: readonly RejectedCandidate[] } {
  const unfit = job.models.flatMap(({ id, terms }) => {
    const reason = unfitness(terms, wantsEmbeddings);
    return reason === undefined ? [] : [{ candidate: id, reason }];
  });
  return unfit.length === 0 ? { job, unfit } : { job: { ...job, models: job.models.filter(({ terms }) => unfitness(terms, wantsEmbeddings) === undefined) }, unfit };
}

function completed(job: Job, record: InferRecord, { candidate, output }: Answered): Command {
  return completion(job, JSON.stringify(output), record.evidence(candidate), [`model:${candidate.id}`], wireUsage(record.spent, record.calls));
}

/** The workflow may try again: whoever read along has seen a part of an answer that never was. */
const streamBroken = (reason: string): Failure =>
  rejection('stream-broken', `Expected an answer that streams to its end but it broke after a part of it was shown, and the workflow wants it to be given up then: ${reason}.`, { retryable: true });

const failedWith = (job: Job, record: InferRecord, failure: Failure): Command =>
  failureReport(job, failure, 'none', {
    evidence: record.failureEvidence(),
    taint: record.asked.map((id) => `model:${id}`),
    usage: record.calls === 0 ? undefined : wireUsage(record.spent, record.calls),
  });

/** Time until the execution's deadline; without one, all the time there is. */
export function leftMs(job: Job): number {
  const deadlineMs = job.context?.deadlineMs ?? 0;
  return deadlineMs === 0 ? Number.MAX_SAFE_INTEGER : deadlineMs - Date.now();
}
