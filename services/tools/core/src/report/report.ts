// A job's result as the command that its execution gets.
import type { ApprovalRequest, Command, Job, Usage } from '@weft/contracts';
import type { Failure, Json } from '@weft/kernel';

/** failed: known not to have happened; unknown: it may have; none: no effect was involved. */
export type ReportedOutcome = 'failed' | 'unknown' | 'none';

/** The command that completes a job. `outputText` is JSON text. */
export function completion(job: Job, outputText: string, evidence: Json | undefined, taint: readonly string[], usage?: Usage): Command {
  return {
    id: `${job.id}/${job.generation}/completed`,
    executionId: job.executionId,
    context: job.context,
    completeJob: {
      jobId: job.id,
      generation: job.generation,
      outputJson: outputText,
      evidenceJson: evidence === undefined ? '' : JSON.stringify(evidence),
      taint: taint as string[],
      ...(usage && { usage }),
    },
  };
}

/** What else a failed job tells. */
export interface FailureMore {
  readonly needsPerson?: boolean;
  readonly evidence?: Json;
  /** With code `approval-required`: what a person is to approve. */
  readonly approvalRequest?: ApprovalRequest;
  /** What it has used all the same. */
  readonly usage?: Usage | undefined;
  /** Labels of what the words of the failure may be made of. Default: Weft's own alone. */
  readonly taint?: readonly string[];
}

/** The command that fails a job. */
export function failureReport(job: Job, failure: Failure, outcome: ReportedOutcome, more: FailureMore = {}): Command {
  const { code, message, retryable, retryAfterMs = 0, details } = failure;
  return {
    id: `${job.id}/${job.generation}/${outcome}`,
    executionId: job.executionId,
    context: job.context,
    failJob: {
      jobId: job.id,
      generation: job.generation,
      failure: { code, message, retryable, retryAfterMs, detailsJson: details === undefined ? '' : JSON.stringify(details) },
      outcome,
      needsPerson: more.needsPerson ?? false,
      platform: false,
      evidenceJson: more.evidence === undefined ? '' : JSON.stringify(more.evidence),
      ...(more.approvalRequest === undefined ? {} : { approvalRequest: more.approvalRequest }),
      taint: [...(more.taint ?? [])],
      ...(more.usage && { usage: more.usage }),
    },
  };
}

/** A report of a call that has a price: what was done, or may have been, is paid for. @param costMicros millionths; 0 = free. */
export function priced<C extends Command | undefined>(command: C, costMicros: number): C {
  if (costMicros === 0 || command === undefined) return command;
  const usage: Usage = { inputTokens: 0, outputTokens: 0, moneyMicros: costMicros, calls: 1, estimated: false };
  if (command.completeJob) return { ...command, completeJob: { ...command.completeJob, usage } };
  return command.failJob?.outcome === 'unknown' ? { ...command, failJob: { ...command.failJob, usage } } : command;
}
