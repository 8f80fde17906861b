import type { DecideContext } from '@weft/kernel';
import { Advance } from '../../interpreter/advance.js';
import type { CommandOf } from '../execution.commands.js';
import type { ExecutionDecision, Programs } from '../execution.decide.js';
import { isEnded, type ExecutionState } from '../execution.state.js';

/** Takes a job's result. Results count by (job, generation) while the activation runs; a second one is a duplicate. */
export function completeJob(state: ExecutionState, command: CommandOf<'CompleteJob'>, context: DecideContext, programs: Programs): ExecutionDecision {
  const job = state.jobs[command.job];
  if (isEnded(state) || !job) return { kind: 'ignored', reason: 'duplicate' };
  if (job.generation !== command.generation) return { kind: 'ignored', reason: 'stale' };
  const { step, subscribing } = state.activations[job.key] ?? {};
  const advance = new Advance(state, programs(state.definition.digest), context);
  advance.record({
    type: 'JobCompleted',
    key: job.key,
    job: job.id,
    generation: job.generation,
    output: command.output,
    ...(command.taint.length > 0 ? { taint: command.taint } : {}),
    ...(command.evidence === undefined ? {} : { evidence: command.evidence }),
    ...(command.usage ? { usage: command.usage } : {}),
  });
  if (subscribing) return advance.finish({ go: 'consume', key: job.key });
  return advance.finish(step ? { go: 'agent', key: step.agent } : { go: 'complete', key: job.key, output: command.output });
}
