// What became of a job that touches nothing outside of Weft, as the command that its execution gets.
import type { Failure, Json } from '@weft/kernel';
import { contextOf } from './context.js';
import type { Envelope } from './envelope.js';
import type { Command, Job } from './generated/weft/v1/jobs.js';

/** The command that completes a job. `taint` names the untrusted sources of the output; default none. The same job and generation give the same id. */
export function completedCommand(job: Job, output: Json, taint: readonly string[] = []): Command {
  const completeJob = { jobId: job.id, generation: job.generation, outputJson: JSON.stringify(output), evidenceJson: '', taint: [...taint] };
  return { ...envelopeOf(job, 'completed'), completeJob };
}

/** The command that fails a job without an effect (outcome `none`). Nothing of the failure is lost. */
export function failedCommand(job: Job, { code, message, retryable, retryAfterMs = 0, details }: Failure): Command {
  const failure = { code, message, retryable, retryAfterMs, detailsJson: details === undefined ? '' : JSON.stringify(details) };
  return { ...envelopeOf(job, 'failed'), failJob: { jobId: job.id, generation: job.generation, failure, outcome: 'none', needsPerson: false, platform: false, evidenceJson: '', taint: [] } };
}

const envelopeOf = (job: Job, what: string): Pick<Command, 'id' | 'executionId' | 'context'> => ({
  id: `${job.id}/${job.generation}/${what}`,
  executionId: job.executionId,
  // A job without a context fails as well, and orchestration is told which.
  context: job.context ?? contextOf({ tenant: '' }),
});

/** What became of a job, as it travels to its execution. @param source who carried it out. */
export const commandEnvelope = (command: Command, source: string): Envelope<Command> => ({
  id: command.id,
  source,
  type: `ai.weft.command.${command.completeJob ? 'complete-job' : 'fail-job'}.v1`,
  key: command.executionId,
  context: command.context ?? contextOf({ tenant: '' }),
  body: command,
});
