import type { DecideContext, Json } from '@weft/kernel';
import { Advance } from '../../interpreter/advance.js';
import { errorOfFailure } from '../../program/workflow-error.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import { isEnded, type ExecutionState } from '../execution.state.js';

// The platform repeats an attempt that it lost itself; a job that is lost this often has another problem.
const PLATFORM_ATTEMPTS_MAX = 20;

/**
 * Takes a job's failure. The platform's own losses are scheduled again; an effect that nobody can tell about goes to a
 * person; anything else raises an error at the task, which the workflow may catch.
 */
export function failJob(state: ExecutionState, command: CommandOf<'FailJob'>, context: DecideContext, programs: Programs): ExecutionDecision {
  const job = state.jobs[command.job];
  if (isEnded(state) || !job || job.asked) return { kind: 'ignored', reason: 'duplicate' };
  if (job.generation !== command.generation) return { kind: 'ignored', reason: 'stale' };
  // One failure is told as often as its job was dispatched: told again, it must not fail the attempt that came after it.
  if (command.attempt && command.attempt !== job.attempt) return { kind: 'ignored', reason: 'stale' };
  const advance = new Advance(state, programs(state.definition.digest), context);
  const next = command.needsPerson ? 'ask' : command.platform && job.attempt < PLATFORM_ATTEMPTS_MAX ? 'again' : 'raise';
  const { code, message, retryable, details } = command.failure;
  const failure: Json = { code, message, retryable, ...(details ? { details } : {}), ...(command.evidence === undefined ? {} : { evidence: command.evidence }) };
  advance.record({ type: 'JobFailed', key: job.key, job: job.id, generation: job.generation, attempt: job.attempt, outcome: command.outcome, next, code, failure });
  if (next === 'again') {
    advance.record({ type: 'JobScheduled', key: job.key, job: job.id, kind: job.kind, generation: advance.state.generations[job.id] ?? 0, attempt: job.attempt + 1, at: context.now });
    return advance.finish(undefined);
  }
  if (next === 'ask') {
    const title = `Did the effect of ${job.key} happen? The answer was lost and no reconcile hook can tell.`;
    advance.record({
      type: 'ReviewRequested',
      key: job.key,
      review: advance.reviewId(),
      kind: 'effect-outcome',
      at: context.now,
      title,
      subject: { job: job.id, generation: job.generation, input: job.input, failure },
    });
    return advance.finish(undefined);
  }
  return advance.finish({ go: 'raise', key: job.key, error: errorOfFailure(command.failure, advance.pointerOf(job.key)) });
}
