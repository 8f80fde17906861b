// Carries out `remember` and `recall`: a batch of jobs is one statement for each of the two.
import { completedCommand, failedCommand, type Command, type CommandBatch, type Job, type JobBatch, type WorkerPeer } from '@weft/contracts';
import { instantText, isUuid, matchesName, rejection, type Json, type Rejection } from '@weft/kernel';
import { readRecall, readRemember, stampTrust, trustedAtLeast, type RecallRequest, type RememberRequest } from '@weft/memory/core';
import { tracerFor } from '@weft/nest-platform';
import { failpoint, Fault, type Clock } from '@weft/pipeline';
import { isSampled, openSpan, SPAN } from '@weft/telemetry';
import type { FoundItem, ItemStore, NewItem } from '../persist/item.store.js';

export class MemoryWorker implements WorkerPeer {
  constructor(
    private readonly store: ItemStore,
    private readonly clock: Clock,
    private readonly privateScopes: readonly string[],
  ) {}

  /**
   * Jobs whose arguments cannot be used fail with `input-invalid`.
   * A fault of the store ends the stream with it, after what could be done: the caller dispatches the other jobs again.
   */
  async *carryOut({ jobs }: JobBatch): AsyncGenerator<CommandBatch> {
    const startAt = this.clock.now();
    const commands: Command[] = [];
    const [kept, asked]: [Kept[], Asked[]] = [[], []];
    for (const job of jobs) {
      const reading = readJob(job);
      if (!reading.ok) commands.push(failedCommand(job, reading.rejection));
      else if (reading.kind === 'remember') kept.push({ job, item: newItem(job, reading.request) });
      else asked.push({ job, request: reading.request });
    }
    const settled = await Promise.allSettled([orAlone(kept, (some) => this.#remember(some)), orAlone(asked, (some) => this.#recall(some))]);
    for (const outcome of settled) if (outcome.status === 'fulfilled') commands.push(...outcome.value);
    traceJobs(jobs, startAt);
    if (commands.length > 0) yield { commands };
    for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason;
  }

  async #remember(kept: readonly Kept[]): Promise<Command[]> {
    if (kept.length > 0) failpoint('memory.remember', 'before');
    await this.store.remember(
      kept.map(({ item }) => item),
      this.clock.now(),
    );
    if (kept.length > 0) failpoint('memory.remember', 'after');
    return kept.map(({ job, item }) => completedCommand(job, { id: item.id, trust: item.trust }));
  }

  async #recall(asked: readonly Asked[]): Promise<Command[]> {
    const found = await this.store.recall(asked.map(({ job, request: { scope, query, limit, trust } }) => ({ tenant: job.context?.tenant ?? '', scope, query, limit, trusts: trustedAtLeast(trust) })));
    return asked.map(({ job, request }, index) => {
      const items = found[index] ?? [];
      // What is recalled is as tainted as what it came from, and private where its scope is.
      return completedCommand(job, { items: items.map(itemJson) }, [...new Set([...items.flatMap((item) => item.provenance.taint), ...(items.length > 0 ? this.#privateLabels(request.scope) : [])])]);
    });
  }

  #privateLabels(scope: string): readonly string[] {
    return this.privateScopes.some((pattern) => matchesName(pattern, scope)) ? [`private:memory:${scope}`] : [];
  }
}

interface Kept {
  readonly job: Job;
  readonly item: NewItem;
}

interface Asked {
  readonly job: Job;
  readonly request: RecallRequest;
}

type JobReading =
  | { readonly ok: true; readonly kind: 'remember'; readonly request: RememberRequest }
  | { readonly ok: true; readonly kind: 'recall'; readonly request: RecallRequest }
  | { readonly ok: false; readonly rejection: Rejection };

function readJob(job: Job): JobReading {
  if (!job.context?.tenant || !isUuid(job.executionId)) return invalid('Expected a job of an execution and its tenant but it names none.');
  const args = jsonOf(job.inputJson);
  if (args === undefined) return invalid(`Expected the arguments of ${job.kind} as JSON but they are not.`);
  if (job.kind === 'remember') {
    const reading = readRemember(args);
    return reading.ok ? { ...reading, kind: 'remember' } : reading;
  }
  if (job.kind === 'recall') {
    const reading = readRecall(args);
    return reading.ok ? { ...reading, kind: 'recall' } : reading;
  }
  return invalid(`Expected a job of kind remember or recall but got ${JSON.stringify(job.kind)}.`);
}

function newItem(job: Job, request: RememberRequest): NewItem {
  const { tenant = '', actor = '', taint = [] } = job.context ?? {};
  return {
    tenant,
    id: job.idempotencyKey,
    ...request,
    trust: stampTrust(taint, job.executionId),
    provenance: { executionId: job.executionId, pointer: job.pointer, workflow: job.workflow, actor, taint },
  };
}

/** All at once; when the store refuses something among them for good, each by itself, so that the culprit fails alone. */
async function orAlone<T extends { readonly job: Job }>(some: readonly T[], run: (some: readonly T[]) => Promise<Command[]>): Promise<Command[]> {
  if (some.length === 0) return [];
  try {
    return await run(some);
  } catch (fault) {
    if (!(fault instanceof Fault) || fault.retryable) throw fault;
    if (some.length === 1) return [failedCommand(some[0]!.job, rejection('input-invalid', `Expected what memory can keep or look for but ${fault.message}.`))];
    return (await Promise.all(some.map((one) => orAlone([one], run)))).flat();
  }
}

function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

const invalid = (message: string): JobReading => ({ ok: false, rejection: rejection('input-invalid', message) });

const itemJson = ({ id, text, metadata, trust, provenance, score, at }: FoundItem): Json => ({
  id,
  text,
  metadata,
  trust,
  provenance: { ...provenance, taint: [...provenance.taint] },
  score,
  at: instantText(at),
});

/** One span a job, for sampled executions only. */
function traceJobs(jobs: readonly Job[], startAt: number): void {
  const tracer = tracerFor('memory');
  if (!tracer) return;
  for (const { context, kind } of jobs)
    if (context && isSampled(context.traceparent)) openSpan(tracer, kind === 'remember' ? SPAN.remember : SPAN.recall, { kind: 'internal', context, startAt }).end();
}
