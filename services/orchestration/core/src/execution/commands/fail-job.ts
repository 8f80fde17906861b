import type { DecideContext, Json } from '@weft/kernel';
import { Advance, type RaiseWait, type Step } from '../../interpreter/advance.js';
import { errorOfFailure } from '../../program/workflow-error.js';
import { ACTION_REVIEW_MS, APPROVAL_REQUIRED } from '../../review/review.terms.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import { inputOf } from '../job-input.js';
import { isEnded, type ExecutionState, type OutstandingJob } from '../execution.state.js';

// The platform repeats an attempt that it lost itself; a job that is lost this often has another problem.
const PLATFORM_ATTEMPTS_MAX = 20;
// A call that gets lost on its way this often is told to the model.
const CALL_GENERATIONS_MAX = 5;

type FailJob = CommandOf<'FailJob'>;

/**
 * Takes a job's failure. The platform's own losses are scheduled again; an action that needs an approval, and an effect that
 * nobody can tell about, go to a person; anything else raises an error at the task, which the workflow may catch.
 */
export function failJob(state: ExecutionState, command: FailJob, context: DecideContext, programs: Programs): ExecutionDecision {
  const job = state.jobs[command.job];
  if (isEnded(state) || !job || job.asked) return { kind: 'ignored', reason: 'duplicate' };
  if (job.generation !== command.generation) return { kind: 'ignored', reason: 'stale' };
  // One failure is told as often as its job was dispatched: told again, it must not fail the attempt that came after it.
  if (command.attempt && command.attempt !== job.attempt) return { kind: 'ignored', reason: 'stale' };
  const advance = new Advance(state, programs(state.definition.digest), context);
  const next = command.needsPerson || command.approvalRequest ? 'ask' : (command.platform && job.attempt < PLATFORM_ATTEMPTS_MAX) || isLostCall(state, job, command) ? 'again' : 'raise';
  if (next === 'raise') return advance.finish(raiseFailure(advance, job, command));
  const failure = recordFailure(advance, job, command.approvalRequest ? { ...command, failure: { ...command.failure, code: APPROVAL_REQUIRED } } : command, next);
  if (next === 'again') {
    advance.record({ type: 'JobScheduled', key: job.key, job: job.id, kind: job.kind, generation: advance.state.generations[job.id] ?? 0, attempt: job.attempt + 1, at: context.now });
    return advance.finish(undefined);
  }
  const asked = { type: 'ReviewRequested', key: job.key, review: advance.reviewId() } as const;
  if (command.approvalRequest) {
    const { digest, title, subject, reasons } = command.approvalRequest;
    advance.record({ ...asked, kind: 'action', at: context.now, terms: { digest, expires: context.now + ACTION_REVIEW_MS }, title, subject: { action: subject, reasons: [...reasons], job: job.id } });
    return advance.finish(undefined);
  }
  const title = `Did the effect of ${job.key} happen? The answer was lost and no reconcile hook can tell.`;
  advance.record({ ...asked, kind: 'effect-outcome', at: context.now, title, subject: { job: job.id, generation: job.generation, input: inputOf(state, job), failure } });
  return advance.finish(undefined);
}

/**
 * A call of an agent that got lost on its way out, as the reconcile hook says: it is made again in a new generation, since it is the
 * platform that lost it and not the model's business. What a person says did not happen is told to the model.
 */
function isLostCall({ activations }: ExecutionState, job: OutstandingJob, { outcome, failure }: FailJob): boolean {
  const isCall = activations[job.key]?.step?.call !== undefined;
  return isCall && outcome === 'failed' && failure.code === 'effect-failed' && !job.settlement && job.generation < CALL_GENERATIONS_MAX;
}

type Failed = Pick<FailJob, 'failure' | 'outcome' | 'evidence' | 'usage' | 'taint'>;

/** Records that a job has failed for good. @returns the step that raises it at its task, or lets its agent go on. */
export function raiseFailure(advance: Advance, job: OutstandingJob, failed: Failed): Step {
  const { step, pointer } = advance.activation(job.key);
  recordFailure(advance, job, failed, 'raise');
  const error = errorOfFailure(failed.failure, pointer, job.kind);
  const { retryAfterMs } = failed.failure;
  const wait: RaiseWait = retryAfterMs === undefined ? {} : { notBefore: advance.context.now + retryAfterMs };
  // A call that fails is told to the model; a turn that fails fails its agent.
  if (step) return { go: 'agent', key: step.agent, ...(step.call === undefined ? { error, ...wait } : {}) };
  return { go: 'raise', key: job.key, error, ...wait };
}

function recordFailure(advance: Advance, job: OutstandingJob, { failure: { code, message, retryable, details }, outcome, evidence, usage, taint = [] }: Failed, next: 'raise' | 'again' | 'ask'): Json {
  const failure: Json = { code, message, retryable, ...(details ? { details } : {}), ...(evidence === undefined ? {} : { evidence }) };
  advance.record({
    type: 'JobFailed',
    key: job.key,
    job: job.id,
    generation: job.generation,
    attempt: job.attempt,
    outcome,
    next,
    code,
    ...(taint.length > 0 ? { taint } : {}),
    failure,
    ...(usage ? { usage } : {}),
  });
  return failure;
}
