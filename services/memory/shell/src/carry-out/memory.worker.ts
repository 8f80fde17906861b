// Carries out `remember` and `recall`: a batch of jobs is one statement for each of the two.
import { contextOf, type Command, type CommandBatch, type Job, type JobBatch, type WorkerPeer } from '@weft/contracts';
import { instantText, type Json, type Rejection } from '@weft/kernel';
import { readRecall, readRemember, stampTrust, trustedAtLeast, type RecallRequest } from '@weft/memory/core';
import { tracerFor } from '@weft/nest-platform';
import type { Clock } from '@weft/pipeline';
import { isSampled, openSpan } from '@weft/telemetry';
import type { FoundItem, ItemStore, NewItem } from '../persist/item.store.js';

export class MemoryWorker implements WorkerPeer {
  constructor(
    private readonly store: ItemStore,
    private readonly clock: Clock,
  ) {}

  /** A fault of the store ends the stream with it: the caller dispatches the jobs again. */
  async *carryOut({ jobs }: JobBatch): AsyncGenerator<CommandBatch> {
    const startAt = this.clock.now();
    const commands = (await Promise.all([this.#remember(jobs.filter((job) => job.kind === 'remember')), this.#recall(jobs.filter((job) => job.kind === 'recall'))])).flat();
    commands.push(...jobs.filter((job) => job.kind !== 'remember' && job.kind !== 'recall').map((job) => failed(job, { code: 'input-invalid', message: `Expected a job of kind remember or recall but got ${JSON.stringify(job.kind)}.`, retryable: false })));
    traceJobs(jobs, startAt);
    yield { commands };
  }

  async #remember(jobs: readonly Job[]): Promise<Command[]> {
    const items: NewItem[] = [];
    const commands = jobs.map((job) => {
      const reading = readRemember(JSON.parse(job.inputJson) as Json);
      if (!reading.ok) return failed(job, reading.rejection);
      const { tenant = '', actor = '', taint = [] } = job.context ?? {};
      const trust = stampTrust(taint, job.executionId);
      items.push({ tenant, id: job.idempotencyKey, ...reading.request, trust, provenance: { executionId: job.executionId, pointer: job.pointer, workflow: job.workflow, actor, taint } });
      return completed(job, { id: job.idempotencyKey, trust }, []);
    });
    if (items.length > 0) await this.store.remember(items, this.clock.now());
    return commands;
  }

  async #recall(jobs: readonly Job[]): Promise<Command[]> {
    const asked: { readonly job: Job; readonly request: RecallRequest }[] = [];
    const commands: Command[] = [];
    for (const job of jobs) {
      const reading = readRecall(JSON.parse(job.inputJson) as Json);
      if (reading.ok) asked.push({ job, request: reading.request });
      else commands.push(failed(job, reading.rejection));
    }
    if (asked.length === 0) return commands;
    const found = await this.store.recall(asked.map(({ job, request: { scope, query, limit, trust } }) => ({ tenant: job.context?.tenant ?? '', scope, query, limit, trusts: trustedAtLeast(trust) })));
    asked.forEach(({ job }, index) => {
      const items = found[index] ?? [];
      // What is recalled is as tainted as what it came from.
      commands.push(completed(job, { items: items.map(itemJson) }, [...new Set(items.flatMap((item) => item.provenance.taint))]));
    });
    return commands;
  }
}

const itemJson = ({ id, text, metadata, trust, provenance, score, at }: FoundItem): Json => ({ id, text, metadata, trust, provenance: { ...provenance, taint: [...provenance.taint] }, score, at: instantText(at) });

function completed(job: Job, output: Json, taint: string[]): Command {
  return { id: `${job.id}/${job.generation}/done`, executionId: job.executionId, context: job.context ?? contextOf({ tenant: '' }), completeJob: { jobId: job.id, generation: job.generation, outputJson: JSON.stringify(output), evidenceJson: '', taint } };
}

function failed(job: Job, { code, message, retryable }: Rejection): Command {
  const failure = { code, message, retryable, retryAfterMs: 0, detailsJson: '' };
  return { id: `${job.id}/${job.generation}/failed`, executionId: job.executionId, context: job.context ?? contextOf({ tenant: '' }), failJob: { jobId: job.id, generation: job.generation, failure, outcome: 'none', needsPerson: false, platform: false, evidenceJson: '' } };
}

/** One span a job, for sampled executions only. */
function traceJobs(jobs: readonly Job[], startAt: number): void {
  const tracer = tracerFor('memory');
  if (!tracer) return;
  for (const { context, kind } of jobs) if (context && isSampled(context.traceparent)) openSpan(tracer, `memory ${kind}`, { kind: 'internal', context, startAt }).end();
}
