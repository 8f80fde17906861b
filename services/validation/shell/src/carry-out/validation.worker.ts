// Carries out `validate`: judges every job of a batch, and stores the verdicts in one statement.
import { completedCommand, failedCommand, type Command, type CommandBatch, type Job, type JobBatch, type WorkerPeer } from '@weft/contracts';
import { isJsonObject, isUuid, rejection, type Json, type Rejection } from '@weft/kernel';
import { tracerFor } from '@weft/nest-platform';
import { failpoint, Fault, type Clock } from '@weft/pipeline';
import { isSampled, openSpan, SPAN } from '@weft/telemetry';
import { judge, verdictJson, type Verdict } from '@weft/validation/core';
import { setImmediate as turn } from 'node:timers/promises';
import type { NewVerdict, VerdictStore } from '../persist/verdict.store.js';
import type { SchemaChecker } from './schema-checker.js';

interface Judged {
  readonly job: Job;
  readonly kept: NewVerdict;
}

type Judgement = { readonly ok: true; readonly verdict: Verdict } | { readonly ok: false; readonly rejection: Rejection };

const POLICY_CHARACTERS_MAX = 200;
// The main thread is shared: others get their turn after this time.
const TURN_MS = 5;

export class ValidationWorker implements WorkerPeer {
  constructor(
    private readonly checker: SchemaChecker,
    private readonly store: VerdictStore,
    private readonly clock: Clock,
  ) {}

  /**
   * Jobs whose arguments or schema cannot be used fail with `input-invalid`; a value that does not satisfy its schema is a verdict.
   * A fault of the store ends the stream with it: the caller dispatches the jobs again.
   */
  async *carryOut({ jobs }: JobBatch): AsyncGenerator<CommandBatch> {
    const startAt = this.clock.now();
    const commands: Command[] = [];
    const judged: Judged[] = [];
    let turnAt = performance.now();
    for (const job of jobs) {
      if (performance.now() - turnAt > TURN_MS) {
        await turn();
        turnAt = performance.now();
      }
      const judgement = this.#judge(job);
      if (!judgement.ok) commands.push(failedCommand(job, judgement.rejection));
      else judged.push({ job, kept: { tenant: job.context?.tenant ?? '', id: job.idempotencyKey, executionId: job.executionId, pointer: job.pointer, verdict: judgement.verdict } });
    }
    if (judged.length > 0) commands.push(...(await this.#keep(judged, startAt)));
    traceJobs(jobs, startAt);
    if (commands.length > 0) yield { commands };
  }

  #judge(job: Job): Judgement {
    if (job.kind !== 'validate') return invalid(`Expected a job of kind validate but got ${JSON.stringify(job.kind)}.`);
    if (!job.context?.tenant || !isUuid(job.executionId)) return invalid('Expected a job of an execution and its tenant but it names none.');
    const args = jsonOf(job.inputJson);
    if (!isJsonObject(args) || args['value'] === undefined || args['schema'] === undefined) return invalid('Expected a job of kind validate with `value` and `schema`.');
    const policy = args['policy'] ?? '';
    if (typeof policy !== 'string' || policy.length > POLICY_CHARACTERS_MAX)
      return invalid(`Expected \`policy\` of validate to be a text of at most ${POLICY_CHARACTERS_MAX} characters but got ${JSON.stringify(policy).slice(0, 80)}.`);
    // Value and schema together are at least as long as the value.
    const check = this.checker.check(args['schema'], args['value'], job.inputJson.length);
    return check.ok ? { ok: true, verdict: judge(check.findings, check.schemaDigest, policy) } : check;
  }

  /** All at once; when the store refuses something among them for good, each by itself, so that the culprit fails alone. */
  async #keep(judged: readonly Judged[], at: number): Promise<Command[]> {
    try {
      failpoint('validation.store-verdicts', 'before');
      await this.store.store(
        judged.map(({ kept }) => kept),
        at,
      );
      failpoint('validation.store-verdicts', 'after');
      return judged.map(({ job, kept }) => completedCommand(job, verdictJson(kept.verdict)));
    } catch (fault) {
      if (!(fault instanceof Fault) || fault.retryable) throw fault;
      if (judged.length === 1) return [failedCommand(judged[0]!.job, rejection('input-invalid', `Expected a verdict that can be stored but ${fault.message}.`))];
      return (await Promise.all(judged.map((one) => this.#keep([one], at)))).flat();
    }
  }
}

function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

const invalid = (message: string): Judgement => ({ ok: false, rejection: rejection('input-invalid', message) });

/** One span a job, for sampled executions only. */
function traceJobs(jobs: readonly Job[], startAt: number): void {
  const tracer = tracerFor('validation');
  if (!tracer) return;
  for (const { context } of jobs) if (context && isSampled(context.traceparent)) openSpan(tracer, SPAN.validate, { kind: 'internal', context, startAt }).end();
}
