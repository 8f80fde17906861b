// Carries out `validate`: judges every job of a batch, and stores the verdicts in one statement.
import { contextOf, type Command, type CommandBatch, type Job, type JobBatch, type WorkerPeer } from '@weft/contracts';
import { isJsonObject, rejection, type Json, type Rejection } from '@weft/kernel';
import { tracerFor } from '@weft/nest-platform';
import type { Clock } from '@weft/pipeline';
import { isSampled, openSpan } from '@weft/telemetry';
import { judge, verdictJson, type Verdict } from '@weft/validation/core';
import type { NewVerdict, VerdictStore } from '../persist/verdict.store.js';
import type { SchemaChecker } from './schema-checker.js';

export class ValidationWorker implements WorkerPeer {
  constructor(
    private readonly checker: SchemaChecker,
    private readonly store: VerdictStore,
    private readonly clock: Clock,
  ) {}

  /** A fault of the store ends the stream with it: the caller dispatches the jobs again. */
  async *carryOut({ jobs }: JobBatch): AsyncGenerator<CommandBatch> {
    const startAt = this.clock.now();
    const verdicts: NewVerdict[] = [];
    const commands = jobs.map((job) => {
      const judged = this.#judge(job);
      if (!judged.ok) return failed(job, judged.rejection);
      verdicts.push({ tenant: job.context?.tenant ?? '', id: job.idempotencyKey, executionId: job.executionId, pointer: job.pointer, verdict: judged.verdict });
      return completed(job, judged.verdict);
    });
    if (verdicts.length > 0) await this.store.store(verdicts, startAt);
    traceJobs(jobs, startAt);
    yield { commands };
  }

  #judge(job: Job): { readonly ok: true; readonly verdict: Verdict } | { readonly ok: false; readonly rejection: Rejection } {
    const args = JSON.parse(job.inputJson) as Json;
    if (job.kind !== 'validate' || !isJsonObject(args) || args['value'] === undefined || args['schema'] === undefined) {
      return { ok: false, rejection: rejection('input-invalid', 'Expected a job of kind validate with `value` and `schema`.') };
    }
    const check = this.checker.check(args['schema'], args['value']);
    if (!check.ok) return check;
    return { ok: true, verdict: judge(check.findings, check.schemaDigest, typeof args['policy'] === 'string' ? args['policy'] : '') };
  }
}

function completed(job: Job, verdict: Verdict): Command {
  const output = JSON.stringify(verdictJson(verdict));
  return { id: `${job.id}/${job.generation}/done`, executionId: job.executionId, context: job.context ?? contextOf({ tenant: '' }), completeJob: { jobId: job.id, generation: job.generation, outputJson: output, evidenceJson: '', taint: [] } };
}

function failed(job: Job, { code, message, retryable }: Rejection): Command {
  const failure = { code, message, retryable, retryAfterMs: 0, detailsJson: '' };
  return { id: `${job.id}/${job.generation}/failed`, executionId: job.executionId, context: job.context ?? contextOf({ tenant: '' }), failJob: { jobId: job.id, generation: job.generation, failure, outcome: 'none', needsPerson: false, platform: false, evidenceJson: '' } };
}

/** One span a job, for sampled executions only. */
function traceJobs(jobs: readonly Job[], startAt: number): void {
  const tracer = tracerFor('validation');
  if (!tracer) return;
  for (const { context, kind } of jobs) if (context && isSampled(context.traceparent)) openSpan(tracer, `validation ${kind}`, { kind: 'internal', context, startAt }).end();
}
