// What became of a job, as the command that its execution takes.
import type { Command, Job } from '@weft/contracts';
import type { Failure, Json } from '@weft/kernel';

/** The command that completes a job. @param evidence how the output came about. */
export function completed(job: Job, output: Json, evidence: Json): Command {
  return { ...addressed(job), completeJob: { jobId: job.id, generation: job.generation, outputJson: JSON.stringify(output), evidenceJson: JSON.stringify(evidence), taint: [] } };
}

/** The command that fails a job that had no effect. */
export function failed(job: Job, { code, message, retryable, retryAfterMs = 0, details }: Failure): Command {
  const failure = { code, message, retryable, retryAfterMs, detailsJson: details === undefined ? '' : JSON.stringify(details) };
  return { ...addressed(job), failJob: { jobId: job.id, generation: job.generation, failure, outcome: 'none', needsPerson: false, platform: false, evidenceJson: '' } };
}

const addressed = (job: Job): Pick<Command, 'id' | 'executionId' | 'context'> => ({ id: `${job.id}/${job.generation}/done`, executionId: job.executionId, context: job.context });
