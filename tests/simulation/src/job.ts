// A job as it travels in a simulated world, and the commands that come back.
import { idempotencyKeyOf, inputOf, type CommandOf, type EffectOutcome, type ExecutionCommand, type ExecutionState, type OutstandingJob } from '@weft/orchestration/core';
import type { Failure, Json } from '@weft/kernel';

export interface Job {
  readonly id: string;
  readonly execution: string;
  readonly kind: string;
  readonly generation: number;
  readonly attempt: number;
  readonly key: string;
  readonly pointer: string;
  readonly iteration: string;
  readonly input: Json;
  readonly settlement: OutstandingJob['settlement'];
  readonly approvals: readonly { readonly review: string; readonly digest: string }[];
}

/** A command on its way to its execution. */
export interface Sent {
  readonly id: string;
  readonly execution: string;
  readonly command: ExecutionCommand;
}

export function jobOf(state: ExecutionState, job: OutstandingJob): Job {
  const { pointer = '', iteration = '' } = state.activations[job.key] ?? {};
  const { id, kind, generation, attempt, settlement } = job;
  return {
    id,
    execution: state.executionId,
    kind,
    generation,
    attempt,
    key: idempotencyKeyOf(state, job),
    pointer,
    iteration,
    input: inputOf(state, job),
    settlement,
    approvals: Object.values(state.approvals).filter((approval) => approval.job === id),
  };
}

export const completed = ({ id, generation, execution }: Job, output: Json): Sent => ({
  id: `${id}/${generation}/completed`,
  execution,
  command: { type: 'CompleteJob', job: id, generation, output, taint: [] },
});

export function failed({ id, generation, attempt, execution }: Job, failure: Failure, outcome: EffectOutcome, needsPerson = false): Sent {
  const { code, message, retryable, details } = failure;
  const command: CommandOf<'FailJob'> = {
    type: 'FailJob',
    job: id,
    generation,
    attempt,
    failure: { code, message, retryable, ...(details ? { details } : {}) },
    outcome,
    needsPerson,
    platform: false,
  };
  return { id: `${id}/${generation}/${outcome}`, execution, command };
}

/** Asks a person first: exactly this may be done. */
export function asking(job: Job, digest: string): Sent {
  const { id, execution, command } = failed(job, { code: 'approval-required', message: 'Expected an approval.', retryable: false }, 'none');
  return { id: `${id}/ask`, execution, command: { ...(command as CommandOf<'FailJob'>), approvalRequest: { digest, title: 'May I?', subject: digest, reasons: [] } } };
}
